//! The numbers that decide trade-offs, and whether this run reaches them.

use serde::Serialize;

use crate::{error::Result, print::Printer, report::Report};

/// One goal.
#[derive(Debug, Serialize)]
pub struct Goal {
    /// What it is about.
    pub what: &'static str,
    /// Measured in this run.
    pub measured: f64,
    /// The least or most that is wanted.
    pub limit: f64,
    /// Whether it is reached.
    pub reached: bool,
}

/// Every goal that the run's sections allow to judge.
pub fn judge(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut at_most = |what, measured: f64, limit: f64| {
        goals.push(Goal {
            what,
            measured,
            limit,
            reached: measured <= limit,
        });
    };
    if let Some(performance) = &report.performance {
        let ratio = performance.compare_over_bootstraps;
        at_most("whole comparison over its bootstraps, at most", ratio, 1.3);
    }
    if let Some(sizes) = &report.sizes {
        at_most(
            "KiB of a template at rest, at most",
            kib(sizes.stored_template),
            24.0,
        );
        at_most(
            "KiB of a probe with its statement, at most",
            kib(sizes.probe_upload + sizes.probe),
            40.0,
        );
        at_most(
            "KiB of a verdict ciphertext, at most",
            kib(sizes.verdict_ciphertext),
            2.0,
        );
        at_most("KiB of a signed verdict, at most", kib(sizes.verdict), 2.0);
    }
    if let Some(correctness) = &report.correctness {
        let wrong: usize = correctness.kinds.iter().map(|kind| kind.wrong).sum();
        at_most("wrong verdicts, at most", wrong as f64, 0.0);
    }
    if let (Some(throughput), Some(baselines)) = (&report.throughput, &report.baselines) {
        let theirs = baselines.tfhe_integers.decisions_per_second;
        let ratio = throughput.comparisons.per_second / theirs;
        goals.push(Goal {
            what: "× the decisions per second of tfhe-rs' integers, at least",
            measured: ratio,
            limit: 300.0,
            reached: ratio >= 300.0,
        });
    }
    goals
}

fn kib(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}

/// Prints the table.
pub fn print(goals: &[Goal], out: &mut Printer) -> Result<()> {
    out.title("Goals")?;
    for Goal {
        what,
        measured,
        limit,
        reached,
    } in goals
    {
        let outcome = if *reached { "reached" } else { "MISSED" };
        out.line(format!("{what:<60} {limit:>6}: {measured:>9.2}  {outcome}"))?;
    }
    Ok(())
}
