//! The same decision by other means, measured by a program of its own, so that tfhe-rs' `integer`
//! feature does not spread to the workspace.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    print::Printer,
};

/// What `blindprint-baselines` prints.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baselines {
    /// tfhe-rs' high-level integers.
    pub tfhe_integers: TfheIntegers,
    /// Codes in clear inside the enclave.
    pub hpke: Hpke,
}

/// XOR, number of ones and comparison on encrypted integers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TfheIntegers {
    /// The parameter set.
    pub parameters: String,
    /// log2 of its failure probability per bootstrap.
    pub log2_p_fail: f64,
    /// Threads that work on one decision together.
    pub cores: usize,
    /// Width of the codes.
    pub bits: u32,
    /// Seconds of each decision.
    pub seconds: Vec<f64>,
    /// Decisions per second, from the median.
    pub decisions_per_second: f64,
}

/// Codes sealed to the enclave by HPKE (RFC 9180), opened and compared there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hpke {
    /// KEM, KDF and AEAD.
    pub suite: String,
    /// Median seconds to seal a code.
    pub seal: f64,
    /// Median seconds to open template and probe and compare them.
    pub open_and_compare: f64,
    /// Decisions per second with all cores.
    pub decisions_per_second: f64,
    /// Bytes of a sealed code.
    pub sealed_bytes: usize,
}

/// Runs the program and reads what it prints.
pub fn measure(program: &Path) -> Result<Baselines> {
    let failed = |reason: String| Error::Baselines {
        path: program.to_owned(),
        reason,
    };
    let output = Command::new(program)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

impl Baselines {
    /// Prints both.
    pub fn print(&self, out: &mut Printer) -> Result<()> {
        out.title("Baselines")?;
        let Self {
            tfhe_integers,
            hpke,
        } = self;
        let seconds: Vec<String> = tfhe_integers
            .seconds
            .iter()
            .map(|seconds| format!("{seconds:.2} s"))
            .collect();
        out.line(format!(
            "tfhe-rs integers ({}, 2^{:.1}), {} bits, {} cores: {:.4} decisions/s ({})",
            tfhe_integers.parameters,
            tfhe_integers.log2_p_fail,
            tfhe_integers.bits,
            tfhe_integers.cores,
            tfhe_integers.decisions_per_second,
            seconds.join(", ")
        ))?;
        out.line(format!(
            "HPKE ({}): seal {:.1} µs, open and compare {:.1} µs, {:.0} decisions/s, {} bytes; no FHE, the enclave sees codes",
            hpke.suite,
            1e6 * hpke.seal,
            1e6 * hpke.open_and_compare,
            hpke.decisions_per_second,
            hpke.sealed_bytes
        ))
    }
}
