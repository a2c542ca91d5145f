//! From an embedding to a code: locality-sensitive bits from a shift-invariant kernel
//! (Raginsky & Lazebnik, "Locality-sensitive binary codes from shift-invariant kernels", NIPS
//! 2009), with weights and offsets drawn from a XOF under the wallet's key κ.
//!
//! `bit_i = [cos(w_i·x + b_i) > 0]`, `w_i` ~ N(0, s²I), `b_i` uniform in [0, 2π). The offset makes a
//! single code uniform whatever x is; the joint law of several codes depends only on distances
//! between captures (claim 3 of `docs/threat-model.md`).
//!
//! The bits are the same on every platform: integers come from SHAKE256 in a fixed order, and
//! every floating-point step is an IEEE 754 basic operation or the software path of `libm`.

use blindprint_core::{Entropy, Profile, ProfileId};
use sha3::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{BiometricCode, CODE_BITS};

/// κ: the wallet's secret for one enrolment. Without it a code says nothing about a face; a new
/// one makes a new, unlinkable template. Destroyed when the enrolment is erased.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct EncodingKey([u8; 32]);

impl EncodingKey {
    /// A fresh key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Self([0; 32]);
        entropy.fill(&mut key.0);
        key
    }

    /// A key from a wallet's encrypted file.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a wallet's encrypted file and nothing else.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Why an embedding cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Another number of values than the profile's model makes.
    #[error("the embedding has {found} values, the profile takes {expected}")]
    Dimension {
        /// Values that the profile takes.
        expected: u16,
        /// Values that were given.
        found: usize,
    },
    /// Not a number, infinite, beyond ±2^20, or of length zero where it must be scaled.
    #[error("the embedding holds values that no model makes")]
    Value,
}

/// Values beyond this are no embedding; within it no step below can overflow or lose its meaning.
const LARGEST_VALUE: f32 = 1_048_576.0;

/// The code of `embedding` under `key`: 2048 bits.
pub fn encode(
    profile: ProfileId,
    key: &EncodingKey,
    embedding: &[f32],
) -> Result<BiometricCode, EncodeError> {
    let mut codes = encode_all(profile, key, &[embedding])?;
    Ok(codes.pop().expect("one embedding makes one code"))
}

/// The codes of several embeddings under the same `key`, whose kernel is drawn only once.
pub fn encode_all(
    profile: ProfileId,
    key: &EncodingKey,
    embeddings: &[&[f32]],
) -> Result<Vec<BiometricCode>, EncodeError> {
    let profile = profile.profile();
    let values = embeddings
        .iter()
        .map(|embedding| scaled(profile, embedding))
        .collect::<Result<Vec<_>, _>>()?;
    let mut sampler = Sampler::new(profile, key);
    let mut weights = Zeroizing::new(vec![0.0; usize::from(profile.dimension)]);
    let turns_per_unit = profile.scale / std::f64::consts::TAU;
    let mut bits: Vec<Zeroizing<Vec<bool>>> = values
        .iter()
        .map(|_| Zeroizing::new(Vec::with_capacity(CODE_BITS)))
        .collect();
    for _ in 0..CODE_BITS {
        sampler.normals(&mut weights);
        let offset = sampler.uniform();
        for (bits, values) in bits.iter_mut().zip(&values) {
            let mut product = 0.0;
            for (weight, value) in weights.iter().zip(values.iter()) {
                product += weight * value;
            }
            // The phase in turns: cos is positive in the first and last quarter.
            let turns = turns_per_unit * product + offset;
            let fraction = turns - libm::floor(turns);
            bits.push(!(0.25..=0.75).contains(&fraction));
        }
    }
    Ok(bits
        .iter()
        .map(|bits| BiometricCode::from_bits(bits.iter().copied()))
        .collect())
}

fn scaled(profile: &Profile, embedding: &[f32]) -> Result<Zeroizing<Vec<f64>>, EncodeError> {
    if embedding.len() != usize::from(profile.dimension) {
        return Err(EncodeError::Dimension {
            expected: profile.dimension,
            found: embedding.len(),
        });
    }
    if embedding
        .iter()
        .any(|value| !value.is_finite() || value.abs() > LARGEST_VALUE)
    {
        return Err(EncodeError::Value);
    }
    let mut values = Zeroizing::new(Vec::with_capacity(embedding.len()));
    values.extend(embedding.iter().map(|value| f64::from(*value)));
    if profile.normalise {
        let mut sum = 0.0;
        for value in values.iter() {
            sum += value * value;
        }
        let length = libm::sqrt(sum);
        if length < f64::from(f32::MIN_POSITIVE) {
            return Err(EncodeError::Value);
        }
        for value in values.iter_mut() {
            *value /= length;
        }
    }
    Ok(values)
}

/// Normal and uniform numbers from `SHAKE256(label ‖ κ ‖ profile)`, eight bytes a draw.
struct Sampler(sha3::Shake256Reader);

impl Sampler {
    fn new(profile: &Profile, key: &EncodingKey) -> Self {
        let mut hash = Shake256::default();
        hash.update(b"blindprint/encoding/v1\0");
        hash.update(key.expose());
        hash.update(profile.id.as_bytes());
        Self(hash.finalize_xof())
    }

    /// Uniform in [0, 1), 53 bits.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in an f64")]
    fn uniform(&mut self) -> f64 {
        let mut bytes = [0; 8];
        self.0.read(&mut bytes);
        (u64::from_le_bytes(bytes) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Standard normals by Box–Muller, two from each pair of uniforms.
    fn normals(&mut self, out: &mut [f64]) {
        for pair in out.chunks_mut(2) {
            // 1 − u is in (0, 1], so the logarithm is finite.
            let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
            let (sine, cosine) = libm::sincos(std::f64::consts::TAU * self.uniform());
            pair[0] = radius * cosine;
            if let Some(second) = pair.get_mut(1) {
                *second = radius * sine;
            }
        }
    }
}
