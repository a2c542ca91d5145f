//! Verdicts per second with every core at work on requests of its own.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use blindprint_core::{Role, SystemEntropy};
use blindprint_matcher::Worker;
use blindprint_template::{StoredTemplate, encrypt_unproven};
use serde::Serialize;

use crate::{error::Result, machine::cores, print::Printer, scene::Scene};

const DURATION: Duration = Duration::from_secs(20);

/// What all cores do together.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Rate {
    /// Requests answered.
    pub verdicts: u64,
    /// In this time.
    pub seconds: f64,
    /// Their quotient.
    pub per_second: f64,
}

/// Verdicts per second.
#[derive(Debug, Serialize)]
pub struct Throughput {
    /// Threads, one request each.
    pub workers: usize,
    /// The comparison alone.
    pub comparisons: Rate,
    /// Verification of the probe's proof and comparison.
    pub evaluations: Rate,
}

/// Measures both.
pub fn measure(scene: &Scene) -> Result<Throughput> {
    let binding = scene.probe.binding();
    let template = StoredTemplate::decode(&scene.stored)?;
    let probe = encrypt_unproven(
        &scene.presented,
        Role::Probe,
        &scene.public_key,
        &SystemEntropy,
    );
    let comparisons = rate(scene, |worker| {
        worker.compare(&binding, &probe, &template);
        Ok(())
    })?;
    let evaluations = rate(scene, |worker| {
        worker.evaluate(&binding, &scene.probe_upload, &scene.stored)?;
        Ok(())
    })?;
    Ok(Throughput {
        workers: cores(),
        comparisons,
        evaluations,
    })
}

/// Runs `request` on every core until the time is over. Each thread's last request is finished and
/// counted, with the time that it takes.
fn rate(scene: &Scene, request: impl Fn(&mut Worker<'_>) -> Result<()> + Sync) -> Result<Rate> {
    let serve = |start: Instant| {
        let mut worker = scene.matcher.worker(Arc::new(SystemEntropy));
        let mut verdicts = 0;
        while start.elapsed() < DURATION {
            request(&mut worker)?;
            verdicts += 1;
        }
        Ok(verdicts)
    };
    let start = Instant::now();
    let verdicts = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores()).map(|_| scope.spawn(|| serve(start))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a worker does not panic"))
            .sum::<Result<u64>>()
    })?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(Rate {
        verdicts,
        seconds,
        per_second: verdicts as f64 / seconds,
    })
}

impl Throughput {
    /// Prints both rates.
    pub fn print(&self, out: &mut Printer) -> Result<()> {
        out.title(format!("Throughput: {} requests at a time", self.workers))?;
        for (what, rate) in [
            ("without proof", self.comparisons),
            ("with proof", self.evaluations),
        ] {
            out.line(format!(
                "{what:<38} {:>8.2} verdicts/s ({} in {:.1} s)",
                rate.per_second, rate.verdicts, rate.seconds
            ))?;
        }
        Ok(())
    }
}
