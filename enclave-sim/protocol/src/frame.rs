//! Frames on a byte stream: a length of four bytes, big endian, then that many bytes of CBOR.

use serde::{Serialize, de::DeserializeOwned};

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
    /// Not one CBOR value of the expected type, or followed by something else.
    #[error("the frame does not decode")]
    Malformed,
}

/// The length prefix and CBOR of `message`.
pub fn encode<T: Serialize>(message: &T, limit: usize) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; 4];
    ciborium::into_writer(message, &mut frame).map_err(|_| FrameError::Malformed)?;
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
pub fn decode<T: DeserializeOwned>(mut body: &[u8]) -> Result<T, FrameError> {
    // 32 levels are far more than any message nests, far fewer than the stack holds.
    let message = ciborium::de::from_reader_with_recursion_limit(&mut body, 32)
        .map_err(|_| FrameError::Malformed)?;
    if body.is_empty() {
        Ok(message)
    } else {
        Err(FrameError::Malformed)
    }
}
