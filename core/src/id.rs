//! Typed identifiers. Each parses from text, refuses what does not fit before it copies, and
//! prints as the same text.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{Entropy, Invalid, digest::decode_32};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, max $max:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Longest accepted text, in bytes.
            pub const MAX_LEN: usize = $max;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let valid: fn(&str) -> bool = $valid;
                if text.is_empty() || text.len() > Self::MAX_LEN || !valid(text) {
                    return Err(Invalid::new($what, $rule));
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

fn printable(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
}

fn did(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    parts.next() == Some("did")
        && parts.next().is_some_and(|method| {
            !method.is_empty()
                && method
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
        && parts.next().is_some_and(|id| {
            !id.is_empty()
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b".-_:%".contains(&b))
        })
}

/// A scheme and a host, perhaps a port, and nothing else (RFC 6454 section 6.2).
fn origin(text: &str) -> bool {
    let authority = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    authority.is_some_and(|authority| {
        !authority.is_empty()
            && authority
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase() && !b"/?#@\\".contains(&b))
    })
}

text_id! {
    /// The DID under which a wallet enrols (W3C DID Core section 3.1, without path, query or
    /// fragment). It stays when the subject's key is rotated.
    SubjectId, "subject", max 512, "a DID without path, query or fragment, at most 512 bytes", did
}
text_id! {
    /// A public key written as a did:key DID. What signs is always named by its key, so that no
    /// resolution stands between a signature and its verification.
    KeyUri, "key", max 128, "a did:key, at most 128 bytes", |t| t.starts_with("did:key:z") && did(t)
}
text_id! {
    /// The service that a statement is addressed to: its public base URL's origin.
    ServiceId, "service", max 256, "an http or https origin in lower case, at most 256 bytes", origin
}
text_id! {
    /// The relying party that a verdict is for: an origin, DID or client id.
    Audience, "audience", max 256, "1 to 256 printable ASCII characters", printable
}
text_id! {
    /// A compact JWS (RFC 7515 section 3.1), not yet verified.
    Jws, "jws", max 16384, "three base64url parts joined by dots, at most 16384 bytes",
    |t| t.bytes().filter(|b| *b == b'.').count() == 2
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// The UUID in the one spelling that it prints in: RFC 9562 section 4, in lower case.
fn canonical_uuid(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    let mut buffer = Uuid::encode_buffer();
    (*uuid.hyphenated().encode_lower(&mut buffer) == *text).then_some(uuid)
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A random one.
            pub fn random(entropy: &dyn Entropy) -> Self {
                Self(entropy.uuid())
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                canonical_uuid(text).map(Self).ok_or(Invalid::new(
                    $what,
                    "a UUID of 36 characters in lower case",
                ))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    // 16 bytes, of which there is one spelling.
                    Uuid::deserialize(deserializer).map(Self)
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// One enrolled template: chosen by the wallet, used once.
    EnrolmentId, "enrolment"
}
uuid_id! {
    /// One consent record: chosen by the wallet, used once.
    ConsentId, "consent"
}
uuid_id! {
    /// One invitation to enrol, given out by an operator.
    InvitationId, "invitation"
}

uuid_id! {
    /// One request about a subject's rights: chosen by who opens it, used once.
    RightsRequestId, "rights request"
}

/// 32 unpredictable bytes that make a statement or challenge unique. Text form as for [`crate::Digest`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce([u8; 32]);

impl Nonce {
    /// A fresh nonce.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// A nonce that was drawn elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({self})")
    }
}

impl FromStr for Nonce {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        decode_32(text).map(Self).ok_or(Invalid::new(
            "nonce",
            "32 bytes in base64url without padding",
        ))
    }
}

impl Serialize for Nonce {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Nonce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
pub(crate) fn base64url_schema(
    description: &str,
) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .min_length(Some(43))
        .max_length(Some(43))
        .pattern(Some("^[A-Za-z0-9_-]{43}$"))
        .description(Some(description))
        .into()
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Nonce {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        base64url_schema("32 unpredictable bytes in base64url without padding")
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Nonce {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_plain_dids() {
        assert!("did:key:z6Mk".parse::<SubjectId>().is_ok());
        assert!(
            "did:web:example.org%3A8443:alice"
                .parse::<SubjectId>()
                .is_ok()
        );
        for bad in [
            "",
            "did:",
            "did:key:",
            "key:z6",
            "did:KEY:z",
            "did:key:a#b",
            "did:key:a/b",
            "did:key:a?b",
            "did:key:a\n",
        ] {
            assert!(bad.parse::<SubjectId>().is_err(), "{bad}");
        }
        assert!(
            format!("did:key:{}", "z".repeat(512))
                .parse::<SubjectId>()
                .is_err()
        );
    }

    #[test]
    fn a_uuid_has_one_spelling() {
        const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        let id: EnrolmentId = ID.parse().unwrap();
        assert_eq!(id.to_string(), ID);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("{ID:?}"));
        assert_eq!(
            serde_json::from_str::<EnrolmentId>(&format!("{ID:?}")).unwrap(),
            id
        );
        for other in [
            ID.to_uppercase(),
            id.0.simple().to_string(),
            id.0.urn().to_string(),
            id.0.braced().to_string(),
        ] {
            assert!(other.parse::<EnrolmentId>().is_err(), "{other}");
            assert!(serde_json::from_str::<EnrolmentId>(&format!("{other:?}")).is_err());
        }
    }

    #[test]
    fn a_service_is_an_origin() {
        for good in [
            "https://example.org",
            "http://localhost:8080",
            "https://[::1]:8443",
        ] {
            assert!(good.parse::<ServiceId>().is_ok(), "{good}");
        }
        for bad in [
            "https://",
            "https://example.org/",
            "https://example.org/path",
            "https://example.org?query",
            "https://example.org#fragment",
            "https://somebody@example.org",
            "https://Example.org",
            "ftp://example.org",
        ] {
            assert!(bad.parse::<ServiceId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_jws_has_three_parts() {
        assert!("a.b.c".parse::<Jws>().is_ok());
        for bad in ["a.b", "a.b.c.d", "a.b.c=", "a.b c.d"] {
            assert!(bad.parse::<Jws>().is_err(), "{bad}");
        }
    }
}
