//! How well codes tell people apart, in the terms of ISO/IEC 19795-1, beside the float embeddings
//! that they are made from.

pub mod dataset;
mod det;
mod groups;
mod own_key;
mod rates;
mod scores;
mod wolf;

use std::{
    fs,
    path::{Path, PathBuf},
};

use blindprint_core::ProfileId;
use serde::Serialize;

use self::{
    dataset::{Attributes, Dataset},
    groups::Group,
    own_key::OwnKey,
    rates::{OperatingPoint, Rates},
    wolf::{Best, Wolf},
};
use crate::{
    error::{Error, Result},
    print::Printer,
};

const TARGETS: [f64; 3] = [1e-2, 1e-3, 1e-4];
/// Encoding keys drawn for each subject; a key's chance is part of the rates.
const ROUNDS: usize = 5;

/// Accuracy on one data set.
#[derive(Debug, Serialize)]
pub struct Accuracy {
    /// Its name.
    pub dataset: String,
    /// People.
    pub subjects: usize,
    /// Captures.
    pub captures: usize,
    /// The profile.
    pub profile: &'static str,
    /// Its threshold.
    pub tau: u16,
    /// Encoding keys per subject.
    pub rounds: usize,
    /// Rates of Euclidean distance.
    pub floats: Vec<OperatingPoint>,
    /// Rates of codes whose impostors hold the target's wallet.
    pub codes: Vec<OperatingPoint>,
    /// The same at τ.
    pub codes_at_tau: OperatingPoint,
    /// Codes whose impostors hold wallets of their own.
    pub own_key: OwnKey,
    /// What a thief of the wallet achieves without the person's face, by strategy.
    pub wolf: Vec<Wolf>,
    /// The best of them at τ within 1, 5 and 49 guesses: the wolf attack probability.
    pub wolf_at_tau: Vec<Best>,
    /// By published attribute.
    pub groups: Vec<Group>,
    /// Points of the DET curves.
    pub det_table: PathBuf,
    /// Their picture.
    pub det_picture: PathBuf,
}

/// Measures one data set and writes its DET curves into `folder`.
pub fn measure(
    dataset: &Dataset,
    profile: ProfileId,
    attributes: &Attributes,
    folder: &Path,
) -> Result<Accuracy> {
    let tau = profile.profile().tau;
    let below_tau = f32::from(tau) + 1.0;
    let floats = scores::of_floats(dataset);
    let codes = scores::of_codes(dataset, profile, ROUNDS)?;
    let at_targets = |rates: &Rates<'_>| TARGETS.map(|target| rates.at_fmr(target)).to_vec();
    let code_rates = Rates::of(&codes);
    let code_points = at_targets(&code_rates);
    let mut thresholds = vec![tau];
    thresholds.extend(
        code_points
            .iter()
            .map(|point| (point.below as u16).saturating_sub(1)),
    );

    let write = |ending: &str, text: String| {
        let path = folder.join(format!("det-{}.{ending}", dataset.name));
        fs::write(&path, text).map_err(Error::file(&path))?;
        Ok::<_, Error>(path)
    };
    let (float_curve, code_curve) = (det::curve(&floats), det::curve(&codes));
    let mark = det::at(&codes, below_tau);
    let wolf = wolf::measure(dataset, profile, &thresholds, ROUNDS)?;
    let title = format!("{}: {} people", dataset.name, dataset.subjects.len());
    Ok(Accuracy {
        dataset: dataset.name.clone(),
        subjects: dataset.subjects.len(),
        captures: dataset.captures.len(),
        profile: profile.as_str(),
        tau,
        rounds: ROUNDS,
        floats: at_targets(&Rates::of(&floats)),
        codes: code_points,
        codes_at_tau: code_rates.at(below_tau),
        own_key: own_key::measure(dataset, profile)?,
        wolf_at_tau: wolf::best(&wolf),
        wolf,
        groups: groups::measure(dataset, &codes, attributes, below_tau),
        det_table: write("csv", det::table(&float_curve, &code_curve))?,
        det_picture: write(
            "svg",
            det::picture(&title, &float_curve, &code_curve, (tau, mark)),
        )?,
    })
}

impl Accuracy {
    /// Prints the tables.
    pub fn print(&self, out: &mut Printer) -> Result<()> {
        out.title(format!(
            "Accuracy on {}: {} people, {} captures, {} keys each [95 % intervals over people]",
            self.dataset, self.subjects, self.captures, self.rounds
        ))?;
        for (name, points) in [("float, L2", &self.floats), ("code, HD", &self.codes)] {
            for point in points {
                let fmr = point.target_fmr.unwrap_or_default();
                let threshold = format!("< {}", point.below);
                out.line(format!(
                    "{name:<10} FMR ≤ {fmr:<7e} {threshold:<14} FNMR {} ({} of {})",
                    point.fnmr.percent(),
                    point.fnmr.errors,
                    point.fnmr.comparisons
                ))?;
            }
        }
        let at = &self.codes_at_tau;
        out.line(format!(
            "code, HD   at τ = {}: FMR {} ({} of {}), FNMR {} ({} of {})",
            self.tau,
            at.fmr.scientific(),
            at.fmr.errors,
            at.fmr.comparisons,
            at.fnmr.percent(),
            at.fnmr.errors,
            at.fnmr.comparisons
        ))?;
        let own = &self.own_key;
        out.line(format!(
            "impostors under their own keys: HD {:.2} ± {:.2}, from {} to {}, {} of {} match; FMR of unrelated codes 2^{:.0}",
            own.mean, own.deviation, own.smallest, own.largest, own.matches, own.comparisons, own.log2_fmr
        ))?;
        for wolf in &self.wolf {
            let shares: Vec<String> = wolf
                .accepted
                .iter()
                .map(|share| format!("τ {}: {share}", share.tau))
                .collect();
            out.line(format!(
                "wolf: {:<18} {:>2} guesses  {}",
                wolf.strategy,
                wolf.guesses,
                shares.join("  ")
            ))?;
        }
        for best in &self.wolf_at_tau {
            out.line(format!(
                "wolf attack probability, {:>2} guesses: {} ({})",
                best.guesses, best.accepted, best.strategy
            ))?;
        }
        for group in &self.groups {
            out.line(format!(
                "{:<9} {:<14} {:>3} people  FMR {} ({} of {})  FNMR {} ({} of {})",
                group.attribute,
                group.value,
                group.subjects,
                group.fmr.scientific(),
                group.fmr.errors,
                group.fmr.comparisons,
                group.fnmr.percent(),
                group.fnmr.errors,
                group.fnmr.comparisons
            ))?;
        }
        out.line(format!("DET curves: {}", self.det_picture.display()))
    }
}
