//! Status lists: one bit or few for each of many credentials, so that fetching a list does not say
//! whose status is asked for.

mod bitstring;
mod token;

use std::io::Read;

pub use bitstring::{BitstringStatusList, StatusEntry, StatusPurpose};
pub use token::{TokenStatus, TokenStatusEntry, TokenStatusList};

use crate::VerifyError;

/// The longest list that is read, compressed and encoded, in bytes.
pub const MAX_ENCODED: usize = 6 * 1024 * 1024;
/// The longest list that is read, decompressed, in bytes.
const MAX_DECODED: usize = 4 * 1024 * 1024;

/// Everything that `reader` decompresses, if that is no more than any list holds.
fn inflate(reader: impl Read) -> Result<Vec<u8>, VerifyError> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_DECODED as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| VerifyError::Malformed("the list does not decompress"))?;
    if bytes.len() > MAX_DECODED {
        return Err(VerifyError::StatusListTooLong);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
