use std::{path::PathBuf, sync::Arc};

use blindprint_core::{ProfileId, statement::Purpose};
use blindprint_wallet::{ConsentView, EnrolOptions, Error, Wallet};
use clap::Args;
use serde_json::json;

use super::{
    Bars, Outcome, Place, Result,
    capture::Source,
    consent::{language, readable},
    output::confirm,
    recovery_key,
};

/// Enrol: consent, capture, encrypt, register
#[derive(Args)]
#[command(after_help = "\
The notice is shown first, and nothing is captured before you consent. Without a terminal, pass
--consent to say that the person has read the notice and agrees.

From the second enrolment on the service asks for the recovery key too, so that nobody who steals
the wallet can put another face in the place of yours. While the wallet keeps it, it signs by
itself; once it is on paper alone, pass --recovery-key.

Examples:
  blindprint-wallet enrol --photo me.jpg --invitation CODE
  blindprint-wallet enrol --photo me.jpg --replace --recovery-key recovery.txt
  ffmpeg -f v4l2 -i /dev/video0 -frames:v 1 -f image2pipe -c:v ppm - | \\
    blindprint-wallet enrol --camera-frame - --consent
  blindprint-wallet enrol --embedding iris.json --profile iris-bits2048-v1")]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// The operator's invitation
    #[arg(
        long,
        value_name = "CODE",
        env = "BLINDPRINT_INVITATION",
        hide_env_values = true
    )]
    invitation: Option<String>,
    /// How the code is made [default: the first profile that fits the capture]
    #[arg(long, value_name = "ID")]
    profile: Option<ProfileId>,
    /// The person has read the notice and consents
    #[arg(long, visible_alias = "yes")]
    consent: bool,
    /// How long the consent lasts, at most as long as the notice says
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3653))]
    consent_days: u16,
    /// Language of the notice [default: your locale's, else en]
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// Destroy the earlier enrolment of the same profile in exchange
    #[arg(long)]
    replace: bool,
    /// The file with the recovery page, once the wallet keeps no copy; - is standard input
    #[arg(long, value_name = "FILE")]
    recovery_key: Option<PathBuf>,
    /// Write the recovery key to this file and keep no copy, instead of showing it
    #[arg(long, value_name = "FILE")]
    recovery_key_out: Option<PathBuf>,
}

pub(super) async fn run(place: &Place, arguments: Arguments, json: bool) -> Result {
    let mut wallet = super::open(place).await?;
    let paper = arguments.recovery_key.as_deref().map(recovery_key::read);
    let paper = paper.transpose()?;
    wallet.holds_recovery_key(paper.as_ref())?;
    let recognised =
        |consent: &ConsentView| consent.live && consent.purpose == Purpose::Authentication;
    if !wallet.consents().iter().any(recognised) {
        ask_for_consent(&mut wallet, &arguments).await?;
    }
    let bars = Arc::new(Bars::new());
    let capture = arguments.source.capture(&bars).await?;
    let options = EnrolOptions {
        profile: arguments.profile,
        invitation: arguments.invitation,
        replace: arguments.replace,
        recovery_key: paper,
    };
    let enrolled = wallet.enrol(capture, options, &*bars).await?;
    drop(bars);
    let page = recovery_key::hand_over(&mut wallet, arguments.recovery_key_out.as_deref(), !json)?;
    let view = &enrolled.enrolment;
    Ok(Outcome::new(
        format!(
            "Enrolled as {} under {}.\nEncoded in {:.1} ms, encrypted and proved in {:.2} s, \
             uploaded {} bytes, registered in {:.2} s.\n{}",
            view.id,
            view.profile,
            enrolled.stages.encode.as_secs_f64() * 1e3,
            enrolled.stages.prove.as_secs_f64(),
            enrolled.uploaded,
            enrolled.stages.service.as_secs_f64(),
            page.text
        ),
        json!({
            "subject": wallet.subject(),
            "enrolment": view,
            "stages": enrolled.stages,
            "uploaded": enrolled.uploaded,
            "recovery_key": page.shown,
        }),
    ))
}

async fn ask_for_consent(wallet: &mut Wallet, arguments: &Arguments) -> Result<()> {
    let language = arguments.language.clone().unwrap_or_else(language);
    let notice = wallet.notice(Purpose::Authentication, &language).await?;
    eprintln!(
        "{} asks you to read this first.\n\n{}\n",
        wallet.service(),
        readable(&notice)
    );
    let days = arguments.consent_days;
    let question = format!("Do you consent to this for {days} days? You can withdraw at any time.");
    let agreed = arguments.consent
        || confirm(&question).ok_or_else(|| {
            Error::Invalid(
                "there is no terminal to ask on: pass --consent after reading the notice"
                    .to_owned(),
            )
        })?;
    if !agreed {
        return Err(Error::NoConsent);
    }
    let seconds = i64::from(days) * 86_400;
    let invitation = arguments.invitation.as_deref();
    wallet.give_consent(&notice, seconds, invitation).await?;
    Ok(())
}
