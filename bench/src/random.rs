//! Repeatable choices for statistics; nothing here is secret.

use blindprint_core::Digest;
use blindprint_template::EncodingKey;

/// `SplitMix64` (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each label.
    pub fn for_label(label: &str) -> Self {
        let digest = Digest::of("blindprint/bench/random", label.as_bytes());
        let mut seed = [0; 8];
        seed.copy_from_slice(&digest.as_bytes()[..8]);
        Self(u64::from_le_bytes(seed))
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Below `bound`; the bias of at most bound/2^64 does not matter here.
    pub const fn below(&mut self, bound: usize) -> usize {
        (((self.next() as u128) * (bound as u128)) >> 64) as usize
    }

    /// In another order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// How often each of `count` is drawn in `count` draws with replacement: one bootstrap sample.
    pub fn resample(&mut self, count: usize) -> Vec<u32> {
        let mut weights = vec![0; count];
        for _ in 0..count {
            weights[self.below(count)] += 1;
        }
        weights
    }
}

/// The encoding key of a simulated enrolment.
pub fn encoding_key(label: &str) -> EncodingKey {
    EncodingKey::from_bytes(
        *Digest::of("blindprint/bench/encoding-key", label.as_bytes()).as_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_repeat_and_differ_by_label() {
        let draw = |label| {
            let mut random = Random::for_label(label);
            (0..4).map(|_| random.next()).collect::<Vec<_>>()
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
    }

    #[test]
    fn a_resample_draws_as_many_as_there_are() {
        let weights = Random::for_label("x").resample(100);
        assert_eq!(weights.iter().sum::<u32>(), 100);
        assert!(weights.contains(&0));
    }
}
