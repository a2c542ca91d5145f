use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::Entropy;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{ALG, MAX_KID, decode};
use crate::{Code, Error, Result};

/// A set of public keys (RFC 7517 section 5). Those of other kinds are passed over.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Jwks {
    /// In the order of their owner's preference.
    pub keys: Vec<Value>,
}

impl Jwks {
    /// Most keys that are looked at.
    const MAX_KEYS: usize = 32;

    /// The first key that can be encrypted to.
    pub fn recipient(&self) -> Option<RecipientKey> {
        self.keys
            .iter()
            .take(Self::MAX_KEYS)
            .find_map(|jwk| RecipientKey::from_jwk(jwk).ok())
    }
}

impl From<&RecipientKey> for Jwks {
    fn from(key: &RecipientKey) -> Self {
        Self {
            keys: vec![key.to_jwk()],
        }
    }
}

/// A public key that is encrypted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientKey {
    pub(super) point: p256::PublicKey,
    pub(super) kid: Option<String>,
}

impl RecipientKey {
    /// The key in a JWK: P-256, not for signing, for no other algorithm than [`ALG`], and without
    /// its private part.
    pub fn from_jwk(jwk: &Value) -> Result<Self> {
        let unfit = || {
            Error::new(
                Code::InvalidEncryptionParameters,
                "the encryption key is not a public P-256 JWK for ECDH-ES",
            )
        };
        let jwk = jwk.as_object().ok_or_else(unfit)?;
        let is = |name: &str, value: &str| jwk.get(name).is_some_and(|member| member == value);
        let may_be = |name: &str, value: &str| jwk.get(name).is_none_or(|member| member == value);
        let derives = jwk.get("key_ops").is_none_or(|operations| {
            operations.as_array().is_some_and(|operations| {
                operations
                    .iter()
                    .any(|name| name == "deriveKey" || name == "deriveBits")
            })
        });
        if !is("kty", "EC")
            || !is("crv", "P-256")
            || !may_be("use", "enc")
            || !may_be("alg", ALG)
            || !derives
            || jwk.contains_key("d")
        {
            return Err(unfit());
        }
        let kid = match jwk.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= MAX_KID => Some(kid.clone()),
            Some(_) => return Err(unfit()),
        };
        let point = point(jwk).ok_or_else(unfit)?;
        Ok(Self { point, kid })
    }

    /// The whole JWK, with `use`, `alg` and the key's name.
    pub fn to_jwk(&self) -> Value {
        let mut jwk = coordinates(&self.point);
        jwk.insert("use".to_owned(), "enc".into());
        jwk.insert("alg".to_owned(), ALG.into());
        if let Some(kid) = &self.kid {
            jwk.insert("kid".to_owned(), kid.as_str().into());
        }
        Value::Object(jwk)
    }

    /// The key's name.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The JWK thumbprint (RFC 7638) with SHA-256, in base64url.
    pub fn thumbprint(&self) -> String {
        // The required members alone, in the order of RFC 7638 section 3.3: serde_json sorts them.
        let json = Value::Object(coordinates(&self.point)).to_string();
        URL_SAFE_NO_PAD.encode(Sha256::digest(json))
    }
}

/// A private key. It cannot be printed or copied, and is wiped when dropped.
pub struct DecryptionKey {
    pub(super) secret: Box<p256::SecretKey>,
    kid: Option<String>,
}

impl DecryptionKey {
    /// A fresh key, without a name.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        loop {
            let secret = SecretBox::init_with_mut(|bytes: &mut [u8; 32]| entropy.fill(bytes));
            // Fails with probability 2^-32, for a scalar beyond the group's order.
            if let Ok(key) = Self::from_secret(&secret) {
                return key;
            }
        }
    }

    /// The key with this big-endian scalar.
    pub fn from_secret(secret: &SecretBox<[u8; 32]>) -> Result<Self> {
        let secret = p256::SecretKey::from_slice(secret.expose_secret())
            .map_err(|_| Error::new(Code::ServerError, "not a P-256 scalar"))?;
        Ok(Self {
            secret: Box::new(secret),
            kid: None,
        })
    }

    /// The scalar, for whoever stores the key.
    pub fn to_secret(&self) -> SecretBox<[u8; 32]> {
        SecretBox::init_with(|| self.secret.to_bytes().into())
    }

    /// The same key under a name.
    #[must_use]
    pub fn named(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// The other half, under the same name.
    pub fn public(&self) -> RecipientKey {
        RecipientKey {
            point: self.secret.public_key(),
            kid: self.kid.clone(),
        }
    }
}

/// `kty`, `crv`, `x` and `y`.
pub(super) fn coordinates(point: &p256::PublicKey) -> Map<String, Value> {
    let sec1 = point.to_sec1_point(false);
    let (x, y) = sec1.as_bytes()[1..].split_at(32);
    [
        ("kty", "EC".into()),
        ("crv", "P-256".into()),
        ("x", URL_SAFE_NO_PAD.encode(x).into()),
        ("y", URL_SAFE_NO_PAD.encode(y).into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Nothing, if it is not on the curve.
pub(super) fn point(jwk: &Map<String, Value>) -> Option<p256::PublicKey> {
    // SEC1 section 2.3.3: an uncompressed point begins with 4.
    let mut sec1 = vec![4];
    for name in ["x", "y"] {
        sec1.extend(decode(jwk.get(name)?.as_str()?).filter(|bytes| bytes.len() == 32)?);
    }
    p256::PublicKey::from_sec1_bytes(&sec1).ok()
}
