//! Statements as compact JWS (RFC 7515): one form, strictly.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Digest, Jws, KeyUri, statement::Statement};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{DidError, PublicKey, SigningKey};

/// The whole protected header. `kid` is the signing key itself, written as a did:key: the
/// signature is verified first, and whose key it is decided afterwards.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: KeyUri,
}

/// A statement whose signature holds. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    statement: T,
    key: KeyUri,
    digest: Digest,
}

impl<T> Verified<T> {
    /// What was signed.
    pub const fn statement(&self) -> &T {
        &self.statement
    }

    /// The key that signed it. Compare it with the one pinned for the party before acting.
    pub const fn key(&self) -> &KeyUri {
        &self.key
    }

    /// [`jws_digest`] of the JWS that carried it.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Takes the statement out.
    pub fn into_statement(self) -> T {
        self.statement
    }

    /// This statement, if `key` signed it.
    pub fn by(self, key: &KeyUri) -> Result<Self, DidError> {
        if self.key == *key {
            Ok(self)
        } else {
            Err(DidError::Signer)
        }
    }
}

/// What other statements call the digest of a JWS: over its compact form, signature included.
/// Nobody but the signer can make another JWS of the same statement ([`PublicKey`] takes one form
/// of each signature only), so this names one act of signing.
pub fn jws_digest(jws: &Jws) -> Digest {
    Digest::of("blindprint/jws/v1", jws.as_str().as_bytes())
}

/// Signs a statement.
pub fn sign<T: Statement>(key: &SigningKey, statement: &T) -> Result<Jws, DidError> {
    let header = Header {
        alg: key.key_type().alg().to_owned(),
        typ: T::TYP.to_owned(),
        kid: key.public().uri(),
    };
    let mut text = encode(&header)?;
    text.push('.');
    text.push_str(&encode(statement)?);
    let signature = key.signature(text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    text.parse().map_err(|_| DidError::TooLong)
}

/// Verifies that `jws` is a `T`, signed by the key that it names. The caller compares that key
/// with the one it expects ([`Verified::by`]).
pub fn verify<T: Statement>(jws: &Jws) -> Result<Verified<T>, DidError> {
    let (signed, signature) = jws.as_str().rsplit_once('.').ok_or(DidError::Header)?;
    let (header, payload) = signed.split_once('.').ok_or(DidError::Header)?;
    let header: Header = decode(header).ok_or(DidError::Header)?;
    if header.typ != T::TYP {
        return Err(DidError::Type);
    }
    let key = PublicKey::try_from(&header.kid)?;
    if header.alg != key.key_type().alg() {
        return Err(DidError::Header);
    }
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(DidError::Signature)?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(DidError::Signature);
    }
    let statement = decode(payload).ok_or(DidError::Payload)?;
    Ok(Verified {
        statement,
        key: header.kid,
        digest: jws_digest(jws),
    })
}

fn encode<T: Serialize>(value: &T) -> Result<String, DidError> {
    let json = serde_json::to_vec(value).map_err(|_| DidError::Payload)?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// One JSON object in canonical base64url; its length is bounded by [`Jws::MAX_LEN`]. serde
/// refuses duplicate members, and would take an array for a struct were it not for the brace.
fn decode<T: DeserializeOwned>(text: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(text).ok()?;
    if json.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests;
