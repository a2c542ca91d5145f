use std::{io, path::PathBuf};

/// Why a run stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A table of embeddings or people has a row that cannot be read.
    #[error("{path}, line {line}: not a row of this table")]
    Row {
        /// The table.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// A data set without two captures of one person, or with one person only.
    #[error("{0}: needs two people or more, and two captures of one of them")]
    TooSmall(PathBuf),
    /// An embedding does not fit the profile.
    #[error(transparent)]
    Encode(#[from] blindprint_template::EncodeError),
    /// The test keys cannot be read.
    #[error("the keys do not decode: {0}")]
    Material(#[from] blindprint_template::DecodeError),
    /// Encryption failed.
    #[error(transparent)]
    Seal(#[from] blindprint_template::SealError),
    /// Evaluation failed.
    #[error(transparent)]
    Match(#[from] blindprint_matcher::MatchError),
    /// A verdict does not open.
    #[error(transparent)]
    Open(#[from] blindprint_keys::OpenError),
    /// A statement cannot be signed.
    #[error(transparent)]
    Statement(#[from] blindprint_did::DidError),
    /// A credential is not issued.
    #[error(transparent)]
    Issue(#[from] blindprint_credentials::IssueError),
    /// A credential or list does not verify.
    #[error(transparent)]
    Verify(#[from] blindprint_credentials::VerifyError),
    /// The transparency log refuses something.
    #[error(transparent)]
    Log(#[from] blindprint_log::LogError),
    /// A DID does not resolve.
    #[error(transparent)]
    Resolution(#[from] blindprint_resolver::ResolutionError),
    /// No client for fetches.
    #[error(transparent)]
    Egress(#[from] blindprint_egress::EgressError),
    /// No host of DIDs.
    #[error("the bench's own host does not start: {0}")]
    Host(String),
    /// An identifier of the scene is malformed.
    #[error(transparent)]
    Invalid(#[from] blindprint_core::Invalid),
    /// No pool of threads.
    #[error(transparent)]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The baselines' program failed or printed something else than its results.
    #[error("{path} did not print its results: {reason}")]
    Baselines {
        /// The program.
        path: PathBuf,
        /// What happened instead.
        reason: String,
    },
    /// Results cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Results cannot be printed.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

impl Error {
    /// A file error with its path.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

/// A result of this program.
pub type Result<T> = std::result::Result<T, Error>;
