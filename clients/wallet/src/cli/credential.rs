mod basis;
mod offer;
mod present;
mod receive;

use std::fmt::Write as _;

use blindprint_wallet::{CredentialStatus, CredentialView, Error};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Outcome, Place, Result,
    output::{confirm, when},
};

/// Receive credentials, and show them to those who ask
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Receive(receive::Arguments),
    Offer(offer::Arguments),
    /// List this wallet's credentials
    List,
    /// Print what a credential says, and ask its issuer whether it still stands
    Show {
        /// Which: the id, or how it begins
        id: String,
        /// Do not ask the issuer
        #[arg(long)]
        offline: bool,
    },
    Present(present::Arguments),
    /// Print an unused copy as it is, for somebody who asks over no protocol
    HandOver {
        /// Which: the id, or how it begins
        id: String,
        /// Who gets it, for your own record
        #[arg(long, value_name = "WHOM")]
        to: String,
    },
    /// Forget a credential with its keys; it is not revoked
    Delete {
        /// Which: the id, or how it begins
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(place: &Place, arguments: Arguments) -> Result {
    match arguments.command {
        Command::Receive(arguments) => receive::run(place, arguments).await,
        Command::Offer(arguments) => offer::run(place, &arguments).await,
        Command::Present(arguments) => present::run(place, arguments).await,
        Command::HandOver { id, to } => {
            let copy = place.open()?.hand_over(&id, &to)?;
            let text = match copy.as_str() {
                Some(token) => format!("{token}\n"),
                None => format!("{copy:#}\n"),
            };
            Ok(Outcome::new(text, json!({ "credential": copy })))
        }
        Command::List => {
            let credentials = place.open()?.credentials()?;
            let mut text: String = credentials.iter().map(line).collect();
            if text.is_empty() {
                "There is none yet: get one with `credential receive`.\n".clone_into(&mut text);
            }
            Ok(Outcome::new(text, json!({ "credentials": credentials })))
        }
        Command::Show { id, offline } => {
            let wallet = place.open()?;
            let credential = wallet.credential(&id)?;
            let status = if offline {
                None
            } else {
                Some(wallet.credential_status(&id).await?)
            };
            let mut text = line(&credential);
            let _ = writeln!(text, "Signed by {}.", credential.issuer);
            if let Some(status) = &status {
                let _ = writeln!(text, "{}", said(status));
            }
            for shown in &credential.shown {
                let _ = writeln!(text, "Shown to {} at {}.", shown.to, when(shown.at));
            }
            let claims = json!(credential.claims);
            let _ = writeln!(text, "{claims:#}");
            Ok(Outcome::new(
                text,
                json!({ "credential": credential, "status": status }),
            ))
        }
        Command::Delete { id, yes } => {
            let mut wallet = place.open()?;
            let credential = wallet.credential(&id)?;
            let sure = yes
                || confirm(&format!("Forget {} for good?", title(&credential))).ok_or_else(
                    || Error::Invalid("nobody is there to be asked: say --yes".to_owned()),
                )?;
            if !sure {
                return Err(Error::Invalid("nothing was deleted".to_owned()));
            }
            let credential = wallet.delete_credential(&id)?;
            Ok(Outcome::new(
                format!("{} is forgotten.\n", title(&credential)),
                json!({ "deleted": credential.id }),
            ))
        }
    }
}

fn title(credential: &CredentialView) -> String {
    credential
        .name
        .clone()
        .or_else(|| credential.types.last().cloned())
        .unwrap_or_else(|| credential.id.to_string())
}

fn line(credential: &CredentialView) -> String {
    let until = credential
        .expires
        .map_or_else(String::new, |expires| format!(", until {}", when(expires)));
    format!(
        "{}  {} ({}) from {}{until}; {} of {} copies unused\n",
        credential.id,
        title(credential),
        credential.format,
        credential.received_from,
        credential.unused,
        credential.copies
    )
}

fn said(status: &CredentialStatus) -> String {
    match status {
        CredentialStatus::Good => "It verifies, and its issuer stands by it.".to_owned(),
        CredentialStatus::Bad(why) => format!("It does not stand any more: {why}."),
        CredentialStatus::Unknown(why) => format!("Whether it still stands is not known: {why}."),
    }
}
