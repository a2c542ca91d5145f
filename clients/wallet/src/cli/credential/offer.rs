use blindprint_openid4vc::qr;
use clap::{ArgGroup, Args};
use serde_json::json;

use super::basis::{Basis, FORMATS};
use crate::cli::{Outcome, Place, Result, output::when};

/// Have the service offer a credential to another wallet of yours, as a link and a QR code
#[derive(Args)]
#[command(group = ArgGroup::new("wanted").required(true).args(["enrolment", "authentication", "consent"]))]
pub(crate) struct Arguments {
    #[command(flatten)]
    basis: Basis,
    /// The credential's form
    #[arg(long, default_value = "ldp_vc", value_parser = FORMATS)]
    format: String,
}

pub(super) async fn run(place: &Place, arguments: &Arguments) -> Result {
    let wallet = crate::cli::open(place).await?;
    let offer = arguments.basis.offer(&wallet, &arguments.format).await?;
    let picture = qr::terminal(&offer.by_reference).unwrap_or_default();
    let code = match &offer.tx_code {
        Some(code) => format!("Transaction code, for you to type in there: {code}\n"),
        None => String::new(),
    };
    Ok(Outcome::new(
        format!(
            "{picture}\n{}\n{code}Good for one wallet, until {}.\n",
            offer.by_reference,
            when(offer.expires)
        ),
        json!({ "offer": offer }),
    ))
}
