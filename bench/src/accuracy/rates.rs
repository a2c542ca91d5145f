//! False match and false non-match rates with confidence intervals (ISO/IEC 19795-1).
//!
//! Comparisons are not independent: they share people. Intervals therefore come from a bootstrap
//! over subjects (Bolle, Ratha, Pankanti, "Error analysis of pattern recognition systems: the subsets
//! bootstrap", CVIU 2004). Where no error was seen, the upper end is that of Wilson's interval over
//! the independent units: subjects for FNMR, pairs of subjects for FMR.

use rayon::prelude::*;
use serde::Serialize;

use super::scores::{Comparison, Scores};
use crate::random::Random;

/// Bootstrap samples.
pub const SAMPLES: usize = 400;

/// A rate and what is known about it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Estimate {
    /// Observed.
    pub rate: f64,
    /// Lower end of the 95 % confidence interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Errors seen.
    pub errors: usize,
    /// Comparisons made.
    pub comparisons: usize,
}

/// Both error rates at one threshold.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct OperatingPoint {
    /// The FMR asked for; absent if the threshold was given.
    pub target_fmr: Option<f64>,
    /// Comparisons below it match.
    pub below: f32,
    /// False match rate.
    pub fmr: Estimate,
    /// False non-match rate. If the threshold was chosen for an FMR, its interval includes that choice.
    pub fnmr: Estimate,
}

/// A data set's comparisons and what resampling its subjects does to them.
pub struct Rates<'s> {
    scores: &'s Scores,
    samples: Vec<Sample>,
}

/// One bootstrap sample.
struct Sample {
    /// How often each subject was drawn.
    weights: Vec<u32>,
    /// All genuine comparisons, weighted.
    genuine: f64,
    /// All impostor comparisons, weighted.
    impostor: f64,
}

impl Sample {
    fn new(scores: &Scores, weights: Vec<u32>) -> Self {
        Self {
            genuine: total(&scores.genuine, &weights),
            impostor: total(&scores.impostor, &weights),
            weights,
        }
    }

    /// The first score that may no longer match.
    fn threshold(&self, scores: &Scores, target: f64) -> f32 {
        let allowed = target * self.impostor;
        let mut seen = 0.0;
        for pair in &scores.impostor {
            seen += weight(*pair, &self.weights);
            if seen > allowed {
                return pair.score;
            }
        }
        f32::INFINITY
    }

    fn fmr(&self, scores: &Scores, below: f32) -> Option<f64> {
        let matching = &scores.impostor[..count_below(&scores.impostor, below)];
        (self.impostor > 0.0).then(|| total(matching, &self.weights) / self.impostor)
    }

    fn fnmr(&self, scores: &Scores, below: f32) -> Option<f64> {
        let missed = &scores.genuine[count_below(&scores.genuine, below)..];
        (self.genuine > 0.0).then(|| total(missed, &self.weights) / self.genuine)
    }
}

impl<'s> Rates<'s> {
    /// Draws the samples.
    pub fn of(scores: &'s Scores) -> Self {
        let samples = (0..SAMPLES)
            .into_par_iter()
            .map(|i| {
                let mut random = Random::for_label(&format!("bootstrap {i}"));
                Sample::new(scores, random.resample(scores.subjects))
            })
            .collect();
        Self { scores, samples }
    }

    /// The rates where a match is a score below `below`.
    pub fn at(&self, below: f32) -> OperatingPoint {
        self.point(None, below)
    }

    /// The rates at the largest threshold whose FMR is at most `target`.
    pub fn at_fmr(&self, target: f64) -> OperatingPoint {
        let whole = Sample::new(self.scores, vec![1; self.scores.subjects]);
        self.point(Some(target), whole.threshold(self.scores, target))
    }

    fn point(&self, target_fmr: Option<f64>, below: f32) -> OperatingPoint {
        let Scores {
            subjects,
            genuine,
            impostor,
        } = self.scores;
        let false_matches = count_below(impostor, below);
        let false_non_matches = genuine.len() - count_below(genuine, below);
        let match_range = self.interval(|sample| sample.fmr(self.scores, below));
        let miss_range = self.interval(|sample| {
            let below = target_fmr.map_or(below, |target| sample.threshold(self.scores, target));
            sample.fnmr(self.scores, below)
        });
        OperatingPoint {
            target_fmr,
            below,
            fmr: estimate(
                false_matches,
                impostor.len(),
                pairs(impostor, *subjects),
                match_range,
            ),
            fnmr: estimate(
                false_non_matches,
                genuine.len(),
                people(genuine, *subjects),
                miss_range,
            ),
        }
    }

    /// The middle 95 % of a rate over the samples in which it exists.
    fn interval(&self, rate: impl Fn(&Sample) -> Option<f64> + Send + Sync) -> (f64, f64) {
        let mut rates: Vec<f64> = self.samples.par_iter().filter_map(rate).collect();
        rates.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = share * rates.len().saturating_sub(1) as f64;
            rates
                .get(rank.round() as usize)
                .copied()
                .unwrap_or(f64::NAN)
        };
        (at(0.025), at(0.975))
    }
}

fn estimate(errors: usize, comparisons: usize, units: usize, (low, high): (f64, f64)) -> Estimate {
    // 1.96², the square of the normal quantile.
    let unseen = if errors == 0 {
        3.84 / (units as f64 + 3.84)
    } else {
        0.0
    };
    Estimate {
        rate: errors as f64 / comparisons as f64,
        low,
        high: high.max(unseen),
        errors,
        comparisons,
    }
}

fn total(list: &[Comparison], weights: &[u32]) -> f64 {
    // Not `sum`, which makes −0 of an empty list.
    list.iter()
        .fold(0.0, |sum, pair| sum + weight(*pair, weights))
}

/// A genuine comparison is drawn with its subject, an impostor comparison with both.
fn weight(pair: Comparison, weights: &[u32]) -> f64 {
    let reference = f64::from(weights[usize::from(pair.reference)]);
    if pair.reference == pair.probe {
        reference
    } else {
        reference * f64::from(weights[usize::from(pair.probe)])
    }
}

/// How many of a sorted list match.
pub fn count_below(list: &[Comparison], below: f32) -> usize {
    list.partition_point(|pair| pair.score < below)
}

fn people(list: &[Comparison], subjects: usize) -> usize {
    let mut present = vec![false; subjects];
    for pair in list {
        present[usize::from(pair.reference)] = true;
    }
    present.into_iter().filter(|present| *present).count()
}

fn pairs(list: &[Comparison], subjects: usize) -> usize {
    let mut present = vec![false; subjects * subjects];
    for pair in list {
        let (a, b) = (
            pair.reference.min(pair.probe),
            pair.reference.max(pair.probe),
        );
        present[usize::from(a) * subjects + usize::from(b)] = true;
    }
    present.into_iter().filter(|present| *present).count()
}

impl Estimate {
    /// `5.62 % [4.1 – 8.2]`
    pub fn percent(&self) -> String {
        let [rate, low, high] = [self.rate, self.low, self.high].map(|rate| 100.0 * rate);
        format!("{rate:.2} % [{low:.2} – {high:.2}]")
    }

    /// `9.3e-5 [2.2e-6 – 4.0e-4]`
    pub fn scientific(&self) -> String {
        format!("{:.1e} [{:.1e} – {:.1e}]", self.rate, self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two captures of each of `n` people: genuine scores 1…n, impostor scores from 11 on.
    fn scores(n: u16) -> Scores {
        let mut comparisons = Vec::new();
        for a in 0..n {
            for b in 0..n {
                let score = if a == b {
                    f32::from(a) + 1.0
                } else {
                    f32::from(a * n + b) + 11.0
                };
                comparisons.push(Comparison {
                    score,
                    reference: a,
                    probe: b,
                });
            }
        }
        Scores::new(usize::from(n), comparisons)
    }

    #[test]
    fn thresholds_keep_to_their_fmr() {
        let scores = scores(20);
        let rates = Rates::of(&scores);
        for target in [0.0, 0.01, 0.1, 0.5] {
            let point = rates.at_fmr(target);
            assert!(point.fmr.rate <= target, "{point:?}");
            let looser = rates.at(point.below.next_up());
            assert!(
                looser.fmr.rate > target,
                "{point:?} is not the largest threshold"
            );
        }
    }

    #[test]
    fn rates_count_errors() {
        let scores = scores(20);
        let point = Rates::of(&scores).at(16.0);
        assert_eq!((point.fnmr.errors, point.fnmr.comparisons), (5, 20));
        assert_eq!((point.fmr.errors, point.fmr.comparisons), (4, 380));
        assert!(point.fnmr.low < 0.25 && point.fnmr.high > 0.25);
    }

    #[test]
    fn no_error_seen_is_no_proof_of_none() {
        let scores = scores(20);
        let point = Rates::of(&scores).at(10.5);
        assert_eq!(point.fmr.errors, 0);
        assert!(
            point.fmr.high > 0.01,
            "190 pairs of people prove no less: {point:?}"
        );
    }
}
