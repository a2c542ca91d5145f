//! CBOR (RFC 8949) in one spelling of each value: the one that is written here.

use serde::{Serialize, de::DeserializeOwned};

/// Far more levels than anything here nests, far fewer than the stack holds.
const MAX_DEPTH: usize = 32;

/// Appends `value` to `bytes`; `None` if it has no CBOR form.
pub(crate) fn encode_onto<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Option<()> {
    ciborium::into_writer(value, bytes).ok()
}

/// The value that encodes to exactly these bytes. Indefinite lengths, padded integers, members in
/// another order or left out, and bytes left over are refused.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let value: T = ciborium::de::from_reader_with_recursion_limit(bytes, MAX_DEPTH).ok()?;
    let mut again = Vec::with_capacity(bytes.len());
    encode_onto(&value, &mut again)?;
    (again == bytes).then_some(value)
}
