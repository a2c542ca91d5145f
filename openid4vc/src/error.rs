use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The error codes of OAuth 2.0, DPoP, OID4VCI and OID4VP that this crate reads and writes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// As it stands in `error`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The code with this text.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

codes! {
    /// Repair the request: RFC 6749 section 5.2.
    InvalidRequest = "invalid_request",
    /// Name a client that is known, and authenticate it.
    InvalidClient = "invalid_client",
    /// Ask for another code, or for another transaction code.
    InvalidGrant = "invalid_grant",
    /// Use a client that may use this grant.
    UnauthorizedClient = "unauthorized_client",
    /// Use another grant.
    UnsupportedGrantType = "unsupported_grant_type",
    /// Ask for what may be granted.
    InvalidScope = "invalid_scope",
    /// Make another DPoP proof: RFC 9449 section 5.
    InvalidDpopProof = "invalid_dpop_proof",
    /// Make a DPoP proof with the nonce that came along: RFC 9449 section 8.
    UseDpopNonce = "use_dpop_nonce",
    /// Obtain another access token: RFC 6750 section 3.1.
    InvalidToken = "invalid_token",
    /// Obtain an access token with a wider scope.
    InsufficientScope = "insufficient_scope",
    /// The other side has failed, or answered with what cannot be used.
    ServerError = "server_error",
    /// Come again later.
    TemporarilyUnavailable = "temporarily_unavailable",

    /// Repair the credential request: OID4VCI section 8.3.1.2.
    InvalidCredentialRequest = "invalid_credential_request",
    /// Name a configuration from the metadata.
    UnknownCredentialConfiguration = "unknown_credential_configuration",
    /// Name an identifier from the token response.
    UnknownCredentialIdentifier = "unknown_credential_identifier",
    /// Make other key proofs.
    InvalidProof = "invalid_proof",
    /// Fetch another nonce and make the key proofs with it.
    InvalidNonce = "invalid_nonce",
    /// Name a key and an algorithm that the issuer can encrypt with.
    InvalidEncryptionParameters = "invalid_encryption_parameters",
    /// Give up: the credential cannot be issued.
    CredentialRequestDenied = "credential_request_denied",
    /// The deferred transaction is unknown or done.
    InvalidTransactionId = "invalid_transaction_id",
    /// The issuance that the notification is about is unknown.
    InvalidNotificationId = "invalid_notification_id",
    /// Repair the notification.
    InvalidNotificationRequest = "invalid_notification_request",

    /// The person said no, or has no such credential: OID4VP section 8.5.
    AccessDenied = "access_denied",
    /// Ask for another response type.
    UnsupportedResponseType = "unsupported_response_type",
    /// Ask for a format that the wallet can present.
    VpFormatsNotSupported = "vp_formats_not_supported",
    /// `request_uri_method` is neither `get` nor `post`.
    InvalidRequestUriMethod = "invalid_request_uri_method",
    /// Ask without transaction data.
    InvalidTransactionData = "invalid_transaction_data",
    /// The wallet cannot be reached.
    WalletUnavailable = "wallet_unavailable",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a message is refused. The code says what the sender does next; the reason is for its
/// developer. It holds nothing of what was refused, so it is safe to send and to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct Error {
    code: Code,
    reason: &'static str,
}

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `reason` keeps to the characters of RFC 6749 section 5.2: printable ASCII without quotes and
    /// backslashes.
    pub const fn new(code: Code, reason: &'static str) -> Self {
        debug_assert!(is_description(reason));
        Self { code, reason }
    }

    /// The code, as it stands in `error`.
    pub const fn code(&self) -> &'static str {
        self.code.as_str()
    }

    /// The code.
    pub const fn kind(&self) -> Code {
        self.code
    }

    /// The reason, as it may stand in `error_description`.
    pub const fn description(&self) -> &'static str {
        self.reason
    }

    /// The same reason under the code of another endpoint.
    #[must_use]
    pub const fn under(self, code: Code) -> Self {
        Self { code, ..self }
    }
}

const fn is_description(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e) {
            return false;
        }
        at += 1;
    }
    true
}

/// The body of an error answer (RFC 6749 section 5.2), as it is sent and as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A [`Code`], or one that this crate does not know.
    pub error: String,
    /// For developers. Of a stranger's making: print it with care.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_description: Option<String>,
}

impl ErrorBody {
    /// Longest body that is read, in bytes.
    pub const MAX_LEN: usize = 16 << 10;

    /// The body in `json`, if it is one.
    pub fn parse(json: &[u8]) -> Option<Self> {
        crate::json::object(json, Self::MAX_LEN).ok()
    }

    /// The code, if it is known.
    pub fn code(&self) -> Option<Code> {
        Code::from_text(&self.error)
    }
}

impl From<Error> for ErrorBody {
    fn from(error: Error) -> Self {
        Self {
            error: error.code().to_owned(),
            error_description: Some(error.reason.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_sent_and_read() {
        let error = Error::new(Code::UseDpopNonce, "make a proof with this nonce");
        let body = serde_json::to_string(&ErrorBody::from(error)).unwrap();
        assert_eq!(
            body,
            r#"{"error":"use_dpop_nonce","error_description":"make a proof with this nonce"}"#
        );
        let read = ErrorBody::parse(body.as_bytes()).unwrap();
        assert_eq!(read.code(), Some(Code::UseDpopNonce));
        let unknown =
            ErrorBody::parse(br#"{"error":"of_tomorrow","error_uri":"https://a.example"}"#);
        assert_eq!(unknown.unwrap().code(), None);
        assert_eq!(ErrorBody::parse(b"<html>"), None);
    }

    #[test]
    fn descriptions_are_of_allowed_characters() {
        assert!(is_description("it's [fine] (really)"));
        for bad in ["\"quoted\"", "back\\slash", "new\nline", "ü"] {
            assert!(!is_description(bad), "{bad}");
        }
    }
}
