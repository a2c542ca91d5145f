//! did:key (<https://w3c-ccg.github.io/did-key-spec/>): the document is the key.

use blindprint_did::PublicKey;
use serde_json::json;

use super::ethr::secp256k1;
use crate::{Did, Document, ResolutionError};

/// Longest key in bytes, its codec included: BLS12-381 G2.
const MAX_KEY: usize = 98;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Sign,
    Agree,
}

/// The document. Keys that sign are for everything but key agreement; no agreement key is derived
/// from them.
pub(crate) fn resolve(did: &Did) -> Result<Document, ResolutionError> {
    let multikey = did.method_specific_id();
    let purpose = purpose(multikey).ok_or(ResolutionError::InvalidDid)?;
    let id = format!("{did}#{multikey}");
    let mut document = json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [{
            "id": id,
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": multikey,
        }],
    });
    let uses: &[&str] = match purpose {
        Use::Sign => &[
            "authentication",
            "assertionMethod",
            "capabilityInvocation",
            "capabilityDelegation",
        ],
        Use::Agree => &["keyAgreement"],
    };
    for name in uses {
        document[name] = json!([id]);
    }
    Document::from_value(document, did)
}

/// What a Multikey is for, if it is one of the kinds of the specification and well formed.
fn purpose(multikey: &str) -> Option<Use> {
    let encoded = multikey.strip_prefix('z')?;
    let mut bytes = [0; MAX_KEY + 1];
    let length = bs58::decode(encoded).onto(&mut bytes).ok()?;
    let (codec, key) = bytes[..length].split_first_chunk()?;
    // Multicodec codes as unsigned varints.
    let (purpose, valid) = match codec {
        // ed25519-pub, p256-pub
        [0xed, 0x01] | [0x80, 0x24] => (Use::Sign, PublicKey::from_multikey(multikey).is_ok()),
        // secp256k1-pub
        [0xe7, 0x01] => (Use::Sign, secp256k1(key).is_some()),
        // x25519-pub
        [0xec, 0x01] => (Use::Agree, key.len() == 32),
        // bls12_381-g2-pub, p384-pub, p521-pub
        [0xeb, 0x01] => (Use::Sign, key.len() == 96),
        [0x81, 0x24] => (Use::Sign, key.len() == 49),
        [0x82, 0x24] => (Use::Sign, key.len() == 67),
        _ => return None,
    };
    valid.then_some(purpose)
}

#[cfg(test)]
mod tests;
