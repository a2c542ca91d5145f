use blindprint_core::Digest;

use crate::PARAMETERS;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Too short, too long, or a length inside that does not fit. Found before allocating.
    #[error("the length does not fit")]
    Length,
    /// Another kind of object, or none at all.
    #[error("this is not the expected kind of object")]
    Magic,
    /// A version that this build does not know.
    #[error("the format version is unknown")]
    Version,
    /// A parameter set that this build does not know.
    #[error("the parameter set is unknown")]
    Parameters,
    /// A field holds a value that it must not hold.
    #[error("a field holds an impossible value")]
    Value,
}

/// Reads the binary formats: little endian, a fixed header, nothing left over.
///
/// Header, 8 bytes: magic (4), format version (2), parameter set (2).
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

/// Bytes of the header.
pub(crate) const HEADER: usize = 8;
const VERSION: u16 = 1;

/// A buffer of this capacity that starts with the header.
pub fn header(magic: [u8; 4], capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(capacity);
    bytes.extend(magic);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(PARAMETERS.wire_code.to_le_bytes());
    bytes
}

impl<'a> Reader<'a> {
    /// Starts reading `bytes`, which must be at most `limit` long and carry the header.
    pub fn new(bytes: &'a [u8], magic: [u8; 4], limit: usize) -> Result<Self, DecodeError> {
        if bytes.len() > limit {
            return Err(DecodeError::Length);
        }
        let mut reader = Self(bytes);
        if reader.array::<4>()? != magic {
            return Err(DecodeError::Magic);
        }
        if u16::from_le_bytes(reader.array()?) != VERSION {
            return Err(DecodeError::Version);
        }
        if u16::from_le_bytes(reader.array()?) != PARAMETERS.wire_code {
            return Err(DecodeError::Parameters);
        }
        Ok(reader)
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(DecodeError::Length)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self.0.split_first_chunk().ok_or(DecodeError::Length)?;
        self.0 = tail;
        Ok(*head)
    }

    /// The next 32 bytes as a digest.
    pub fn digest(&mut self) -> Result<Digest, DecodeError> {
        self.array().map(Digest::from_bytes)
    }

    /// The next `count` words.
    pub fn words(&mut self, count: usize) -> Result<Vec<u64>, DecodeError> {
        let bytes = self.take(count.checked_mul(8).ok_or(DecodeError::Length)?)?;
        let (words, _) = bytes.as_chunks::<8>();
        Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Ends reading; nothing may be left.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Length)
        }
    }
}

/// Appends `words` in little endian.
pub(crate) fn put_words(bytes: &mut Vec<u8>, words: &[u64]) {
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}
