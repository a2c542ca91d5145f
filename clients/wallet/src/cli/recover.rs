use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

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
    let paper = recovery_key::read(&arguments.recovery_key)?;
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
            let needed = recovery_key_out.as_ref().map_or_else(String::new, |path| {
                format!(" --recovery-key {}", path.display())
            });
            let page = recovery_key::hand_over(&mut wallet, recovery_key_out.as_deref(), false)?;
            Ok(Outcome::new(
                format!(
                    "This wallet now speaks for {}. The old recovery key is used up.\n{}\
                     Next: blindprint-wallet enrol --photo FILE{needed}\n",
                    wallet.subject(),
                    page.text
                ),
                json!({ "subject": wallet.subject(), "keys": changed, "recovery_key": page.shown }),
            ))
        }
    }
}
