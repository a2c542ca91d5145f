use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Outcome, Place, Result, init::read_trust};

/// Believe another trust file, for example after the service's enclave was updated
#[derive(Args)]
pub(crate) struct Arguments {
    /// JSON with attestation roots and measurements, from a source you trust
    file: PathBuf,
}

pub(super) async fn run(place: &Place, arguments: &Arguments) -> Result {
    let mut wallet = place.open()?;
    let attested = wallet.trust_instead(read_trust(&arguments.file)?).await?;
    Ok(Outcome::new(
        format!(
            "The enclave of {} is genuine and one that you trust now.\nMeasurement: {}\n",
            wallet.service(),
            attested.measurement
        ),
        json!({ "service": wallet.service(), "attested": attested }),
    ))
}
