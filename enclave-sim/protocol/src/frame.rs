//! Frames on a byte stream: a length of four bytes, big endian, then that many bytes of CBOR.

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::cbor;

/// Largest request to the enclave or a matcher, in bytes. Holds two ciphertexts and their statements.
pub const MAX_REQUEST: usize = 192 * 1024;
/// Largest response, in bytes. Holds one chunk of public material.
pub const MAX_RESPONSE: usize = crate::message::MATERIAL_CHUNK + 4096;

/// A frame that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than the limit; refused before anything is allocated.
    #[error("the frame is longer than its limit")]
    TooLong,
    /// Not one CBOR value of the expected type, in the one spelling that [`encode`] gives it.
    #[error("the frame does not decode")]
    Malformed,
}

/// The length prefix and CBOR of `message`. Wiped when dropped, because it may hold a key.
pub fn encode<T: Serialize>(message: &T, limit: usize) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let mut frame = cbor::encode(&[0; 4], message).ok_or(FrameError::Malformed)?;
    let length = frame.len() - 4;
    if length > limit {
        return Err(FrameError::TooLong);
    }
    let length = u32::try_from(length).map_err(|_| FrameError::TooLong)?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

/// The length that `prefix` announces, if it is within `limit`.
pub fn length(prefix: [u8; 4], limit: usize) -> Result<usize, FrameError> {
    let length = usize::try_from(u32::from_be_bytes(prefix)).map_err(|_| FrameError::TooLong)?;
    if length > limit {
        Err(FrameError::TooLong)
    } else {
        Ok(length)
    }
}

/// The message in the body of a frame.
pub fn decode<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    cbor::decode(body).ok_or(FrameError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{EnclaveRequest, MatcherRequest};

    #[test]
    fn a_message_has_one_spelling() {
        let health = encode(&EnclaveRequest::Health, MAX_REQUEST)
            .unwrap()
            .split_off(4);
        assert_eq!(health, b"\x66health");
        assert_eq!(decode(&health), Ok(EnclaveRequest::Health));
        let others: [&[u8]; 5] = [
            b"\xa1\x66health\xf6", // a map from the variant to null
            b"\x78\x06health",     // a padded length
            b"\x7f\x66health\xff", // an indefinite length
            b"\x46health",         // bytes instead of text
            b"\x66health\x00",     // something left over
        ];
        for other in others {
            assert_eq!(
                decode::<EnclaveRequest>(other),
                Err(FrameError::Malformed),
                "{other:x?}"
            );
            assert!(decode::<MatcherRequest>(other).is_err(), "{other:x?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert_eq!(
            decode::<EnclaveRequest>(&[0x81; 10_000]),
            Err(FrameError::Malformed)
        );
    }
}
