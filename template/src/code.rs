use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::CODE_BITS;

const WORDS: usize = CODE_BITS / 64;

/// A biometric as 2048 bits whose Hamming distance follows the distance between captures.
///
/// It is personal data of a special category, even though it is keyed: it is never printed or
/// serialised, and is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BiometricCode([u64; WORDS]);

impl BiometricCode {
    /// The code with these bits.
    pub fn from_bits(bits: impl IntoIterator<Item = bool>) -> Self {
        let mut code = Self([0; WORDS]);
        for (i, bit) in bits.into_iter().take(CODE_BITS).enumerate() {
            code.0[i / 64] |= u64::from(bit) << (i % 64);
        }
        code
    }

    /// Bit `i`, counted from 0.
    ///
    /// # Panics
    /// If `i` is 2048 or more.
    pub const fn bit(&self, i: usize) -> bool {
        self.0[i / 64] >> (i % 64) & 1 == 1
    }

    /// The number of bits in which two codes differ, 0 to 2048.
    pub fn hamming(&self, other: &Self) -> u16 {
        let distance: u32 = self
            .0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| (a ^ b).count_ones())
            .sum();
        u16::try_from(distance).expect("at most 2048")
    }
}
