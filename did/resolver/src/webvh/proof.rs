//! Proofs of log entries: Data Integrity with `eddsa-jcs-2022` (W3C `EdDSA` Cryptosuites 1.0,
//! section 3.3) by keys named as did:key.

use blindprint_did::{PublicKey, SigningKey};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{LogError, hash::canonical};

/// The members of a proof. Others (such as an expiry) could change what it means.
const MEMBERS: &[&str] = &[
    "id",
    "type",
    "cryptosuite",
    "verificationMethod",
    "created",
    "proofPurpose",
    "proofValue",
];

/// A proof of `document`.
pub(super) fn sign(
    document: &Map<String, Value>,
    key: &SigningKey,
    created: &str,
) -> Result<Value, LogError> {
    let multikey = key.public().multikey();
    let mut proof = json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": format!("did:key:{multikey}#{multikey}"),
        "created": created,
        "proofPurpose": "assertionMethod",
    });
    let members = proof.as_object_mut().expect("made as an object");
    let signature = key
        .sign_hashes(&hashes(members, document)?)
        .map_err(|_| LogError::Change("update keys are Ed25519 keys"))?;
    let value = format!("z{}", bs58::encode(signature).into_string());
    members.insert("proofValue".to_owned(), value.into());
    Ok(proof)
}

/// The Multikey of the signer, if the proof is valid.
pub(super) fn signer(document: &Map<String, Value>, proof: &Value) -> Option<String> {
    let mut config = proof.as_object()?.clone();
    let is = |name: &str, value: &str| config.get(name).is_some_and(|found| found == value);
    let known = config.keys().all(|name| MEMBERS.contains(&name.as_str()));
    if !(known
        && is("type", "DataIntegrityProof")
        && is("cryptosuite", "eddsa-jcs-2022")
        && is("proofPurpose", "assertionMethod"))
    {
        return None;
    }
    let (key, fragment) = config
        .get("verificationMethod")?
        .as_str()?
        .strip_prefix("did:key:")?
        .split_once('#')?;
    if key != fragment {
        return None;
    }
    let multikey = key.to_owned();
    let signature = signature(config.remove("proofValue")?.as_str()?)?;
    let hashes = hashes(&config, document).ok()?;
    let key = PublicKey::from_multikey(&multikey).ok()?;
    key.verifies_hashes(&hashes, &signature).then_some(multikey)
}

fn signature(text: &str) -> Option<[u8; 64]> {
    // One byte more than a signature, so that a longer one is seen as such.
    let mut bytes = [0; 65];
    let length = bs58::decode(text.strip_prefix('z')?)
        .onto(&mut bytes)
        .ok()?;
    bytes[..length].try_into().ok()
}

pub(super) fn hashes(
    config: &Map<String, Value>,
    document: &Map<String, Value>,
) -> Result<[u8; 64], LogError> {
    let mut hashes = [0; 64];
    hashes[..32].copy_from_slice(&Sha256::digest(canonical(config)?));
    hashes[32..].copy_from_slice(&Sha256::digest(canonical(document)?));
    Ok(hashes)
}
