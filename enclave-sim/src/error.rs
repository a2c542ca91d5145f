use std::{io, path::PathBuf};

use blindprint_core::ServiceId;
use blindprint_nsm::NsmError;
use blindprint_protocol::{
    attestation::AttestationError,
    policy::{RegistryError, Rollback},
};
use blindprint_template::DecodeError;

use crate::seal::SealError;

/// Why the enclave does not start. None of these is repaired by the process itself, which never
/// overwrites what it cannot read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnclaveError {
    /// Look at the path, its permissions and the room on its disk.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// End the other process, or give this one another folder.
    #[error("{0}: another enclave uses this folder")]
    InUse(PathBuf),
    /// Bring the right file back from a backup made after the last change.
    #[error("{path}: {source}")]
    Sealed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: SealError,
    },
    /// Bring the last state back; an older one is not taken, because somebody might have withdrawn
    /// or failed since.
    #[error(transparent)]
    Rollback(#[from] Rollback),
    /// What was sealed is no registry of this version.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The sealed keys were made by another version or for another parameter set.
    #[error("the sealed keys do not decode: {0}")]
    Keys(DecodeError),
    /// Bring the file with the keys back: the registry is worth nothing without it.
    #[error(
        "there is a sealed registry but no sealed keys: bring them back, or remove both and the hardware's counter"
    )]
    KeysMissing,
    /// Bring the file back from a backup: it holds nothing secret, but wallets encrypt under it.
    #[error("{0}: this is not the public material that belongs to the sealed keys")]
    Material(PathBuf),
    /// Consents name the service they were given to.
    #[error("this folder belongs to the service {sealed}")]
    Service {
        /// The one it was made for.
        sealed: ServiceId,
    },
    /// Remove the damaged counter file only together with the sealed state.
    #[error("{0}: the hardware's counter is damaged")]
    Counter(PathBuf),
    /// The simulated security module does not work.
    #[error(transparent)]
    Nsm(#[from] NsmError),
    /// Accept fewer matchers: a document has room for a few measurements.
    #[error("the accepted matchers' measurements do not fit into an attestation document")]
    TooManyMatchers,
    /// Name the log whose tombstones are to be replayed.
    #[error("to restore a state takes a log to replay")]
    NothingToReplay,
    /// A measurement that no verifier may accept.
    #[error(transparent)]
    Trust(#[from] AttestationError),
}

impl EnclaveError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
