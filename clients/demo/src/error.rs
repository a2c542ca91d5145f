/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Build or free what is named, then start again.
    #[error("{0}")]
    Setup(String),
    /// A step that must succeed failed.
    #[error("{0}")]
    Wallet(#[from] blindprint_wallet::Error),
    /// A photograph cannot be used.
    #[error("{0}")]
    Face(#[from] blindprint_face::Error),
    /// Nothing can be printed or drawn.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
    /// The service did what it must not do.
    #[error("{0}")]
    Broken(String),
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;
