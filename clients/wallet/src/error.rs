use std::path::{Path, PathBuf};

use blindprint_core::problem::ProblemCode;

/// Why the wallet could not do what was asked, named by what the caller does next.
///
/// No message holds a secret, an embedding or a code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Ask for the passphrase again.
    #[error("the passphrase does not open this wallet")]
    WrongPassphrase,
    /// Restore the wallet from an export: its file is damaged or not a wallet.
    #[error("the wallet file {path} is damaged: {reason}; restore it with import-keys")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Give another path or free the disk.
    #[error("cannot use {path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Wait until the other process is done with this wallet.
    #[error("another process is using the wallet {0}: wait until it ends")]
    InUse(PathBuf),
    /// Use the wallet that is there, or another path: nothing is overwritten.
    #[error("there is already a file at {0}, and it is not overwritten")]
    AlreadyThere(PathBuf),
    /// Correct what was given.
    #[error("{0}")]
    Invalid(String),
    /// Capture again, or correct the capture's file.
    #[error("the capture cannot be used: {0}")]
    Capture(#[from] blindprint_face::Error),
    /// Enrol first: the wallet has nothing to compare with.
    #[error("this wallet has no enrolment for {0}: enrol first")]
    NotEnrolled(String),
    /// Give consent first, or again.
    #[error("there is no live consent for this purpose: give consent first")]
    NoConsent,
    /// Ask the operator for an invitation.
    #[error("the service asks for a valid invitation: get one from its operator")]
    InvitationNeeded,
    /// Check the address and the network, then try again.
    #[error("the service cannot be reached: {0}")]
    Unreachable(String),
    /// Do the same again after waiting.
    #[error("the service is busy or limits its callers: try again in {retry_after} s")]
    Busy {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// Wait, then authenticate again: too many attempts failed.
    #[error("too many failed attempts: wait {retry_after} s before the next")]
    Throttled {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// Recover with the recovery key.
    #[error(
        "the subject is locked after too many failed attempts: `recover` with the recovery key"
    )]
    Locked,
    /// Start the whole flow again; what was signed is no longer of use.
    #[error("the service refused ({}): {detail}", code.slug())]
    Refused {
        /// The stable code.
        code: ProblemCode,
        /// Its title and what the service adds.
        detail: String,
    },
    /// Do not send anything to this service: it does not prove what it is.
    #[error("the service is not trusted: {0}")]
    Untrusted(String),
    /// Do not believe this answer: it contradicts its signature or the request.
    #[error("the service's answer is not believed: {0}")]
    Unbelievable(&'static str),
    /// Tell the operator: the service failed or does not keep to its API.
    #[error("the service failed: {0}")]
    ServiceFailed(String),
    /// Keep the wallet's file and tell others: what the service's log says now contradicts what it has
    /// signed or what it owes.
    #[error("the service's transparency log is not to be believed: {0}")]
    LogRefuted(String),
    /// Read what the issuer or verifier says, and begin anew with another offer or request.
    #[error("{who} refused ({code}): {detail}")]
    Declined {
        /// Who, by its host.
        who: String,
        /// The code of its protocol, or the HTTP status.
        code: String,
        /// What it adds.
        detail: String,
    },
    /// Leave this offer, request or credential alone: it is not what it should be.
    #[error("{0}")]
    Unusable(String),
    /// Receive a credential first: none answers, or everybody may have seen each copy.
    #[error(
        "no credential in this wallet answers the request with a copy that nobody has seen: receive one first"
    )]
    NoCredential,
    /// Report it: encryption or proof failed in this wallet.
    #[error("the wallet could not encrypt: {0}")]
    Encryption(String),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            source,
        }
    }

    /// A stable name for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::WrongPassphrase => "wrong-passphrase",
            Self::Damaged { .. } => "damaged",
            Self::File { .. } => "file",
            Self::InUse(_) => "in-use",
            Self::AlreadyThere(_) => "already-there",
            Self::Invalid(_) => "invalid",
            Self::Capture(_) => "capture",
            Self::NotEnrolled(_) => "not-enrolled",
            Self::NoConsent => "no-consent",
            Self::InvitationNeeded => "invitation-needed",
            Self::Unreachable(_) => "unreachable",
            Self::Busy { .. } => "busy",
            Self::Throttled { .. } => "throttled",
            Self::Locked => "locked",
            Self::Refused { code, .. } => code.slug(),
            Self::Untrusted(_) => "untrusted",
            Self::Unbelievable(_) => "unbelievable",
            Self::ServiceFailed(_) => "service-failed",
            Self::LogRefuted(_) => "log-refuted",
            Self::Declined { .. } => "declined",
            Self::Unusable(_) => "unusable",
            Self::NoCredential => "no-credential",
            Self::Encryption(_) => "encryption",
        }
    }

    /// Whether the service answered with this code.
    pub fn is(&self, wanted: ProblemCode) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == wanted)
    }
}

impl From<blindprint_core::Invalid> for Error {
    fn from(invalid: blindprint_core::Invalid) -> Self {
        Self::Invalid(invalid.to_string())
    }
}
