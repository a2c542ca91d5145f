use blindprint_core::Digest;
use blindprint_template::{DecodeError, PARAMETERS, Reader, header, pack, packed_len, unpack};

/// The encrypted verdict bit as it leaves the matcher: under the small key, each coefficient
/// rounded to 12 bits.
///
/// Encoding: header, public material (32 bytes), n + 1 packed coefficients; about 1.4 KiB.
#[derive(Clone, PartialEq, Eq)]
pub struct VerdictCiphertext {
    key: Digest,
    words: Vec<u64>,
}

impl VerdictCiphertext {
    const MAGIC: [u8; 4] = *b"BPvd";
    const WORDS: usize = PARAMETERS.lwe_dimension + 1;
    const PACKED_LEN: usize = packed_len(Self::WORDS, PARAMETERS.verdict_bits);
    /// Bytes of the encoding.
    pub const ENCODED_LEN: usize = 8 + 32 + Self::PACKED_LEN;

    pub(crate) fn encode(key: Digest, words: &[u64]) -> Vec<u8> {
        let mut bytes = header(Self::MAGIC, Self::ENCODED_LEN);
        bytes.extend(key.as_bytes());
        bytes.extend(pack(words, PARAMETERS.verdict_bits));
        bytes
    }

    /// Reads the binary form.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, Self::MAGIC, Self::ENCODED_LEN)?;
        let key = reader.digest()?;
        let packed = reader.take(Self::PACKED_LEN)?;
        reader.finish()?;
        let words =
            unpack(packed, Self::WORDS, PARAMETERS.verdict_bits).ok_or(DecodeError::Value)?;
        Ok(Self { key, words })
    }

    /// The public material that it is encrypted under.
    pub const fn key(&self) -> Digest {
        self.key
    }

    /// Mask and body, n + 1 words.
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}
