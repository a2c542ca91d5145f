use std::{io, path::Path};

use blindprint_log::LogError;
use blindprint_reader::ReadError;

/// What went wrong, by what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WitnessError {
    /// Correct what was given.
    #[error("{0}")]
    Invalid(String),
    /// Look at this file: until it can be used, nothing is cosigned.
    #[error("{path}: {source}")]
    File { path: String, source: io::Error },
    /// Correct the addresses or the certificates.
    #[error(transparent)]
    Network(#[from] ReadError),
    /// Correct the key's name, or the clock.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl WitnessError {
    /// An error of the file at `path`.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            path: path.display().to_string(),
            source,
        }
    }
}
