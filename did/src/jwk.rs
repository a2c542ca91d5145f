use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

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

fn coordinate(text: &str) -> Result<[u8; 32], DidError> {
    if text.len() != 43 {
        return Err(DidError::Key);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| DidError::Key)?;
    bytes.try_into().map_err(|_| DidError::Key)
}
