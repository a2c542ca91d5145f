use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use blindprint_wallet::{Error, RecoveryPaper};
use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Outcome, Place, Result, recovery_key};

/// Unlock your subject, or take it over with a new device, by the recovery key on paper
#[derive(Args)]
#[command(after_help = "\
Type the page from paper into a file, or give - and type it on standard input.

Examples:
  blindprint-wallet recover --recovery-key recovery.txt unlock
  blindprint-wallet init --service https://id.example.org --trust trust.json
  blindprint-wallet recover --recovery-key recovery.txt replace-device")]
pub(crate) struct Arguments {
    /// The file with the recovery page; - is standard input
    #[arg(long, value_name = "FILE")]
    recovery_key: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Re-enable the subject after too many failed attempts
    Unlock,
    /// Make this new wallet the subject's only one; the old templates are destroyed
    ReplaceDevice {
        /// Write the new recovery key to this file and keep no copy, instead of showing it
        #[arg(long, value_name = "FILE")]
        recovery_key_out: Option<PathBuf>,
    },
}

pub(super) async fn run(place: &Place, arguments: &Arguments) -> Result {
    let paper = RecoveryPaper::parse(&read_page(&arguments.recovery_key)?)?;
    let mut wallet = super::open(place).await?;
    match &arguments.action {
        Action::Unlock => {
            let changed = wallet.unlock(&paper).await?;
            Ok(Outcome::new(
                format!("{} is unlocked.\n", wallet.subject()),
                json!({ "subject": wallet.subject(), "keys": changed }),
            ))
        }
        Action::ReplaceDevice { recovery_key_out } => {
            let changed = wallet.replace_device(&paper).await?;
            let page = recovery_key::hand_over(&mut wallet, recovery_key_out.as_deref(), false)?;
            Ok(Outcome::new(
                format!(
                    "This wallet now speaks for {}. The old recovery key is used up.\n{}\
                     Next: blindprint-wallet enrol --photo FILE\n",
                    wallet.subject(),
                    page.text
                ),
                json!({ "subject": wallet.subject(), "keys": changed, "recovery_key": page.shown }),
            ))
        }
    }
}

fn read_page(path: &Path) -> Result<Zeroizing<String>> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut page = Zeroizing::new(String::with_capacity(4096));
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(4096)
            .read_to_string(&mut page)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(4096).read_to_string(&mut page).map_err(failed)?;
    }
    Ok(page)
}
