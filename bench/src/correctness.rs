//! The encrypted verdict equals the decision in clear, on both sides of the threshold, near it and
//! at the ends.

use std::sync::Arc;

use blindprint_core::{Binding, Entropy, Role, SystemEntropy};
use blindprint_matcher::Worker;
use blindprint_template::{BiometricCode, CODE_BITS, encrypt_unproven};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

use crate::{error::Result, print::Printer, random::Random, scene::Scene};

/// Random pairs, half of them on each side of τ.
const RANDOM_PAIRS: usize = 1000;
/// Distances on each side of τ of which every one is tried.
const NEAR: usize = 8;
/// Pairs at each of these distances.
const NEAR_REPEATS: usize = 8;

/// How many verdicts were right.
#[derive(Debug, Serialize)]
pub struct Correctness {
    /// τ of the profile.
    pub tau: u16,
    /// Codes were drawn from this label; ciphertexts are fresh in every run.
    pub label: String,
    /// By kind of pair.
    pub kinds: Vec<Kind>,
}

/// One kind of pair.
#[derive(Debug, Serialize)]
pub struct Kind {
    /// Which.
    pub name: &'static str,
    /// Pairs tried.
    pub pairs: usize,
    /// Of these, pairs that match in clear.
    pub matching: usize,
    /// Verdicts that differ from the decision in clear.
    pub wrong: usize,
}

/// Two codes of a kind.
struct Pair {
    kind: &'static str,
    enrolled: BiometricCode,
    presented: BiometricCode,
}

/// Tries all pairs on all cores.
pub fn measure(scene: &Scene) -> Result<Correctness> {
    let binding = scene.probe.binding();
    let tau = binding.profile.profile().tau;
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    let label = format!("correctness {:016x}", u64::from_le_bytes(bytes));
    let pairs = pairs(usize::from(tau), &mut Random::for_label(&label));
    let bar = ProgressBar::new(pairs.len() as u64).with_style(
        ProgressStyle::with_template("verdicts {bar:40} {pos}/{len} {eta}")
            .expect("a constant template"),
    );
    let outcomes = pairs
        .par_iter()
        .map_init(
            || scene.matcher.worker(Arc::new(SystemEntropy)),
            |worker, pair| check(scene, worker, &binding, pair),
        )
        .inspect(|_| bar.inc(1))
        .collect::<Result<Vec<_>>>()?;
    bar.finish_and_clear();

    let mut kinds: Vec<Kind> = Vec::new();
    for (name, matches, right) in outcomes {
        if kinds.last().is_none_or(|kind| kind.name != name) {
            kinds.push(Kind {
                name,
                pairs: 0,
                matching: 0,
                wrong: 0,
            });
        }
        if let Some(kind) = kinds.last_mut() {
            kind.pairs += 1;
            kind.matching += usize::from(matches);
            kind.wrong += usize::from(!right);
        }
    }
    Ok(Correctness { tau, label, kinds })
}

/// The kind, whether the pair matches in clear, and whether the opened verdict says the same.
fn check(
    scene: &Scene,
    worker: &mut Worker<'_>,
    binding: &Binding,
    pair: &Pair,
) -> Result<(&'static str, bool, bool)> {
    let encrypt = |code, role| encrypt_unproven(code, role, &scene.public_key, &SystemEntropy);
    let template = scene.stored_unproven(&encrypt(&pair.enrolled, Role::Template))?;
    let probe = encrypt(&pair.presented, Role::Probe);
    let verdict = scene
        .secret
        .open(&worker.compare(binding, &probe, &template))?;
    let matches = binding
        .profile
        .profile()
        .matches(pair.enrolled.hamming(&pair.presented));
    Ok((pair.kind, matches, verdict == matches))
}

fn pairs(tau: usize, random: &mut Random) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut add = |kind, enrolled: BiometricCode, presented| {
        pairs.push(Pair {
            kind,
            enrolled,
            presented,
        });
    };
    for i in 0..RANDOM_PAIRS {
        let distance = if i % 2 == 0 {
            random.below(tau + 1)
        } else {
            tau + 1 + random.below(CODE_BITS - tau)
        };
        // Any weight, not only about one half: the circuit must not depend on it.
        let weight = random.below(CODE_BITS + 1);
        let code = code_of_weight(weight, random);
        let other = at_distance(&code, distance, random);
        add("random, both sides of τ", code, other);
    }
    for _ in 0..100 {
        let [code, other] = [(); 2].map(|()| code_of_weight(CODE_BITS / 2, random));
        add("independent codes", code, other);
    }
    for distance in tau - NEAR..=tau + NEAR {
        for _ in 0..NEAR_REPEATS {
            let code = code_of_weight(CODE_BITS / 2, random);
            let other = at_distance(&code, distance, random);
            add("every distance within ±8 of τ", code, other);
        }
    }
    for distance in [0, 1, CODE_BITS - 1, CODE_BITS] {
        for _ in 0..NEAR_REPEATS {
            let code = code_of_weight(CODE_BITS / 2, random);
            let other = at_distance(&code, distance, random);
            add("distances 0, 1, 2047, 2048", code, other);
        }
    }
    for first in [0, CODE_BITS] {
        for second in [
            0,
            CODE_BITS,
            tau,
            tau + 1,
            CODE_BITS - tau,
            CODE_BITS - tau - 1,
        ] {
            let code = code_of_weight(first, random);
            let other = code_of_weight(second, random);
            add("weights 0 and 2048", code, other);
        }
    }
    pairs
}

fn code_of_weight(weight: usize, random: &mut Random) -> BiometricCode {
    let mut bits: Vec<bool> = (0..CODE_BITS).map(|i| i < weight).collect();
    random.shuffle(&mut bits);
    BiometricCode::from_bits(bits)
}

/// `code` with `distance` of its bits flipped.
fn at_distance(code: &BiometricCode, distance: usize, random: &mut Random) -> BiometricCode {
    let flips = code_of_weight(distance, random);
    BiometricCode::from_bits((0..CODE_BITS).map(|i| code.bit(i) != flips.bit(i)))
}

impl Correctness {
    /// Whether every verdict was right.
    pub fn holds(&self) -> bool {
        self.kinds.iter().all(|kind| kind.wrong == 0)
    }

    /// Prints the table.
    pub fn print(&self, out: &mut Printer) -> Result<()> {
        out.title(format!(
            "Correctness: verdict against decision in clear, τ = {}",
            self.tau
        ))?;
        for Kind {
            name,
            pairs,
            matching,
            wrong,
        } in &self.kinds
        {
            out.line(format!(
                "{name:<38} {pairs:>5} pairs, {matching:>4} match, {wrong} wrong verdicts"
            ))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn pairs_lie_where_they_should() {
        let pairs = pairs(664, &mut Random::for_label("test"));
        let of = |kind: &'static str| pairs.iter().filter(move |pair| pair.kind == kind);
        let distance = |pair: &Pair| pair.enrolled.hamming(&pair.presented);
        let random: Vec<u16> = of("random, both sides of τ").map(distance).collect();
        assert_eq!(
            random.iter().filter(|distance| **distance <= 664).count(),
            500
        );
        let near: BTreeSet<u16> = of("every distance within ±8 of τ").map(distance).collect();
        assert_eq!(near, (656..=672).collect());
        let ends: BTreeSet<u16> = of("distances 0, 1, 2047, 2048").map(distance).collect();
        assert_eq!(ends, BTreeSet::from([0, 1, 2047, 2048]));
    }
}
