use std::path::{Path, PathBuf};

use blindprint_wallet::{Address, Error, Setup, Trust, Wallet};
use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result};

/// Make a new wallet for a service, after checking what runs there
#[derive(Args)]
#[command(after_help = "\
The trust file names the attestation roots and the enclave measurements that you believe. Get it
from a source you trust, not from whoever sends you the address; `blindprint serve` writes one
into its data folder.

Example:
  blindprint-wallet init --service http://localhost:8080 --trust blindprint-data/trust.json")]
pub(crate) struct Arguments {
    /// The service's address: https://…, or http:// on this machine
    #[arg(long, value_name = "URL")]
    service: String,
    /// What to believe: JSON with attestation roots and measurements
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The service's own CA certificate (PEM), if it has one
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

pub(super) async fn run(place: &Place, arguments: Arguments) -> Result {
    let path = place.path()?;
    if path.exists() {
        return Err(Error::AlreadyThere(path));
    }
    let setup = Setup {
        address: Address::new(&arguments.service, arguments.ca.as_deref())?,
        trust: read_trust(&arguments.trust)?,
        identity: None,
    };
    let wallet =
        Wallet::create(&path, place.new_passphrase()?, setup, place.surroundings()?).await?;
    Ok(Outcome::new(
        format!(
            "The enclave of {} is genuine and one that you trust.\n\
             Wallet: {}\nSubject: {}\nNext: blindprint-wallet enrol --photo FILE\n",
            wallet.service(),
            path.display(),
            wallet.subject()
        ),
        json!({ "wallet": path, "service": wallet.service(), "subject": wallet.subject() }),
    ))
}

/// Reads a trust file.
pub(super) fn read_trust(path: &Path) -> Result<Trust> {
    let text = std::fs::read(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    Trust::parse(&text).map_err(|e| Error::Invalid(format!("{}: {e}", path.display())))
}
