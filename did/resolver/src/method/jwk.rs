//! did:jwk (<https://github.com/quartzjer/did-jwk/blob/main/spec.md>): the document is the JWK.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{Did, Document, ResolutionError};

/// Members of private keys (RFC 7518 section 6, RFC 8037).
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The document. `use` decides what the key is for.
pub(crate) fn resolve(did: &Did) -> Result<Document, ResolutionError> {
    let json = URL_SAFE_NO_PAD
        .decode(did.method_specific_id())
        .map_err(|_| ResolutionError::InvalidDid)?;
    let jwk = blindprint_did::json::object(&json).ok_or(ResolutionError::InvalidDid)?;
    let kty = jwk.get("kty").is_some_and(Value::is_string);
    if !kty || PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
        return Err(ResolutionError::InvalidDid);
    }
    let purpose = jwk.get("use").and_then(Value::as_str).map(str::to_owned);
    let (signs, agrees) = match purpose.as_deref() {
        None => (true, true),
        Some("sig") => (true, false),
        Some("enc") => (false, true),
        Some(_) => return Err(ResolutionError::InvalidDid),
    };
    let id = format!("{did}#0");
    let mut document = json!({
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/suites/jws-2020/v1",
        ],
        "id": did,
        "verificationMethod": [{
            "id": id,
            "type": "JsonWebKey2020",
            "controller": did,
            "publicKeyJwk": jwk,
        }],
    });
    if signs {
        for name in [
            "authentication",
            "assertionMethod",
            "capabilityInvocation",
            "capabilityDelegation",
        ] {
            document[name] = json!([id]);
        }
    }
    if agrees {
        document["keyAgreement"] = json!([id]);
    }
    Document::from_value(document, did)
}

#[cfg(test)]
mod tests;
