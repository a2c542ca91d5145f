use std::path::PathBuf;

use blindprint_wallet::Wallet;
use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result};

/// Make a wallet from an exported copy; its passphrase stays
#[derive(Args)]
#[command(after_help = "\
Example:
  blindprint-wallet --wallet new.age import-keys backup.age")]
pub(crate) struct Arguments {
    /// The exported file
    file: PathBuf,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result {
    let path = place.path()?;
    let wallet = Wallet::import(
        &arguments.file,
        &path,
        place.passphrase()?,
        place.surroundings()?,
    )?;
    Ok(Outcome::new(
        format!(
            "Wallet: {}\nSubject: {}\n",
            path.display(),
            wallet.subject()
        ),
        json!({ "wallet": path, "subject": wallet.subject(), "service": wallet.service() }),
    ))
}
