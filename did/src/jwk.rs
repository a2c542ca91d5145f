use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{DidError, KeyType, PublicKey};

/// A public JSON Web Key (RFC 7517, RFC 8037). Its members stand in the order of RFC 8785, so that
/// it serializes canonically.
///
/// It has no place for a private part: a JWK with `d` does not decode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    /// The one algorithm it may be used with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alg: Option<String>,
    /// `Ed25519` or `P-256`.
    pub crv: String,
    /// A name given by its owner; of no meaning here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kid: Option<String>,
    /// `OKP` or `EC`.
    pub kty: String,
    /// `sig`, if given.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none", default)]
    pub public_key_use: Option<String>,
    /// 32 bytes in base64url: the Ed25519 key, or the point's x coordinate.
    pub x: String,
    /// The point's y coordinate, for P-256.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub y: Option<String>,
}

impl From<&PublicKey> for Jwk {
    fn from(key: &PublicKey) -> Self {
        let (x, y) = key.coordinates();
        let (kty, crv) = match key.key_type() {
            KeyType::Ed25519 => ("OKP", "Ed25519"),
            KeyType::P256 => ("EC", "P-256"),
        };
        Self {
            alg: None,
            crv: crv.to_owned(),
            kid: None,
            kty: kty.to_owned(),
            public_key_use: None,
            x: URL_SAFE_NO_PAD.encode(x),
            y: y.map(|y| URL_SAFE_NO_PAD.encode(y)),
        }
    }
}

impl TryFrom<&Jwk> for PublicKey {
    type Error = DidError;

    fn try_from(jwk: &Jwk) -> Result<Self, DidError> {
        let key = match (jwk.kty.as_str(), jwk.crv.as_str(), &jwk.y) {
            ("OKP", "Ed25519", None) => Self::ed25519(&coordinate(&jwk.x)?)?,
            ("EC", "P-256", Some(y)) => {
                // SEC1 section 2.3.3: an uncompressed point begins with 4.
                Self::p256(&[&[4][..], &coordinate(&jwk.x)?, &coordinate(y)?].concat())?
            }
            _ => return Err(DidError::Key),
        };
        let fits = |member: &Option<String>, value| member.as_deref().is_none_or(|m| m == value);
        if fits(&jwk.alg, key.key_type().alg()) && fits(&jwk.public_key_use, "sig") {
            Ok(key)
        } else {
            Err(DidError::Key)
        }
    }
}

impl PublicKey {
    /// The key in a JWK as others write them, with members that mean nothing here. A private part,
    /// another use or another algorithm than signing with this kind of key is refused.
    pub fn from_jwk(jwk: &Value) -> Result<Self, DidError> {
        let jwk = jwk.as_object().ok_or(DidError::Key)?;
        let text = |name: &str| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(DidError::Key),
        };
        let verifies = jwk.get("key_ops").is_none_or(|operations| {
            operations
                .as_array()
                .is_some_and(|operations| operations.iter().any(|name| name == "verify"))
        });
        if jwk.contains_key("d") || !verifies {
            return Err(DidError::Key);
        }
        Self::try_from(&Jwk {
            alg: text("alg")?.map(|alg| match alg.as_str() {
                "Ed25519" => KeyType::Ed25519.alg().to_owned(),
                _ => alg,
            }),
            crv: text("crv")?.ok_or(DidError::Key)?,
            kid: None,
            kty: text("kty")?.ok_or(DidError::Key)?,
            public_key_use: text("use")?,
            x: text("x")?.ok_or(DidError::Key)?,
            y: text("y")?,
        })
    }

    /// The JWK thumbprint (RFC 7638) with SHA-256, in base64url.
    ///
    /// # Panics
    /// Never: four texts always serialize.
    pub fn thumbprint(&self) -> String {
        // Nothing but the required members, in the order of RFC 7638 section 3.3.
        let json = serde_json::to_vec(&Jwk::from(self)).expect("text members always serialize");
        URL_SAFE_NO_PAD.encode(Sha256::digest(json))
    }
}

fn coordinate(text: &str) -> Result<[u8; 32], DidError> {
    if text.len() != 43 {
        return Err(DidError::Key);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| DidError::Key)?;
    bytes.try_into().map_err(|_| DidError::Key)
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;
    use serde_json::json;

    use super::*;
    use crate::SigningKey;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn rfc_8037_appendix_a_3_thumbprint() {
        let key = PublicKey::from_jwk(&json!({"kty": "OKP", "crv": "Ed25519", "x": X})).unwrap();
        assert_eq!(
            key.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn others_jwks_are_read_but_no_private_ones() {
        let read = |more: Value| {
            let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": X});
            let more = more.as_object().unwrap().clone();
            jwk.as_object_mut().unwrap().extend(more);
            PublicKey::from_jwk(&jwk)
        };
        for good in [
            json!({}),
            json!({"ext": true, "kid": 7, "alg": "Ed25519", "key_ops": ["verify"]}),
            json!({"alg": "EdDSA", "use": "sig"}),
        ] {
            assert!(read(good.clone()).is_ok(), "{good}");
        }
        for bad in [
            json!({"d": X}),
            json!({"use": "enc"}),
            json!({"alg": "ES256"}),
            json!({"alg": 1}),
            json!({"key_ops": ["sign"]}),
            json!({"key_ops": "verify"}),
            json!({"kty": "EC"}),
            json!({"y": X}),
        ] {
            assert_eq!(read(bad.clone()), Err(DidError::Key), "{bad}");
        }
    }

    #[test]
    fn both_kinds_come_back() {
        for key_type in [KeyType::Ed25519, KeyType::P256] {
            let key = SigningKey::generate(key_type, &SystemEntropy).public();
            let jwk = serde_json::to_value(Jwk::from(&key)).unwrap();
            assert_eq!(PublicKey::from_jwk(&jwk), Ok(key));
            assert_eq!(PublicKey::from_multikey(&key.multikey()), Ok(key));
        }
    }
}
