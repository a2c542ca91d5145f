use std::{io, path::Path};

use alloy::{contract, primitives::Address, transports::TransportError};

/// What went wrong, by what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnchorError {
    /// Correct what was given.
    #[error("{0}")]
    Invalid(String),
    /// Look at this file.
    #[error("{path}: {source}")]
    File { path: String, source: io::Error },
    /// Wait: the node or the log gives no usable answer.
    #[error("no answer to use from {from}: {why}")]
    Unavailable { from: &'static str, why: String },
    /// Wait, or allow more: gas costs more than was allowed.
    #[error("gas costs {asked} wei, more than the {allowed} that were allowed")]
    Expensive { asked: u128, allowed: u128 },
    /// Use the owner's key, or deploy a contract of your own.
    #[error("the contract belongs to {0}")]
    NotOwner(Address),
    /// Tell everybody: what the log shows contradicts what it showed before, or is not signed.
    #[error("the log misbehaves: {0}")]
    Misbehaves(String),
}

impl AnchorError {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File {
            path: path.display().to_string(),
            source,
        }
    }

    pub(crate) fn chain(error: impl Into<contract::Error>) -> Self {
        let why = match error.into() {
            contract::Error::TransportError(TransportError::ErrorResp(payload)) => {
                payload.message.into_owned()
            }
            other => other.to_string(),
        };
        Self::Unavailable {
            from: "the chain",
            why,
        }
    }

    pub(crate) fn log(why: &impl ToString) -> Self {
        Self::Unavailable {
            from: "the log",
            why: why.to_string(),
        }
    }

    /// Whether the same may succeed later without anybody doing anything.
    pub(crate) const fn passes(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Expensive { .. })
    }
}
