use crate::Error;

/// Why a request in OAuth or `OpenID4VC` is not granted.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// By the protocol's own rules, in its own words.
    #[error(transparent)]
    Protocol(#[from] blindprint_openid4vc::Error),
    /// For a reason that any request may be denied for.
    #[error(transparent)]
    Service(#[from] Error),
}
