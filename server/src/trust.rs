//! The trust file: what a wallet pins before it believes an attestation.

use std::path::Path;

use blindprint_core::ServiceId;
use blindprint_protocol::{
    attestation::{Measurement, Root, Trust},
    policy::LogTerms,
};

use crate::{Error, Result};

/// The certificate in the simulated root's folder.
pub const ROOT_FILE: &str = "root.pem";

/// Trust in these measurements under the simulated root, and in an enclave that reads the log on these
/// terms if they name a witness.
pub fn build(
    root_folder: &Path,
    service: ServiceId,
    (enclave, matcher): (Measurement, Measurement),
    log: Option<LogTerms>,
) -> Result<Trust> {
    let file = root_folder.join(ROOT_FILE);
    let pem = std::fs::read_to_string(&file)
        .map_err(|error| Error::Setup(format!("{}: {error}", file.display())))?;
    let refused = |error| Error::Setup(format!("{}: {error}", file.display()));
    let root = Root::from_pem(&pem).map_err(refused)?;
    let trust = Trust::new(root, vec![enclave], vec![matcher]).map_err(refused)?;
    let trust = trust.for_service(service);
    Ok(match log.filter(|terms| terms.witness.is_some()) {
        Some(terms) => trust.reading(terms),
        None => trust,
    })
}
