//! How far a polynomial's spectrum stands out. A wallet that puts its noise on one root of X^N + 1
//! gains there what the keys' spectra give it; `docs/noise.md` bounds its gain for the keys taken here.

use std::f64::consts::PI;

/// Largest [`peak`] of σ. Refusing 12 draws of 13 costs less than four bits of the key's entropy.
pub const KEY_PEAK: f64 = 6.0;
/// Largest [`peak`] of the public key's noise.
pub const KEY_NOISE_PEAK: f64 = 8.0;

/// max |p(ω)|² over the roots ω of X^N + 1, relative to N·`mean_square`: 1 on average, exponentially
/// distributed at each of the N/2 pairs of roots for independent coefficients.
#[expect(clippy::cast_precision_loss, reason = "signed coefficients below 2^53")]
pub fn peak(coefficients: &[u64], mean_square: f64) -> f64 {
    let size = coefficients.len();
    let power = |root: usize| {
        let (sine, cosine) = ((2 * root + 1) as f64 * PI / size as f64).sin_cos();
        let horner = |(re, im): (f64, f64), coefficient: &u64| {
            let real = coefficient.cast_signed() as f64;
            (re * cosine - im * sine + real, re * sine + im * cosine)
        };
        let (re, im) = coefficients.iter().rev().fold((0.0, 0.0), horner);
        re * re + im * im
    };
    let highest = (0..size / 2).map(power).fold(0.0, f64::max);
    highest / (size as f64 * mean_square)
}

#[cfg(test)]
mod tests {
    use super::peak;

    #[test]
    fn a_spike_is_flat_and_a_tone_is_not() {
        let mut spike = vec![0; 64];
        spike[5] = 3;
        assert!((peak(&spike, 9.0 / 64.0) - 1.0).abs() < 1e-9);
        // Period 8 in 64: (2k+1)/64 of a half turn lies nearest for k = 7 and 8.
        let tone: Vec<u64> = (0..64)
            .map(|i| if i / 4 % 2 == 0 { 1 } else { u64::MAX })
            .collect();
        assert!(peak(&tone, 1.0) > 8.0, "{}", peak(&tone, 1.0));
    }
}
