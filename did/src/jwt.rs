//! JSON Web Tokens (RFC 7519) as compact JWS: the form of credentials, key proofs and request
//! objects.
//!
//! Nothing signed here can pass for a [`Statement`](blindprint_core::statement::Statement): their
//! types are refused, so a caller who chooses header and claims gains no consent and no probe.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{DidError, PublicKey, SigningKey};

/// What the types of statements begin with.
const STATEMENTS: &str = "blindprint-";

/// Signs `claims` under `header`; `alg` is set to the key's own. The header must have a `typ`
/// (RFC 8725 section 3.11).
pub fn sign(
    key: &SigningKey,
    mut header: Map<String, Value>,
    claims: &impl Serialize,
) -> Result<String, DidError> {
    match header.get("typ").and_then(Value::as_str) {
        Some(typ) if !typ.to_ascii_lowercase().contains(STATEMENTS) => {}
        _ => return Err(DidError::Type),
    }
    header.insert("alg".to_owned(), key.key_type().alg().into());
    let part = |value: Result<Vec<u8>, serde_json::Error>| {
        value
            .map(|json| URL_SAFE_NO_PAD.encode(json))
            .map_err(|_| DidError::Payload)
    };
    let header = part(serde_json::to_vec(&header))?;
    let claims = part(serde_json::to_vec(claims))?;
    let mut token = format!("{header}.{claims}");
    let signature = key.signature(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// A token that parses, and of which nothing else is known.
#[derive(Debug, Clone)]
pub struct UnverifiedJwt {
    signed: String,
    signature: [u8; 64],
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

/// A token signed by the key that it was verified with. Who that key speaks for, and whether the
/// claims are fresh and meant for the reader, is the caller's to decide.
#[derive(Debug, Clone)]
pub struct VerifiedJwt {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl UnverifiedJwt {
    /// Parses a token of at most `longest` bytes.
    pub fn parse(token: &str, longest: usize) -> Result<Self, DidError> {
        if token.len() > longest {
            return Err(DidError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(DidError::Header)?;
        let (header, claims) = signed.split_once('.').ok_or(DidError::Header)?;
        let header: Map<String, Value> = decode(header).ok_or(DidError::Header)?;
        // No extension is understood here, so a critical one must be refused (RFC 7515 section
        // 4.1.11), and an unencoded payload (RFC 7797) with it.
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(DidError::Header);
        }
        Ok(Self {
            header,
            claims: decode(claims).ok_or(DidError::Payload)?,
            signature: URL_SAFE_NO_PAD
                .decode(signature)
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(DidError::Signature)?,
            signed: signed.to_owned(),
        })
    }

    /// The protected header.
    pub const fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The key that the token says it is signed with.
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// The claims, by which the key to verify with may be chosen.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The same token, if `key` signed it and its type is one of `types`, given without
    /// `application/` and in lower case.
    pub fn verify(self, key: &PublicKey, types: &[&str]) -> Result<VerifiedJwt, DidError> {
        let text = |name| self.header.get(name).and_then(Value::as_str);
        let typ = text("typ").ok_or(DidError::Type)?.to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        if !types.contains(&typ) {
            return Err(DidError::Type);
        }
        if !text("alg").is_some_and(|alg| key.key_type().answers_to(alg)) {
            return Err(DidError::Header);
        }
        if !key.verifies_either(self.signed.as_bytes(), &self.signature) {
            return Err(DidError::Signature);
        }
        Ok(VerifiedJwt {
            header: self.header,
            claims: self.claims,
        })
    }
}

impl VerifiedJwt {
    /// The protected header.
    pub const fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// What was signed.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Takes the claims out.
    pub fn into_claims(self) -> Map<String, Value> {
        self.claims
    }
}

/// One JSON object in canonical base64url. Of two members of one name the signer and some reader
/// could mean different ones, so that is refused.
fn decode(text: &str) -> Option<Map<String, Value>> {
    let json = URL_SAFE_NO_PAD.decode(text).ok()?;
    crate::json::object(&json)
}

#[cfg(test)]
mod tests;
