//! Hashes of log entries: base58btc(multihash(SHA-256(JCS(entry)))).

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::webvh::LogError;

/// Stands for the SCID where it is not known yet.
pub(super) const PLACEHOLDER: &str = "{SCID}";

/// Multihash code of SHA-256, and its length in bytes.
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// The hash of bytes, as the log writes it.
pub(super) fn multihash(bytes: &[u8]) -> String {
    let mut hash = SHA2_256.to_vec();
    hash.extend(Sha256::digest(bytes));
    bs58::encode(hash).into_string()
}

/// The canonical form (RFC 8785).
pub(super) fn canonical(object: &Map<String, Value>) -> Result<Vec<u8>, LogError> {
    serde_json_canonicalizer::to_vec(object).map_err(|_| LogError::Form("it has no canonical form"))
}

/// The hash of an entry without its proof, in which `predecessor` stands for its version.
pub(super) fn entry_hash(
    entry: &Map<String, Value>,
    predecessor: &str,
) -> Result<String, LogError> {
    let mut entry = entry.clone();
    entry.insert("versionId".to_owned(), predecessor.into());
    Ok(multihash(&canonical(&entry)?))
}

/// The SCID of a first entry: the hash of the entry with the placeholder wherever the SCID stands.
pub(super) fn scid(entry: &Map<String, Value>, scid: &str) -> Result<String, LogError> {
    let mut entry = entry.clone();
    entry.insert("versionId".to_owned(), PLACEHOLDER.into());
    let mut entry = Value::Object(entry);
    replace(&mut entry, scid, PLACEHOLDER);
    match entry {
        Value::Object(entry) => Ok(multihash(&canonical(&entry)?)),
        _ => unreachable!("replacing text does not change the kind of a value"),
    }
}

/// Replaces text in every string and member name.
pub(super) fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) => {
            if text.contains(from) {
                *text = text.replace(from, to);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, from, to)),
        Value::Object(members) => {
            let replaced = std::mem::take(members).into_iter().map(|(name, mut item)| {
                replace(&mut item, from, to);
                (name.replace(from, to), item)
            });
            *members = replaced.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
