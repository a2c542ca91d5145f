//! How long each step takes.

use std::{sync::Arc, time::Duration};

use blindprint_core::{Role, SystemEntropy};
use blindprint_matcher::circuit::BOOTSTRAPS;
use blindprint_template::{StoredTemplate, Submission, encode, encrypt_unproven, seal};
use indicatif::ProgressBar;
use rayon::ThreadPoolBuilder;
use serde::Serialize;

use crate::{error::Result, machine::cores, print::Printer, scene::Scene, timing::Timing};

const SHORT: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(20);

/// Seconds of each step; on one core unless the name says otherwise.
#[derive(Debug, Serialize)]
pub struct Performance {
    /// From an embedding to a code, its kernel included.
    pub encode: Timing,
    /// The encryption alone.
    pub encrypt: Timing,
    /// Encryption and proof.
    pub encrypt_and_prove: Timing,
    /// The same with all cores.
    pub encrypt_and_prove_all_cores: Timing,
    /// A submission's decoding and the verification of its proof.
    pub verify: Timing,
    /// The same with all cores.
    pub verify_all_cores: Timing,
    /// Tensor product, relinearisation and the encrypted Hamming distance.
    pub distance: Timing,
    /// One bootstrap: key switch, modulus switch, blind rotation.
    pub bootstrap: Timing,
    /// Distance, exact threshold, switch to the small key, encoding.
    pub compare: Timing,
    /// Everything a matcher does with a probe: decoding, verification, comparison.
    pub evaluate: Timing,
    /// Opening a verdict in the enclave.
    pub open: Timing,
    /// The comparison over as many bootstraps as it takes.
    pub compare_over_bootstraps: f64,
}

/// Measures everything.
pub fn measure(scene: &Scene) -> Result<Performance> {
    let bar = ProgressBar::new_spinner().with_message("timing each step");
    bar.enable_steady_tick(Duration::from_millis(200));
    let encrypt_and_prove = || {
        let binding = scene.probe.binding();
        seal(
            &scene.presented,
            &scene.public_key,
            &scene.crs,
            &binding,
            &SystemEntropy,
        )
    };
    let binding = scene.probe.binding();
    let verify = || scene.matcher.verify(&binding, &scene.probe_upload);
    let encrypt_and_prove_all_cores = Timing::of(LONG, encrypt_and_prove);
    let verify_all_cores = Timing::of(SHORT, verify);

    let template = StoredTemplate::decode(&scene.stored)?;
    let probe = Submission::decode(&scene.probe_upload)?
        .verify(&binding, &scene.public_key, &scene.crs)
        .map_err(blindprint_matcher::MatchError::from)?
        .into_glwe_words();
    let tau = binding.profile.profile().tau;
    let mut worker = scene.matcher.worker(Arc::new(SystemEntropy));
    let mut circuit = scene.matcher.circuit(Arc::new(SystemEntropy));
    let distance = circuit.distance(template.glwe_words(), &probe, tau);
    let verdict = worker.compare(&binding, &probe, &template);

    // The steps alternate between one and many threads inside tfhe, so the pool decides.
    let one_core = ThreadPoolBuilder::new().num_threads(1).build()?;
    let performance = one_core.install(|| {
        let profile = binding.profile;
        let compare = Timing::of(LONG, || worker.compare(&binding, &probe, &template));
        let bootstrap = Timing::of(SHORT, || circuit.sign(&distance));
        Performance {
            encode: Timing::of(SHORT, || {
                encode(profile, &scene.encoding_key, &scene.embedding)
            }),
            encrypt: Timing::of(SHORT, || {
                encrypt_unproven(
                    &scene.presented,
                    Role::Probe,
                    &scene.public_key,
                    &SystemEntropy,
                )
            }),
            encrypt_and_prove: Timing::of(LONG, encrypt_and_prove),
            encrypt_and_prove_all_cores,
            verify: Timing::of(SHORT, verify),
            verify_all_cores,
            distance: Timing::of(SHORT, || {
                circuit.distance(template.glwe_words(), &probe, tau)
            }),
            bootstrap,
            compare,
            evaluate: Timing::of(LONG, || {
                worker.evaluate(&binding, &scene.probe_upload, &scene.stored)
            }),
            open: Timing::of(SHORT, || scene.secret.open(&verdict)),
            compare_over_bootstraps: compare.median / (f64::from(BOOTSTRAPS) * bootstrap.median),
        }
    });
    bar.finish_and_clear();
    Ok(performance)
}

impl Performance {
    /// Prints the table.
    pub fn print(&self, out: &mut Printer) -> Result<()> {
        out.title("Speed: median [95 % confidence interval of the median]")?;
        let all = format!("{} cores", cores());
        let rows = [
            ("wallet: encode", "1 core", &self.encode),
            ("wallet: encrypt", "1 core", &self.encrypt),
            (
                "wallet: encrypt and prove",
                "1 core",
                &self.encrypt_and_prove,
            ),
            (
                "wallet: encrypt and prove",
                &all,
                &self.encrypt_and_prove_all_cores,
            ),
            ("matcher: verify a proof", "1 core", &self.verify),
            ("matcher: verify a proof", &all, &self.verify_all_cores),
            (
                "matcher: tensor product and distance",
                "1 core",
                &self.distance,
            ),
            ("matcher: one bootstrap", "1 core", &self.bootstrap),
            ("matcher: whole comparison", "1 core", &self.compare),
            (
                "matcher: whole evaluation with proof",
                "1 core",
                &self.evaluate,
            ),
            ("enclave: open a verdict", "1 core", &self.open),
        ];
        for (what, cores, timing) in rows {
            out.line(format!("{what:<38} {cores:>8}  {timing}"))?;
        }
        out.line(format!(
            "{:<38} {:>8}  {:.3} × its {BOOTSTRAPS} bootstraps",
            "whole comparison", "", self.compare_over_bootstraps
        ))
    }
}
