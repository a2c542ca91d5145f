use blindprint_wallet::{Error, PresentationRequest};
use clap::Args;
use serde_json::json;

use crate::cli::{Outcome, Place, Result, output::confirm};

/// Answer a verifier's request, after showing what it would see
#[derive(Args)]
#[command(after_help = "\
Example:
  blindprint-wallet credential present 'openid4vp://?client_id=…&request_uri=…'")]
pub(crate) struct Arguments {
    /// The verifier's link
    request: String,
    /// Use this credential; may be repeated
    #[arg(long, value_name = "ID")]
    credential: Vec<String>,
    /// Show a copy again where none is left that nobody has seen: those who saw it recognise it
    #[arg(long)]
    reuse: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(place: &Place, arguments: Arguments) -> Result {
    let mut wallet = crate::cli::open(place).await?;
    let request = wallet
        .read_presentation_request(&arguments.request, &arguments.credential, arguments.reuse)
        .await?;
    describe(&request);
    let agreed = arguments.yes
        || confirm("Show this?")
            .ok_or_else(|| Error::Invalid("nobody is there to be asked: say --yes".to_owned()))?;
    if !agreed {
        wallet.refuse_presentation(request).await?;
        return Ok(Outcome::new(
            "Nothing was shown, and the verifier was told so.\n",
            json!({ "presented": false }),
        ));
    }
    let presented = wallet.present(request).await?;
    let mut text = format!("{} has taken the answer.\n", presented.verifier);
    if let Some(uri) = &presented.redirect_uri {
        text.push_str("Go on at ");
        text.push_str(uri);
        text.push('\n');
    }
    Ok(Outcome::new(
        text,
        json!({ "presented": true, "to": presented.verifier, "shown": presented.shown, "redirect_uri": presented.redirect_uri }),
    ))
}

fn describe(request: &PresentationRequest) {
    let proof = if request.is_signed() {
        "which signed the request"
    } else {
        "which has not proven who it is"
    };
    eprintln!("{}, {proof}, asks.", request.verifier());
    eprintln!("The answer goes to {}. It would see:", request.recipient());
    let disclosures = request.disclosures();
    for disclosure in &disclosures {
        let name = disclosure.name.as_deref().unwrap_or("a credential");
        eprintln!(
            "  {name} ({}, {})",
            disclosure.credential, disclosure.format
        );
        for (claim, value) in &disclosure.claims {
            let shown: String = value
                .to_string()
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect();
            eprintln!("    {claim}: {shown}");
        }
    }
    eprintln!("  and who issued it, until when it holds, and where its status stands.");
    if disclosures.iter().any(|disclosure| disclosure.handed_over) {
        eprintln!(
            "It asks for the credential itself, which it could pass on, not for a proof made for it."
        );
    }
}
