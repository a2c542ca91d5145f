use std::path::PathBuf;

/// Why something is not what it should be, named by what the caller does next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Correct this notice, or give it another version.
    #[error("the notice {file}: {reason}")]
    Notice {
        /// The file's name.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Name another folder of notices, or make it readable.
    #[error("the folder of notices {path} cannot be read: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Name a language that notices are written in.
    #[error("a language of notices is en, de, fr or es")]
    Language,
    /// Correct what is said of the controller.
    #[error("the controller's {0}")]
    Controller(&'static str),
    /// Make the record anew from the statement, the notice and the controller: this is not theirs.
    #[error("the consent record {0}")]
    Record(&'static str),
}
