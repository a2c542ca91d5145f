use blindprint_wallet::{Error, PendingOffer, ReceiveOptions};
use clap::{ArgGroup, Args};
use secrecy::SecretString;
use serde_json::json;

use super::{
    basis::{Basis, FORMATS},
    line,
};
use crate::cli::{
    Outcome, Place, Result,
    output::{confirm, is_interactive},
};

/// Receive a credential: from the wallet's own service, or by anybody's offer
#[derive(Args)]
#[command(
    group = ArgGroup::new("source").required(true).args(["enrolment", "authentication", "consent", "offer"]),
    after_help = "\
Examples:
  blindprint-wallet credential receive --enrolment
  blindprint-wallet credential receive --enrolment --format dc+sd-jwt --copies 8
  blindprint-wallet credential receive --authentication CHALLENGE   (`says.challenge` of `auth --json`)
  blindprint-wallet credential receive --offer 'openid-credential-offer://?credential_offer_uri=…'"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    basis: Basis,
    /// Whatever this link offers
    #[arg(long, value_name = "LINK", conflicts_with = "Basis")]
    offer: Option<String>,
    /// Of a credential of the own service
    #[arg(long, default_value = "ldp_vc", conflicts_with = "offer", value_parser = FORMATS)]
    format: String,
    /// Copies, each to be shown once [default: 4, or as many as the issuer gives]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    copies: Option<u8>,
    /// Of an offer: these configurations only
    #[arg(long, value_name = "ID", requires = "offer")]
    configuration: Vec<String>,
    /// Of an offer: the transaction code; asked for if one is needed
    #[arg(long, value_name = "CODE", requires = "offer")]
    tx_code: Option<String>,
    /// Do not ask whether an offer's issuer is the right one
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(place: &Place, arguments: Arguments) -> Result {
    let mut wallet = crate::cli::open(place).await?;
    let options = ReceiveOptions {
        copies: arguments.copies.map(usize::from),
        configurations: arguments.configuration,
    };
    let (offer, tx_code) = if let Some(link) = &arguments.offer {
        let offer = wallet.read_offer(link).await?;
        agree(&offer, arguments.yes)?;
        let tx_code = match arguments.tx_code {
            Some(code) => Some(code),
            None => ask_for_code(&offer)?,
        };
        (offer, tx_code)
    } else {
        let made = arguments.basis.offer(&wallet, &arguments.format).await?;
        (wallet.read_offer(&made.by_value).await?, made.tx_code)
    };
    let tx_code = tx_code.map(SecretString::from);
    let received = wallet
        .receive_credentials(&offer, tx_code, &options)
        .await?;
    let mut text = String::new();
    for credential in &received {
        text.push_str("Received ");
        text.push_str(&line(credential));
    }
    Ok(Outcome::new(text, json!({ "received": received })))
}

fn agree(offer: &PendingOffer, yes: bool) -> Result<()> {
    let name = offer.issuer_name();
    eprintln!(
        "{} offers, calling itself {}:",
        offer.issuer(),
        name.as_deref().unwrap_or("nothing")
    );
    for credential in offer.credentials() {
        let name = credential
            .name
            .as_deref()
            .unwrap_or(&credential.configuration);
        eprintln!(
            "  {name} ({}, {})",
            credential.configuration, credential.format
        );
    }
    let agreed = yes
        || confirm("Everybody can write an offer. Is this the issuer that you expect?")
            .ok_or_else(|| Error::Invalid("nobody is there to be asked: say --yes".to_owned()))?;
    if agreed {
        Ok(())
    } else {
        Err(Error::Invalid("nothing was received".to_owned()))
    }
}

fn ask_for_code(offer: &PendingOffer) -> Result<Option<String>> {
    let Some(code) = offer.tx_code() else {
        return Ok(None);
    };
    if !is_interactive() {
        return Err(Error::Invalid(
            "the offer needs a transaction code: give it with --tx-code".to_owned(),
        ));
    }
    if let Some(description) = &code.description {
        let shown: String = description.chars().filter(|c| !c.is_control()).collect();
        eprintln!("{} says of the code: {shown}", offer.issuer());
    }
    rpassword::prompt_password("Transaction code: ")
        .map(Some)
        .map_err(|e| Error::Invalid(format!("the code cannot be read: {e}")))
}
