//! Measures the noise of every step against the budget of `docs/noise.md`.
//!
//! `cargo test -p blindprint-matcher --test noise -- --nocapture` prints the tables there.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a test that prints the tables of docs/noise.md"
)]

mod common;

use std::{collections::BTreeMap, sync::Arc};

use blindprint_core::{Entropy, Role, SystemEntropy};
use blindprint_matcher::circuit::{Circuit, Observer, Stage};
use blindprint_template::{BiometricCode, CODE_BITS, PARAMETERS};
use common::{Setup, phase, random_code};
use tfhe::core_crypto::prelude::LweCiphertextOwned;

const N: usize = PARAMETERS.polynomial_size;
const POSITIONS: u64 = 2 * N as u64;

/// Largest standard deviation of each stage's input, log2 in units of q = 2^64, over all keys that
/// are taken: the budget.
const INPUT_BUDGET: [(Stage, f64); 7] = [
    (Stage::Distance, 46.2),
    (Stage::LowWindow, 54.2),
    (Stage::LowWindowCleared, 54.2),
    (Stage::MiddleWindow, 54.3),
    (Stage::MiddleWindowCleared, 54.7),
    (Stage::HighWindow, 51.0),
    (Stage::Sign, 49.8),
];
/// The same for the distance when both inputs carry the worst noise that their proofs allow.
const WORST_DISTANCE: f64 = 48.1;
/// The stages that a bootstrap reads.
const ROTATED: [Stage; 5] = [
    Stage::LowWindow,
    Stage::LowWindowCleared,
    Stage::MiddleWindow,
    Stage::MiddleWindowCleared,
    Stage::HighWindow,
];
/// How far a bootstrap's input may lie from the middle of its value's positions.
fn margin(stage: Stage) -> f64 {
    match stage {
        Stage::LowWindow | Stage::LowWindowCleared => 256.0,
        _ => 128.0,
    }
}

/// Largest standard deviation that key switch and modulus switch add, in positions of 2N = 4096.
fn switch_budget(stage: Stage) -> f64 {
    if stage == Stage::LowWindow { 9.1 } else { 5.0 }
}

/// Running sums of errors.
#[derive(Default, Clone, Copy)]
struct Errors {
    count: f64,
    squares: f64,
    worst: f64,
}

impl Errors {
    fn add(&mut self, error: f64) {
        self.count += 1.0;
        self.squares += error * error;
        self.worst = self.worst.max(error.abs());
    }

    fn deviation(&self) -> f64 {
        (self.squares / self.count).sqrt()
    }

    /// Whether the deviation is at most `budget`, give or take four standard errors of its estimate.
    fn within(&self, budget: f64) -> bool {
        self.deviation() <= budget * (1.0 + 4.0 / (2.0 * self.count).sqrt())
    }
}

/// Collects each stage's error, knowing v.
struct Probe<'s> {
    setup: &'s Setup,
    value: i64,
    inputs: BTreeMap<Stage, Errors>,
    switches: BTreeMap<Stage, Errors>,
    last_phase: u64,
}

impl Probe<'_> {
    /// The phase that a noiseless circuit would show.
    fn expected(&self, stage: Stage) -> u64 {
        let delta = PARAMETERS.delta();
        let v = self.value.cast_unsigned() % 2048;
        let window = |value: u64, bits: u32| (value << (64 - bits)).wrapping_add(1 << (63 - bits));
        match stage {
            Stage::Distance => v.wrapping_mul(delta),
            Stage::LowWindow => window(v % 8, 3),
            Stage::LowWindowCleared => window(v % 4, 3),
            Stage::MiddleWindow => window(v / 8 % 16, 4),
            Stage::MiddleWindowCleared => window(v / 8 % 8, 4),
            Stage::HighWindow => window(v / 128, 4),
            Stage::Sign => {
                if v >= 1024 {
                    1 << 62
                } else {
                    (1_u64 << 62).wrapping_neg()
                }
            }
        }
    }
}

impl Observer for Probe<'_> {
    fn observe(&mut self, stage: Stage, ciphertext: &LweCiphertextOwned<u64>) {
        let phase = self.setup.phase(ciphertext.as_ref());
        let error = phase.wrapping_sub(self.expected(stage)).cast_signed() as f64;
        self.inputs.entry(stage).or_default().add(error);
        self.last_phase = phase;
    }

    fn switched(&mut self, stage: Stage, positions: &[usize]) {
        let words: Vec<u64> = positions.iter().map(|position| *position as u64).collect();
        let position = phase(&words, self.setup.secret.expose_small()) % POSITIONS;
        // The switch aims at the middle of a position: half a step (two halves if only even
        // positions are used) lies between.
        let step = if stage == Stage::LowWindow { 2.0 } else { 1.0 };
        let ideal = self.last_phase as f64 / 2_f64.powi(52) - step / 2.0;
        let error = (position as f64 - ideal + POSITIONS as f64 * 1.5) % POSITIONS as f64
            - POSITIONS as f64 / 2.0;
        self.switches.entry(stage).or_default().add(error);
    }
}

/// Runs `trials` comparisons of random codes at a distance near τ, whose ciphertexts `encrypt` makes.
fn measure(
    setup: &Setup,
    trials: usize,
    mut encrypt: impl FnMut(&BiometricCode, Role) -> Vec<u64>,
) -> Probe<'_> {
    let mut circuit = setup.matcher.circuit(Arc::new(SystemEntropy));
    let mut probe = Probe {
        setup,
        value: 0,
        inputs: BTreeMap::new(),
        switches: BTreeMap::new(),
        last_phase: 0,
    };
    for _ in 0..trials {
        let (template, presented) = (random_code(), random_code());
        let tau = 1024;
        probe.value = i64::from(template.hamming(&presented)) - i64::from(tau) - 1;
        compare(
            &mut circuit,
            &mut probe,
            &encrypt(&template, Role::Template),
            &encrypt(&presented, Role::Probe),
            tau,
        );
    }
    probe
}

fn compare(circuit: &mut Circuit, probe: &mut Probe<'_>, left: &[u64], right: &[u64], tau: u16) {
    let distance = circuit.distance(left, right, tau);
    circuit.threshold(distance, probe);
}

/// log2 of the probability that a Gaussian of deviation `sigma` leaves ±`margin`, by the bound
/// erfc(x) ≤ exp(−x²)/(x√π).
fn log2_tail(margin: f64, sigma: f64) -> f64 {
    let x = margin / sigma / std::f64::consts::SQRT_2;
    -x * x * std::f64::consts::LOG2_E - (x * std::f64::consts::PI.sqrt()).log2()
}

/// log2 of the failure probability of one comparison: the union bound over its bootstraps, each with
/// the input noise in `inputs` (log2) and the budget of its switch. Prints a row for each.
fn log2_failure(inputs: &BTreeMap<Stage, f64>) -> f64 {
    println!(
        "{:<22}{:>12}{:>12}{:>10}{:>10}{:>10}",
        "bootstrap", "input", "positions", "switch", "total", "log2 p"
    );
    let mut total = 0.0_f64;
    for (stage, input) in inputs.iter().filter(|(stage, _)| ROTATED.contains(stage)) {
        let positions = (input - 52.0).exp2();
        let sigma = positions.hypot(switch_budget(*stage));
        let log2 = log2_tail(margin(*stage), sigma);
        println!(
            "{:<22}{:>12}{positions:>12.2}{:>10.2}{sigma:>10.2}{log2:>10.1}",
            format!("{stage:?}"),
            format!("2^{input:.2}"),
            switch_budget(*stage)
        );
        total += log2.exp2();
    }
    println!("log2 p_fail = {:.1}", total.log2());
    total.log2()
}

/// What each stage measured, log2.
fn measured(probe: &Probe<'_>) -> BTreeMap<Stage, f64> {
    probe
        .inputs
        .iter()
        .map(|(stage, errors)| (*stage, errors.deviation().log2()))
        .collect()
}

fn trials(default: usize) -> usize {
    std::env::var("BLINDPRINT_NOISE_TRIALS").map_or(default, |trials| trials.parse().unwrap())
}

#[test]
fn honest_noise_is_within_budget() {
    let setup = Setup::new();
    let probe = measure(&setup, trials(60), |code, role| match role {
        Role::Template => setup.template(code),
        Role::Probe => setup.probe(code),
    });
    for (stage, budget) in INPUT_BUDGET {
        let errors = &probe.inputs[&stage];
        println!(
            "{:<22} input measured 2^{:.2}, budget 2^{budget:.2}",
            format!("{stage:?}"),
            errors.deviation().log2()
        );
        assert!(errors.within(budget.exp2()), "{stage:?}");
    }
    for (stage, errors) in &probe.switches {
        println!(
            "{:<22} switch measured {:.2}, budget {:.2} positions",
            format!("{stage:?}"),
            errors.deviation(),
            switch_budget(*stage)
        );
        assert!(errors.within(switch_budget(*stage)), "{stage:?}");
    }
    println!("honest inputs, as measured:");
    log2_failure(&measured(&probe));
    println!("honest inputs, by the budget:");
    assert!(log2_failure(&INPUT_BUDGET.into()) <= -128.0);
}

/// Noise that a wallet cannot do better than: ‖(e₁, e₂)‖₂ = 2^23, the proof's bound, all of it on the one
/// root of X^N + 1 where σ's spectrum is highest (which no wallet knows), and all-ones randomness. Its
/// masks peak at the same root, further than any choice of randomness brings them: fresh masks must
/// take that advantage away.
#[test]
fn worst_proven_noise_still_decides_right() {
    let setup = Setup::new();
    let root = highest_root(setup.secret.expose_large());
    let mut circuit = setup.matcher.circuit(Arc::new(SystemEntropy));
    let mut errors = Errors::default();
    for trial in 0..trials(400) {
        let (template, presented) = (random_code(), random_code());
        let tau = 1024;
        let value = i64::from(template.hamming(&presented)) - i64::from(tau) - 1;
        let left = worst_ciphertext(&setup, &template, Role::Template, root);
        let right = worst_ciphertext(&setup, &presented, Role::Probe, root);
        let distance = circuit.distance(&left, &right, tau);
        let expected = value.cast_unsigned().wrapping_mul(PARAMETERS.delta());
        let error = setup.phase(distance.as_ref()).wrapping_sub(expected);
        errors.add(error.cast_signed() as f64);
        if trial % 20 == 0 {
            let verdict = circuit.threshold(distance, &mut ());
            let positive = setup.phase(verdict.as_ref()).cast_signed() > 0;
            assert_eq!(positive, value < 0, "distance {value} beyond the threshold");
        }
    }
    println!(
        "worst distance measured 2^{:.2}, budget 2^{WORST_DISTANCE:.2}",
        errors.deviation().log2()
    );
    assert!(errors.within(WORST_DISTANCE.exp2()));
    println!("both inputs at the proof's bound, by the budget:");
    let worst = INPUT_BUDGET.map(|(stage, honest)| match stage {
        Stage::Distance => (stage, WORST_DISTANCE),
        Stage::LowWindow | Stage::LowWindowCleared => (stage, WORST_DISTANCE + 8.0),
        // Two outputs, and what the distance brings, sixteen times as large in this window.
        Stage::MiddleWindow | Stage::MiddleWindowCleared => (
            stage,
            honest.exp2().hypot((WORST_DISTANCE + 4.0).exp2()).log2(),
        ),
        _ => (stage, honest.exp2().hypot(WORST_DISTANCE.exp2()).log2()),
    });
    assert!(log2_failure(&worst.into()) <= -128.0);
}

/// The k whose root exp((2k + 1)πi/N) is where `key`'s spectrum is highest.
fn highest_root(key: &[u64]) -> usize {
    let power = |root: usize| {
        let step = (2 * root + 1) as f64 * std::f64::consts::PI / N as f64;
        let (re, im) = key
            .iter()
            .enumerate()
            .fold((0.0, 0.0), |(re, im), (j, sign)| {
                let (sine, cosine) = (step * j as f64).sin_cos();
                let sign = sign.cast_signed() as f64;
                (re + sign * cosine, im + sign * sine)
            });
        re * re + im * im
    };
    (0..N / 2)
        .max_by(|a, b| power(*a).total_cmp(&power(*b)))
        .unwrap()
}

/// A cosine on one root of X^N + 1.
fn tone(root: usize, amplitude: f64) -> Vec<f64> {
    let step = (2 * root + 1) as f64 * std::f64::consts::PI / N as f64;
    (0..N)
        .map(|j| amplitude * (step * j as f64).cos())
        .collect()
}

fn worst_ciphertext(setup: &Setup, code: &BiometricCode, role: Role, root: usize) -> Vec<u64> {
    let sigma = setup.secret.expose_large();
    let rounded = |value: &f64| (value.round() as i64).cast_unsigned();
    // ‖e₁‖² = N/2 · 2^36 = 2^46.
    let noise: Vec<u64> = tone(root, 2_f64.powi(18)).iter().map(rounded).collect();
    let mask: Vec<u64> = tone(root, 2_f64.powi(62)).iter().map(rounded).collect();
    let product = negacyclic(&mask, sigma);
    let spread = negacyclic(&noise, sigma);
    // The public key's noise, TUniform(17), times 1 + X + … + X^(N−1).
    let key_noise: Vec<u64> = random_words(N)
        .iter()
        .map(|word| (word >> 46).wrapping_sub(1 << 17))
        .collect();
    let accumulated = negacyclic(&key_noise, &vec![1; N]);
    let mut words = mask;
    words.extend((0..N).map(|i| {
        let bit = match role {
            Role::Template => code.bit(CODE_BITS - 1 - i),
            Role::Probe => code.bit(i),
        };
        product[i]
            .wrapping_add(u64::from(bit) * PARAMETERS.delta())
            .wrapping_add(accumulated[i])
            .wrapping_add(spread[i])
    }));
    words
}

fn random_words(count: usize) -> Vec<u64> {
    let mut bytes = vec![0; 8 * count];
    SystemEntropy.fill(&mut bytes);
    bytes
        .as_chunks::<8>()
        .0
        .iter()
        .map(|word| u64::from_le_bytes(*word))
        .collect()
}

/// The ring product modulo X^N + 1.
fn negacyclic(left: &[u64], right: &[u64]) -> Vec<u64> {
    let mut out = vec![0_u64; N];
    for (i, a) in left.iter().enumerate() {
        for (j, b) in right.iter().enumerate() {
            let product = a.wrapping_mul(*b);
            let slot = &mut out[(i + j) % N];
            *slot = if i + j < N {
                slot.wrapping_add(product)
            } else {
                slot.wrapping_sub(product)
            };
        }
    }
    out
}
