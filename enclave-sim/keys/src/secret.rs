use blindprint_matcher::VerdictCiphertext;
use blindprint_template::{DecodeError, PARAMETERS, Reader, header};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const MAGIC: [u8; 4] = *b"BPsk";
/// Phase of a match; its negative is a non-match.
const VERDICT: u64 = 1 << 62;

/// σ and the small key. Never printed, never cloned, wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretKeys {
    /// σ, coefficients ±1 modulo 2^64.
    large: Vec<u64>,
    /// n bits.
    small: Vec<u64>,
}

/// Why a verdict was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It does not decode.
    #[error("the verdict does not decode: {0}")]
    Decode(#[from] DecodeError),
    /// What it encrypts is no verdict bit.
    #[error("the ciphertext holds no verdict")]
    NoVerdict,
}

impl SecretKeys {
    pub(crate) const fn new(large: Vec<u64>, small: Vec<u64>) -> Self {
        Self { large, small }
    }

    /// The keys in the clear, for sealing and nothing else: header, then one byte per coefficient.
    pub fn expose(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(header(MAGIC, 8 + self.large.len() + self.small.len()));
        bytes.extend(
            self.large
                .iter()
                .map(|coefficient| u8::from(*coefficient == 1)),
        );
        bytes.extend(self.small.iter().map(|bit| u8::from(*bit == 1)));
        bytes
    }

    /// Reads what [`SecretKeys::expose`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let total = 8 + PARAMETERS.polynomial_size + PARAMETERS.lwe_dimension;
        let mut reader = Reader::new(bytes, MAGIC, total)?;
        let large = reader.take(PARAMETERS.polynomial_size)?;
        let small = reader.take(PARAMETERS.lwe_dimension)?;
        reader.finish()?;
        if large.iter().chain(small).any(|byte| *byte > 1) {
            return Err(DecodeError::Value);
        }
        Ok(Self {
            large: large
                .iter()
                .map(|byte| if *byte == 1 { 1 } else { u64::MAX })
                .collect(),
            small: small.iter().map(|byte| u64::from(*byte)).collect(),
        })
    }

    /// Opens a verdict: whether the codes match.
    ///
    /// A phase that is not near ±2^62 is no verdict and is refused, so that nothing but the
    /// circuit's output can be opened to a bit of the host's choosing.
    pub fn open(&self, verdict: &[u8]) -> Result<bool, OpenError> {
        let verdict = VerdictCiphertext::decode(verdict)?;
        let (body, mask) = verdict.words().split_last().ok_or(OpenError::NoVerdict)?;
        let phase = mask
            .iter()
            .zip(&self.small)
            .fold(*body, |phase, (word, bit)| {
                phase.wrapping_sub(word.wrapping_mul(*bit))
            });
        match (near(phase, VERDICT), near(phase, VERDICT.wrapping_neg())) {
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            _ => Err(OpenError::NoVerdict),
        }
    }

    /// σ, for noise measurements in tests.
    #[doc(hidden)]
    pub fn expose_large(&self) -> &[u64] {
        &self.large
    }

    /// The small key, for noise measurements in tests.
    #[doc(hidden)]
    pub fn expose_small(&self) -> &[u64] {
        &self.small
    }
}

/// Whether two torus elements lie within an eighth of each other.
fn near(left: u64, right: u64) -> bool {
    left.wrapping_sub(right).cast_signed().unsigned_abs() < 1 << 61
}
