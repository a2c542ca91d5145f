//! How long something takes: the median of many runs after a warm-up.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use serde::Serialize;

/// Seconds of one run.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Timing {
    /// Median.
    pub median: f64,
    /// Lower end of the median's 95 % confidence interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Runs measured.
    pub runs: usize,
}

/// Fewer runs give no 95 % interval of a median.
const FEWEST_RUNS: usize = 6;
/// More make the interval no more useful.
const MOST_RUNS: usize = 2000;

impl Timing {
    /// Runs `action` for about `budget`, of which the first tenth, once at least, does not count.
    pub fn of<T>(budget: Duration, mut action: impl FnMut() -> T) -> Self {
        let start = Instant::now();
        loop {
            black_box(action());
            if start.elapsed() >= budget / 10 {
                break;
            }
        }
        let mut seconds = Vec::new();
        let start = Instant::now();
        while seconds.len() < FEWEST_RUNS || (start.elapsed() < budget && seconds.len() < MOST_RUNS)
        {
            let run = Instant::now();
            black_box(action());
            seconds.push(run.elapsed().as_secs_f64());
        }
        Self::from_runs(seconds)
    }

    /// The interval runs between order statistics, so it assumes no distribution (the count of runs
    /// below the median is binomial; its normal approximation errs on the wide side).
    fn from_runs(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        let runs = seconds.len();
        let middle = runs as f64 / 2.0;
        let reach = 0.98 * (runs as f64).sqrt();
        let at = |rank: f64| seconds[(rank.max(0.0) as usize).min(runs - 1)];
        let median = f64::midpoint(seconds[(runs - 1) / 2], seconds[runs / 2]);
        Self {
            median,
            low: at((middle - reach).floor()),
            high: at((middle + reach).ceil()),
            runs,
        }
    }
}

impl std::fmt::Display for Timing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>10} [{} – {}] {} runs",
            duration(self.median),
            duration(self.low),
            duration(self.high),
            self.runs
        )
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_holds_the_median() {
        let timing = Timing::from_runs((1..=101).rev().map(f64::from).collect());
        assert_eq!((timing.median, timing.runs), (51.0, 101));
        assert_eq!((timing.low, timing.high), (41.0, 62.0));
        let even = Timing::from_runs(vec![4.0, 1.0, 3.0, 2.0, 6.0, 5.0]);
        assert_eq!((even.low, even.median, even.high), (1.0, 3.5, 6.0));
    }

    #[test]
    fn short_actions_are_run_often() {
        let mut calls = 0;
        let timing = Timing::of(Duration::from_millis(5), || calls += 1);
        assert!(timing.runs >= FEWEST_RUNS && calls > timing.runs);
    }
}
