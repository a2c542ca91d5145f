//! Keys in the forms that verification methods have had over the years.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use blindprint_did::PublicKey;
use serde_json::Value;

use crate::VerificationMethod;

/// Length of an Ed25519 key in bytes.
const ED25519_LEN: usize = 32;

/// The key of a method whose type and material fit each other.
pub(super) fn key(method: &VerificationMethod) -> Option<PublicKey> {
    let text = |name: &str| method.material.get(name).and_then(Value::as_str);
    match method.kind.as_str() {
        "Multikey" | "Ed25519VerificationKey2020" | "P256Key2021" => {
            let key = PublicKey::from_multikey(text("publicKeyMultibase")?).ok()?;
            fits(&method.kind, &key).then_some(key)
        }
        "Ed25519VerificationKey2018" => {
            let bytes = match (
                text("publicKeyBase58"),
                text("publicKeyBase64"),
                text("publicKeyHex"),
            ) {
                (Some(base58), None, None) => decode_base58(base58)?,
                (None, Some(base64), None) => STANDARD.decode(base64).ok()?,
                (None, None, Some(digits)) => hex::decode(digits).ok()?,
                _ => return None,
            };
            ed25519(&bytes)
        }
        "JsonWebKey" | "JsonWebKey2020" => PublicKey::from_jwk(method.jwk()?).ok(),
        _ => None,
    }
}

fn fits(kind: &str, key: &PublicKey) -> bool {
    use blindprint_did::KeyType::{Ed25519, P256};
    match kind {
        "Ed25519VerificationKey2020" => key.key_type() == Ed25519,
        "P256Key2021" => key.key_type() == P256,
        _ => true,
    }
}

fn decode_base58(text: &str) -> Option<Vec<u8>> {
    // One byte more than the key, so that a longer one is seen as such.
    let mut bytes = [0; ED25519_LEN + 1];
    let length = bs58::decode(text).onto(&mut bytes).ok()?;
    Some(bytes[..length].to_vec())
}

fn ed25519(bytes: &[u8]) -> Option<PublicKey> {
    if bytes.len() != ED25519_LEN {
        return None;
    }
    let jwk = serde_json::json!({
        "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(bytes),
    });
    PublicKey::from_jwk(&jwk).ok()
}
