//! The results of one run, as they are stored.

use std::{fs, path::Path};

use serde::Serialize;

use crate::{
    accuracy::Accuracy,
    baselines::Baselines,
    correctness::Correctness,
    credentials::Credentials,
    error::{Error, Result},
    goals::Goal,
    log::Log,
    machine::Machine,
    performance::Performance,
    sizes::Sizes,
    throughput::Throughput,
};

/// Everything that a run measured. Times are in seconds, sizes in bytes, rates between 0 and 1.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where and when.
    pub machine: Machine,
    /// The parameter set of the encryption.
    pub parameters: &'static str,
    /// Speed of each step.
    pub performance: Option<Performance>,
    /// Verdicts per second.
    pub throughput: Option<Throughput>,
    /// Bytes.
    pub sizes: Option<Sizes>,
    /// Verdicts against decisions in clear.
    pub correctness: Option<Correctness>,
    /// By data set.
    pub accuracy: Vec<Accuracy>,
    /// Other ways to decide the same.
    pub baselines: Option<Baselines>,
    /// Credentials, DIDs and status lists.
    pub credentials: Option<Credentials>,
    /// The transparency log.
    pub log: Option<Log>,
    /// What was aimed at.
    pub goals: Vec<Goal>,
}

impl Report {
    /// Writes it as JSON.
    pub fn store(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        fs::write(path, json + "\n").map_err(Error::file(path))
    }
}
