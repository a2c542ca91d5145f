//! CBOR (RFC 8949) in one spelling of each value: the one that is written here. Some values hold
//! keys, so that nothing that passes through here leaves a copy behind.

use std::io;

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// Where texts and byte strings pass through on their way out of the bytes.
const SCRATCH: usize = 4096;

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `prefix` and `value`; `None` if it has no CBOR form. The buffer is as long as they are from the
/// beginning: one that grows would leave its former self behind.
pub(crate) fn encode<T: Serialize>(prefix: &[u8], value: &T) -> Option<Zeroizing<Vec<u8>>> {
    let mut length = Length(prefix.len());
    ciborium::into_writer(value, &mut length).ok()?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    bytes.extend_from_slice(prefix);
    ciborium::into_writer(value, &mut *bytes).ok()?;
    Some(bytes)
}

/// Appends `value`, which is public, to `bytes`; `None` if it has no CBOR form.
pub(crate) fn encode_onto<T: Serialize>(value: &T, bytes: &mut Vec<u8>) -> Option<()> {
    ciborium::into_writer(value, bytes).ok()
}

/// The value that encodes to exactly these bytes. Indefinite lengths, padded integers, members in
/// another order or left out, bytes left over, and more than 256 levels are refused.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let mut scratch = Zeroizing::new([0; SCRATCH]);
    let value: T = ciborium::de::from_reader_with_buffer(bytes, scratch.as_mut_slice()).ok()?;
    let again = encode(&[], &value)?;
    (*again == bytes).then_some(value)
}
