//! The errors of the HTTP API, as `application/problem+json` (RFC 9457): each has a stable
//! `type`, one status and one title, named by what the caller does next.

use serde::{Deserialize, Serialize};

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:literal, $title:literal;)*) => {
        /// What went wrong, for the caller.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode {
            $($(#[$doc])* $name,)*
        }

        impl ProblemCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The last part of the `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The human-readable summary, the same on every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

problems! {
    /// The request does not have the documented form.
    MalformedRequest = "malformed-request", 400, "The request does not have the documented form";
    /// A binary upload or signed statement does not decode.
    MalformedSubmission = "malformed-submission", 400, "The uploaded ciphertext, proof or statement does not decode";
    /// The request proof is missing, wrong, stale or used before.
    Unauthenticated = "unauthenticated", 401, "The request is not authenticated by the subject's current key";
    /// An operator's credential is missing or wrong.
    OperatorOnly = "operator-only", 401, "This needs an operator's credential";
    /// A machine client's access token is missing, wrong or over.
    ClientOnly = "client-only", 401, "This needs a machine client's access token";
    /// The access token is not good for this.
    InsufficientScope = "insufficient-scope", 403, "The access token does not have the scope for this";
    /// Enrolment needs an invitation.
    InvitationRequired = "invitation-required", 403, "Enrolment needs a valid invitation or API key";
    /// No live consent for this purpose.
    ConsentRequired = "consent-required", 403, "There is no live consent for this purpose: ask for consent first";
    /// The subject restricted processing, objected to it, or asked for erasure.
    ProcessingRestricted = "processing-restricted", 403, "The subject has restricted what is done with their data: lift the restriction first";
    /// The enclave refused what was signed or evaluated.
    Refused = "refused", 403, "The signed statement does not fit what the enclave knows: start the flow again";
    /// Nothing that a credential could stand on.
    NoBasis = "no-basis", 403, "There is no live enrolment, fresh positive verdict or live consent for this credential";
    /// As many as one caller may have.
    QuotaReached = "quota-reached", 403, "This caller has as many of these as one caller may have";
    /// Nothing of that name belongs to the caller.
    NotFound = "not-found", 404, "There is nothing of that name for this caller";
    /// The method is not offered here.
    MethodNotAllowed = "method-not-allowed", 405, "This address does not take that method";
    /// Already enrolled, already used or in progress.
    Conflict = "conflict", 409, "This was done already or is being done by another request";
    /// An `Idempotency-Key` came back with another request.
    IdempotencyMismatch = "idempotency-mismatch", 409, "This idempotency key was used for a different request";
    /// The challenge or nonce is unknown, used or expired.
    ChallengeGone = "challenge-gone", 410, "The challenge is unknown, used or expired: ask for a new one";
    /// The body is larger than this endpoint takes.
    TooLarge = "too-large", 413, "The body is larger than this endpoint takes";
    /// The content type is not the documented one.
    UnsupportedMediaType = "unsupported-media-type", 415, "This endpoint takes another content type";
    /// The zero-knowledge proof does not hold for this request.
    ProofRejected = "proof-rejected", 422, "The proof does not hold for this ciphertext and request";
    /// The ciphertext was made under another key or parameter set.
    KeyRetired = "key-retired", 422, "The ciphertext is not under the current key: fetch the attestation again";
    /// The entry does not continue the log.
    LogRefused = "log-refused", 422, "The entry does not continue this DID log";
    /// The credential cannot be issued as it stands.
    CredentialRefused = "credential-refused", 422, "This credential cannot be issued";
    /// The credential or presentation does not verify.
    NotVerified = "not-verified", 422, "This does not verify";
    /// Too many failed attempts; wait.
    Throttled = "throttled", 429, "Too many failed attempts: wait as long as Retry-After says";
    /// Too many requests.
    RateLimited = "rate-limited", 429, "Too many requests: wait as long as Retry-After says";
    /// Disabled until recovered by another factor.
    Locked = "locked", 423, "Disabled after too many failed attempts: use the recovery key";
    /// Something broke here; it is logged under the request id.
    Internal = "internal", 500, "Something failed on our side; nothing was changed";
    /// Busy or starting; retry.
    Unavailable = "unavailable", 503, "The service cannot take this now: retry as Retry-After says";
    /// The disk is full.
    InsufficientStorage = "insufficient-storage", 507, "The service has no room to store this; nothing was changed";
}

impl ProblemCode {
    /// The `type` member.
    pub fn type_uri(self) -> String {
        format!("urn:blindprint:problem:{}", self.slug())
    }

    /// The code with this `type` member.
    pub fn from_type_uri(uri: &str) -> Option<Self> {
        let slug = uri.strip_prefix("urn:blindprint:problem:")?;
        Self::ALL.iter().copied().find(|code| code.slug() == slug)
    }
}

/// The body of an error response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProblemDocument {
    /// Stable URI of the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its summary.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong with this request; absent where it would be an oracle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The request's id, under which operators find it in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::ProblemCode;

    #[test]
    fn types_are_unique_and_found_again() {
        for code in ProblemCode::ALL {
            assert_eq!(ProblemCode::from_type_uri(&code.type_uri()), Some(*code));
        }
    }
}
