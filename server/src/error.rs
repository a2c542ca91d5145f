use blindprint_core::problem::ProblemCode;

/// Why something was not done, by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller asked for what cannot be; nothing was changed.
    #[error("{}", .0.title())]
    Refused(ProblemCode),
    /// As [`Error::Refused`], with a remark that is safe to show to the caller.
    #[error("{}: {detail}", .code.title())]
    Because {
        /// The kind of refusal.
        code: ProblemCode,
        /// What was wrong with this request. Never personal data, never internals.
        detail: String,
    },
    /// The caller may repeat the same request after a while.
    #[error("{}: in {seconds} s", .code.title())]
    RetryAfter {
        /// `Throttled`, `RateLimited`, `Conflict` or `Unavailable`.
        code: ProblemCode,
        /// How long to wait.
        seconds: u32,
    },
    /// There is no room on the disk; nothing was changed.
    #[error("no room left to store this")]
    Full,
    /// The configuration or the surroundings do not allow to start; the operator changes them.
    #[error("{0}")]
    Setup(String),
    /// Something failed here. Callers see a constant text, operators the log.
    #[error("{doing} failed")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What most functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal with a remark for the caller.
    pub fn because(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self::Because {
            code,
            detail: detail.into(),
        }
    }

    /// The enclave or a matcher cannot take this now.
    pub const fn unavailable(seconds: u32) -> Self {
        Self::RetryAfter {
            code: ProblemCode::Unavailable,
            seconds,
        }
    }

    /// A failure of our own, named by what was being done.
    pub fn broken(
        doing: &'static str,
    ) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |source| Self::Broken { doing, source }
    }

    /// The kind of problem that the caller sees.
    pub const fn code(&self) -> ProblemCode {
        match self {
            Self::Refused(code) | Self::Because { code, .. } | Self::RetryAfter { code, .. } => {
                *code
            }
            Self::Full => ProblemCode::InsufficientStorage,
            Self::Setup(_) | Self::Broken { .. } => ProblemCode::Internal,
        }
    }
}

/// An I/O failure while `doing`; a full disk is told apart.
pub(crate) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |source| match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::Full,
        _ => Error::Broken {
            doing,
            source: Box::new(source),
        },
    }
}
