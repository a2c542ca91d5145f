use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::Invalid;

/// A domain-separated SHA-256 digest: `SHA-256(len(label) ‖ label ‖ message)`, with a one-byte length.
///
/// Text form: base64url without padding, 43 characters. Comparison takes constant time.
#[derive(Clone, Copy, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `message` under `label`.
    ///
    /// # Panics
    /// If `label` is longer than 255 bytes; labels are constants.
    pub fn of(label: &str, message: &[u8]) -> Self {
        Self::of_parts(label, &[message])
    }

    /// The digest of the concatenation of `parts` under `label`. The caller keeps parts apart
    /// (fixed lengths or length prefixes).
    ///
    /// # Panics
    /// If `label` is longer than 255 bytes; labels are constants.
    pub fn of_parts(label: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        hash.update([u8::try_from(label.len()).expect("labels are short constants")]);
        hash.update(label);
        for part in parts {
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// A digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::hash::Hash for Digest {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        decode_32(text).map(Self).ok_or(Invalid::new(
            "digest",
            "32 bytes in base64url without padding",
        ))
    }
}

/// Decodes exactly 32 bytes of unpadded base64url.
pub(crate) fn decode_32(text: &str) -> Option<[u8; 32]> {
    if text.len() != 43 {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use utoipa::{PartialSchema, ToSchema, openapi::schema};

    impl PartialSchema for super::Digest {
        fn schema() -> utoipa::openapi::RefOr<schema::Schema> {
            crate::id::base64url_schema("A SHA-256 digest, 32 bytes in base64url without padding")
        }
    }

    impl ToSchema for super::Digest {}
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn labels_separate_domains() {
        assert_ne!(Digest::of("a", b"bc"), Digest::of("ab", b"c"));
    }

    #[test]
    fn text_form_round_trips_and_refuses_what_is_not_canonical() {
        let digest = Digest::of("test", b"message");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for bad in [
            "",
            "AAAA",
            &format!("{digest}="),
            &"/".repeat(43),
            &"é".repeat(22),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
