use blindprint_core::Digest;

use crate::{
    DecodeError, PARAMETERS, Reader, VerifiedSubmission, pack, packed_len,
    reader::{HEADER, header},
    unpack,
};

/// A template at rest: the verified ciphertext, each coefficient rounded to its top 47 bits.
///
/// Encoding: header, public material (32 bytes), 4096 packed coefficients.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredTemplate {
    key: Digest,
    words: Vec<u64>,
}

impl StoredTemplate {
    const MAGIC: [u8; 4] = *b"BPst";
    const PACKED_LEN: usize = packed_len(PARAMETERS.glwe_words(), PARAMETERS.stored_bits);
    /// Bytes of the encoding: below 24 KiB.
    pub const ENCODED_LEN: usize = HEADER + 32 + Self::PACKED_LEN;

    /// Rounds a verified template.
    pub fn encode(key: Digest, submission: VerifiedSubmission) -> Vec<u8> {
        let mut bytes = header(Self::MAGIC, Self::ENCODED_LEN);
        bytes.extend(key.as_bytes());
        bytes.extend(pack(&submission.into_glwe_words(), PARAMETERS.stored_bits));
        bytes
    }

    /// Reads a template back.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, Self::MAGIC, Self::ENCODED_LEN)?;
        let key = reader.digest()?;
        let packed = reader.take(Self::PACKED_LEN)?;
        reader.finish()?;
        let words = unpack(packed, PARAMETERS.glwe_words(), PARAMETERS.stored_bits)
            .ok_or(DecodeError::Value)?;
        Ok(Self { key, words })
    }

    /// The public material that it is encrypted under.
    pub const fn key(&self) -> Digest {
        self.key
    }

    /// Mask and body of the GLWE ciphertext, 4096 words.
    pub fn glwe_words(&self) -> &[u64] {
        &self.words
    }
}
