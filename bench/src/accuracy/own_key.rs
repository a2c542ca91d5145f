//! Impostors with wallets of their own: codes under unrelated keys.

use blindprint_core::ProfileId;
use blindprint_template::{CODE_BITS, encode_all};
use rayon::prelude::*;
use serde::Serialize;

use super::dataset::Dataset;
use crate::{error::Result, random::encoding_key};

/// How codes of different people under their own keys compare.
#[derive(Debug, Serialize)]
pub struct OwnKey {
    /// Comparisons.
    pub comparisons: usize,
    /// Mean Hamming distance; 1024 for unrelated codes.
    pub mean: f64,
    /// Standard deviation; 22.63 for unrelated codes.
    pub deviation: f64,
    /// The smallest.
    pub smallest: u16,
    /// The largest; beyond τ + 1024 they would match.
    pub largest: u16,
    /// Comparisons that match at τ.
    pub matches: usize,
    /// log2 of the FMR at τ that unrelated codes have: two binomial tails, of which the one beyond
    /// τ + 1024 is lost in the other.
    pub log2_fmr: f64,
}

/// Compares every two captures of different people.
pub fn measure(dataset: &Dataset, profile: ProfileId) -> Result<OwnKey> {
    let tau = profile.profile().tau;
    let per_subject = (0..dataset.subjects.len())
        .into_par_iter()
        .map(|subject| {
            let label = format!("{}/own/{}", dataset.name, dataset.subjects[subject]);
            let captures: Vec<&[f32]> = dataset
                .captures
                .iter()
                .filter(|capture| usize::from(capture.subject) == subject)
                .map(|capture| &*capture.embedding)
                .collect();
            Ok(encode_all(profile, &encoding_key(&label), &captures)?)
        })
        .collect::<Result<Vec<_>>>()?;
    let distances: Vec<u16> = (0..per_subject.len())
        .into_par_iter()
        .flat_map_iter(|i| {
            let others = per_subject[i + 1..].concat();
            let distances: Vec<u16> = per_subject[i]
                .iter()
                .flat_map(|code| others.iter().map(|other| code.hamming(other)))
                .collect();
            distances
        })
        .collect();
    let count = distances.len() as f64;
    let mean = distances
        .iter()
        .map(|distance| f64::from(*distance))
        .sum::<f64>()
        / count;
    let squares: f64 = distances
        .iter()
        .map(|d| (f64::from(*d) - mean).powi(2))
        .sum();
    Ok(OwnKey {
        comparisons: distances.len(),
        mean,
        deviation: (squares / count).sqrt(),
        smallest: distances.iter().copied().min().unwrap_or_default(),
        largest: distances.iter().copied().max().unwrap_or_default(),
        matches: distances
            .iter()
            .filter(|distance| profile.profile().matches(**distance))
            .count(),
        log2_fmr: log2_tail(u32::from(tau)),
    })
}

/// log2 of the probability that a fair binomial over the code's bits is at most `tau`.
fn log2_tail(tau: u32) -> f64 {
    let bits = CODE_BITS as f64;
    // Terms relative to the largest, the last one, summed downwards.
    let (mut sum, mut term) = (0.0, 1.0);
    let mut log2_largest = -bits;
    for k in 1..=tau {
        log2_largest += ((bits - f64::from(k) + 1.0) / f64::from(k)).log2();
    }
    for k in (0..=tau).rev() {
        sum += term;
        term *= f64::from(k) / (bits - f64::from(k) + 1.0);
    }
    log2_largest + f64::log2(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_binomial() {
        assert!((log2_tail(0) + 2048.0).abs() < 1e-9);
        // Half of the distribution, and half of its middle term, which is 1/√(π·1024).
        let half = 0.5 + 0.5 / (std::f64::consts::PI * 1024.0).sqrt();
        assert!((log2_tail(1024) - half.log2()).abs() < 1e-5);
    }
}
