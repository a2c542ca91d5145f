/// Why a fetch brought nothing. Safe to log and to show: it holds nothing that the other side sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// Do not retry: the URL, or where it leads, is not one that may be fetched. If it is a service
    /// of the operator's own, the operator allows it in the configuration.
    #[error("not fetched: {0}")]
    Refused(&'static str),
    /// Do not retry: the other side leads from one redirect to the next, or redirects a POST.
    #[error("too many redirects")]
    Redirects,
    /// Do not retry: the answer is longer than the limit.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Do not retry: the answer is compressed although that was not asked for, or not HTTP.
    #[error("the answer cannot be read")]
    Unreadable,
    /// Retry later: no answer within the time.
    #[error("no answer in time")]
    Timeout,
    /// Retry later: no address, no connection, or no trusted certificate.
    #[error("no connection to the server")]
    Unreachable,
    /// The server answered with another status than success. 4xx: do not retry.
    #[error("the server answered {0}")]
    Status(u16),
    /// Correct the configuration.
    #[error("egress configuration: {0}")]
    Config(&'static str),
}
