use std::sync::Arc;

use blindprint_core::{Audience, ProfileId};
use clap::Args;
use serde_json::json;

use super::{Bars, Outcome, Place, Result, capture::Source};

/// Prove to a relying party that you are the person who enrolled
#[derive(Args)]
#[command(after_help = "\
The relying party gives audience and nonce, and gets the verdict, which is good for it alone.
Exit status 0 for a match, 3 for no match.

Example:
  blindprint-wallet auth --photo now.jpg --audience https://shop.example --nonce 81f3a2c4 --json")]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// The relying party
    #[arg(long, value_name = "NAME")]
    audience: Audience,
    /// The relying party's nonce, 8 to 128 printable ASCII characters
    #[arg(long, value_name = "TEXT", value_parser = nonce)]
    nonce: String,
    /// Under your consent to sharing outcomes with this relying party (`consent give --audience`)
    #[arg(long)]
    share: bool,
    /// Which enrolment to compare with [default: the one that fits the capture]
    #[arg(long, value_name = "ID")]
    profile: Option<ProfileId>,
}

/// What the enclave takes, checked before anything is captured.
fn nonce(text: &str) -> std::result::Result<String, &'static str> {
    let fits = (8..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| text.to_owned())
        .ok_or("8 to 128 printable ASCII characters without spaces")
}

pub(super) async fn run(place: &Place, arguments: Arguments) -> Result {
    let wallet = super::open(place).await?;
    let bars = Arc::new(Bars::new());
    let capture = arguments.source.capture(&bars).await?;
    let Arguments {
        profile,
        audience,
        nonce,
        share,
        ..
    } = arguments;
    let answer = if share {
        wallet
            .authenticate_to_share(capture, profile, audience, nonce, &*bars)
            .await?
    } else {
        wallet
            .authenticate(capture, profile, audience, nonce, &*bars)
            .await?
    };
    drop(bars);
    let matched = answer.verdict.matched;
    let said = if matched {
        "Match: the person who enrolled."
    } else {
        "No match."
    };
    Ok(Outcome {
        text: format!(
            "{said}\nEncoded in {:.1} ms, encrypted and proved in {:.2} s, answered in {:.2} s.\n\
             Verdict for {}:\n{}\n",
            answer.stages.encode.as_secs_f64() * 1e3,
            answer.stages.prove.as_secs_f64(),
            answer.stages.service.as_secs_f64(),
            answer.verdict.aud,
            answer.jws
        ),
        json: json!({
            "matched": matched,
            "verdict": answer.jws,
            "says": answer.verdict,
            "stages": answer.stages,
        }),
        no_match: !matched,
    })
}
