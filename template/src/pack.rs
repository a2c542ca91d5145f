//! Torus elements rounded to their top bits and packed without gaps, least significant bit first.

/// Bytes that `count` values of `bits` bits take.
pub const fn packed_len(count: usize, bits: u32) -> usize {
    (count * bits as usize).div_ceil(8)
}

/// Rounds each word to its top `bits` bits (to nearest, wrapping) and packs them. The error is
/// uniform in ±2^(63 − bits).
///
/// # Panics
/// If `bits` is not in 1..=63.
pub fn pack(words: &[u64], bits: u32) -> Vec<u8> {
    assert!((1..=63).contains(&bits), "a constant of the parameter set");
    let shift = 64 - bits;
    let mut packed = Vec::with_capacity(packed_len(words.len(), bits));
    let mut window = 0_u128;
    let mut filled = 0;
    for word in words {
        let rounded = word.wrapping_add(1 << (shift - 1)) >> shift;
        window |= u128::from(rounded) << filled;
        filled += bits;
        while filled >= 8 {
            packed.push(low_byte(window));
            window >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        packed.push(low_byte(window));
    }
    packed
}

/// The inverse of [`pack`], up to its rounding: `None` if the length does not fit or a padding
/// bit is set, so that every value has one encoding.
///
/// # Panics
/// If `bits` is not in 1..=63.
pub fn unpack(packed: &[u8], count: usize, bits: u32) -> Option<Vec<u64>> {
    assert!((1..=63).contains(&bits), "a constant of the parameter set");
    if packed.len() != packed_len(count, bits) {
        return None;
    }
    let mut words = Vec::with_capacity(count);
    let mut window = 0_u128;
    let mut filled = 0;
    for byte in packed {
        window |= u128::from(*byte) << filled;
        filled += 8;
        while filled >= bits && words.len() < count {
            let value = low_word(window) & ((1 << bits) - 1);
            words.push(value << (64 - bits));
            window >>= bits;
            filled -= bits;
        }
    }
    (window == 0 && words.len() == count).then_some(words)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low byte is what is meant"
)]
const fn low_byte(window: u128) -> u8 {
    window as u8
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low word is what is meant"
)]
const fn low_word(window: u128) -> u64 {
    window as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rounding_errs_by_at_most_half_a_step(words in prop::collection::vec(any::<u64>(), 0..50), bits in 1_u32..=63) {
            let packed = pack(&words, bits);
            prop_assert_eq!(packed.len(), packed_len(words.len(), bits));
            let unpacked = unpack(&packed, words.len(), bits).unwrap();
            for (word, rounded) in words.iter().zip(&unpacked) {
                let error = word.wrapping_sub(*rounded).cast_signed().unsigned_abs();
                prop_assert!(error <= 1 << (63 - bits));
            }
            prop_assert_eq!(pack(&unpacked, bits), packed);
        }
    }

    #[test]
    fn a_set_padding_bit_is_refused() {
        assert_eq!(unpack(&[0b0000_0101], 1, 3), Some(vec![0b101 << 61]));
        assert_eq!(unpack(&[0b0000_1101], 1, 3), None);
    }
}
