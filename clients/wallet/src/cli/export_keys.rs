use std::path::PathBuf;

use blindprint_wallet::Passphrase;
use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result};

/// Write an encrypted copy of the wallet, as a backup or for another device
#[derive(Args)]
#[command(after_help = "\
Example:
  blindprint-wallet export-keys backup.age

The copy holds the same keys. Use one of the two only: the service sees them as one wallet.")]
pub(crate) struct Arguments {
    /// The new file
    file: PathBuf,
    /// A file with another passphrase for the copy [default: the wallet's]
    #[arg(long, value_name = "FILE")]
    export_passphrase_file: Option<PathBuf>,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result {
    let wallet = place.open()?;
    let other = arguments
        .export_passphrase_file
        .as_deref()
        .map(Passphrase::read)
        .transpose()?;
    wallet.export(&arguments.file, other.as_ref())?;
    Ok(Outcome::new(
        format!(
            "The keys of {} are in {}.\n",
            wallet.subject(),
            arguments.file.display()
        ),
        json!({ "subject": wallet.subject(), "file": arguments.file }),
    ))
}
