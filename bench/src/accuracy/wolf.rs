//! Wolf attack probability (Une, Otsuka, Imai, "Wolf attack probability", ICB 2007; claim 4 of
//! `docs/threat-model.md`): the share of templates accepted by the best codes that a thief of the wallet,
//! who holds κ but not the person, can choose.
//!
//! Half of the subjects, drawn anew in each round, are the attacker's public set; the others are
//! victims, each under a fresh key. The attacker guesses with the service's limits: 1 try, 5 tries before
//! the first wait, 49 before the account is locked.

use std::collections::BTreeMap;

use blindprint_core::ProfileId;
use blindprint_template::{BiometricCode, CODE_BITS, encode_all};
use indicatif::ProgressBar;
use rayon::prelude::*;
use serde::Serialize;

use super::{dataset::Dataset, scores::euclidean};
use crate::{
    error::Result,
    random::{Random, encoding_key},
};

/// Guesses before the service reacts.
const GUESSES: [usize; 3] = [1, 5, 49];
/// Clusterings of the public set.
const CLUSTERS: [usize; 5] = [3, 5, 10, 30, 49];
/// With the mean, 49 guesses from coarse to fine.
const NESTED: [usize; 4] = [3, 5, 10, 30];
/// Rounds of Lloyd's algorithm; it settles long before.
const LLOYD_ROUNDS: usize = 50;

/// One way to choose guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The code of the embedding zero.
    ZeroVector,
    /// The code of the public set's mean embedding.
    PopulationMean,
    /// Bit by bit what most of the public set's codes have; no embedding gives it.
    MajorityCode,
    /// The codes of the public set's cluster centres (k-means).
    ClusterCentres,
    /// The mean, then the centres of 3, 5, 10 and 30 clusters.
    NestedCentres,
    /// The majority codes of the clusters.
    ClusterMajorities,
}

/// What one strategy achieves.
#[derive(Debug, Clone, Serialize)]
pub struct Wolf {
    /// How guesses are chosen.
    pub strategy: Strategy,
    /// How many.
    pub guesses: usize,
    /// For each threshold, in the order given: the share of templates accepted.
    pub accepted: Vec<Share>,
}

/// A share of templates, with its 95 % confidence interval over victims.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Share {
    /// Templates at or below this distance from a guess count as accepted.
    pub tau: u16,
    /// The share.
    pub rate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The best that was found within a number of guesses.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Best {
    /// At most so many.
    pub guesses: usize,
    /// How.
    pub strategy: Strategy,
    /// Templates accepted at the first threshold.
    pub accepted: Share,
}

/// The best strategy at the first threshold for each number of guesses.
pub fn best(wolves: &[Wolf]) -> Vec<Best> {
    GUESSES
        .iter()
        .filter_map(|guesses| {
            wolves
                .iter()
                .filter(|wolf| wolf.guesses <= *guesses)
                .map(|wolf| Best {
                    guesses: *guesses,
                    strategy: wolf.strategy,
                    accepted: wolf.accepted[0],
                })
                .max_by(|a, b| a.accepted.rate.total_cmp(&b.accepted.rate))
        })
        .collect()
}

/// The smallest distance of any guess to one template.
#[derive(Clone, Copy)]
struct Attack {
    strategy: Strategy,
    guesses: usize,
    victim: usize,
    nearest: u16,
}

/// The attacker's public set and what was computed from it.
struct PublicSet<'d> {
    captures: Vec<&'d [f32]>,
    mean: Vec<f32>,
    clusterings: Vec<Clustering>,
}

struct Clustering {
    centres: Vec<Vec<f32>>,
    /// The centre of each public capture.
    assigned: Vec<usize>,
}

/// Attacks every victim of every round and counts what each of `thresholds` accepts.
pub fn measure(
    dataset: &Dataset,
    profile: ProfileId,
    thresholds: &[u16],
    rounds: usize,
) -> Result<Vec<Wolf>> {
    let bar = ProgressBar::new((rounds * (dataset.subjects.len() / 2)) as u64);
    let mut attacks = Vec::new();
    for round in 0..rounds {
        let mut random = Random::for_label(&format!("{}/wolf/{round}", dataset.name));
        let mut subjects: Vec<usize> = (0..dataset.subjects.len()).collect();
        random.shuffle(&mut subjects);
        let (victims, public) = subjects.split_at(subjects.len() / 2);
        let public = PublicSet::new(dataset, public, &mut random);
        attacks.extend(
            victims
                .par_iter()
                .map(|victim| attack(dataset, profile, &public, *victim, round))
                .inspect(|_| bar.inc(1))
                .collect::<Result<Vec<_>>>()?
                .concat(),
        );
    }
    bar.finish_and_clear();
    let mut by_strategy: BTreeMap<(Strategy, usize), Vec<&Attack>> = BTreeMap::new();
    for attack in &attacks {
        by_strategy
            .entry((attack.strategy, attack.guesses))
            .or_default()
            .push(attack);
    }
    Ok(by_strategy
        .into_iter()
        .map(|((strategy, guesses), attacks)| Wolf {
            strategy,
            guesses,
            accepted: thresholds
                .iter()
                .map(|tau| share(&attacks, *tau, dataset.subjects.len()))
                .collect(),
        })
        .collect())
}

impl<'d> PublicSet<'d> {
    fn new(dataset: &'d Dataset, subjects: &[usize], random: &mut Random) -> Self {
        let captures: Vec<&[f32]> = dataset
            .captures
            .iter()
            .filter(|capture| subjects.contains(&usize::from(capture.subject)))
            .map(|capture| &*capture.embedding)
            .collect();
        let mean = mean(captures.iter().copied());
        let clusterings = CLUSTERS
            .into_iter()
            .filter(|count| *count <= captures.len())
            .map(|count| Clustering::new(&captures, count, random))
            .collect();
        Self {
            captures,
            mean,
            clusterings,
        }
    }
}

impl Clustering {
    /// Lloyd's algorithm from randomly chosen captures.
    fn new(captures: &[&[f32]], count: usize, random: &mut Random) -> Self {
        let mut order: Vec<usize> = (0..captures.len()).collect();
        random.shuffle(&mut order);
        let mut centres: Vec<Vec<f32>> = order[..count]
            .iter()
            .map(|i| captures[*i].to_vec())
            .collect();
        let mut assigned = Vec::new();
        for _ in 0..LLOYD_ROUNDS {
            assigned = captures
                .iter()
                .map(|capture| nearest(&centres, capture))
                .collect();
            for (i, centre) in centres.iter_mut().enumerate() {
                let members = captures.iter().zip(&assigned).filter(|(_, at)| **at == i);
                if members.clone().next().is_some() {
                    *centre = mean(members.map(|(capture, _)| *capture));
                }
            }
        }
        Self { centres, assigned }
    }
}

fn nearest(centres: &[Vec<f32>], capture: &[f32]) -> usize {
    let distance = |i: &usize| euclidean(&centres[*i], capture);
    (0..centres.len())
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .expect("a clustering has centres")
}

fn mean<'c>(captures: impl Iterator<Item = &'c [f32]>) -> Vec<f32> {
    let mut sum = Vec::new();
    let mut count = 0.0;
    for capture in captures {
        sum.resize(capture.len(), 0.0);
        count += 1.0;
        for (sum, value) in sum.iter_mut().zip(capture) {
            *sum += value;
        }
    }
    sum.iter().map(|sum| sum / count).collect()
}

/// Every strategy against every template of one victim, under a key of the victim's.
fn attack(
    dataset: &Dataset,
    profile: ProfileId,
    public: &PublicSet<'_>,
    victim: usize,
    round: usize,
) -> Result<Vec<Attack>> {
    let label = format!("{}/wolf/{round}/{}", dataset.name, dataset.subjects[victim]);
    let key = encoding_key(&label);
    let encode = |embeddings: &[&[f32]]| encode_all(profile, &key, embeddings);

    let templates: Vec<&[f32]> = dataset
        .captures
        .iter()
        .filter(|capture| usize::from(capture.subject) == victim)
        .map(|capture| &*capture.embedding)
        .collect();
    let zero = vec![0.0; public.mean.len()];
    let centres = public
        .clusterings
        .iter()
        .flat_map(|clustering| &clustering.centres);
    let embeddings: Vec<&[f32]> = templates
        .iter()
        .copied()
        .chain([&*zero, &*public.mean])
        .chain(centres.map(Vec::as_slice))
        .chain(public.captures.iter().copied())
        .collect();
    let codes = encode(&embeddings)?;
    let (templates, codes) = codes.split_at(templates.len());
    let (fixed, mut codes) = codes.split_at(2);
    let mut guesses = vec![
        (Strategy::ZeroVector, fixed[..1].to_vec()),
        (Strategy::PopulationMean, fixed[1..].to_vec()),
    ];
    let mut nested = fixed[1..].to_vec();
    for clustering in &public.clusterings {
        let count = clustering.centres.len();
        let (centres, rest) = codes.split_at(count);
        if GUESSES.contains(&count) {
            guesses.push((Strategy::ClusterCentres, centres.to_vec()));
        }
        if NESTED.contains(&count) {
            nested.extend_from_slice(centres);
        }
        codes = rest;
    }
    guesses.push((Strategy::NestedCentres, nested));
    guesses.push((Strategy::MajorityCode, vec![majority(codes.iter())]));
    for clustering in &public.clusterings {
        let count = clustering.centres.len();
        if !GUESSES.contains(&count) {
            continue;
        }
        let majorities = (0..count).map(|i| {
            let members = codes
                .iter()
                .zip(&clustering.assigned)
                .filter(move |(_, at)| **at == i);
            majority(members.map(|(code, _)| code))
        });
        guesses.push((Strategy::ClusterMajorities, majorities.collect()));
    }
    Ok(templates
        .iter()
        .flat_map(|template| {
            guesses.iter().map(move |(strategy, codes)| Attack {
                strategy: *strategy,
                guesses: codes.len(),
                victim,
                nearest: codes
                    .iter()
                    .map(|code| code.hamming(template))
                    .min()
                    .expect("every strategy guesses"),
            })
        })
        .collect())
}

fn majority<'c>(codes: impl Iterator<Item = &'c BiometricCode>) -> BiometricCode {
    let codes: Vec<_> = codes.collect();
    BiometricCode::from_bits(
        (0..CODE_BITS).map(|i| 2 * codes.iter().filter(|code| code.bit(i)).count() > codes.len()),
    )
}

/// The share of attacks that `tau` accepts; its interval by a bootstrap over victims.
fn share(attacks: &[&Attack], tau: u16, subjects: usize) -> Share {
    let mut accepted = vec![0.0; subjects];
    let mut tried = vec![0.0; subjects];
    for attack in attacks {
        tried[attack.victim] += 1.0;
        accepted[attack.victim] += f64::from(u8::from(attack.nearest <= tau));
    }
    let rate = |weights: &[u32]| {
        let sum = |counts: &[f64]| -> f64 {
            counts
                .iter()
                .zip(weights)
                .map(|(count, weight)| count * f64::from(*weight))
                .sum()
        };
        sum(&accepted) / sum(&tried)
    };
    let mut rates: Vec<f64> = (0..super::rates::SAMPLES)
        .map(|i| rate(&Random::for_label(&format!("bootstrap {i}")).resample(subjects)))
        .collect();
    rates.sort_by(f64::total_cmp);
    let at = |share: f64| rates[(share * (rates.len() - 1) as f64).round() as usize];
    Share {
        tau,
        rate: rate(&vec![1; subjects]),
        low: at(0.025),
        high: at(0.975),
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [rate, low, high] = [self.rate, self.low, self.high].map(|share| 100.0 * share);
        write!(f, "{rate:.2} % [{low:.2} – {high:.2}]")
    }
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::ZeroVector => "zero vector",
            Self::PopulationMean => "population mean",
            Self::MajorityCode => "majority code",
            Self::ClusterCentres => "cluster centres",
            Self::NestedCentres => "nested centres",
            Self::ClusterMajorities => "cluster majorities",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_gather_what_is_close() {
        let captures: Vec<Vec<f32>> = (0..20)
            .map(|i: u8| vec![f32::from(i % 2) * 10.0 + f32::from(i) * 0.01])
            .collect();
        let slices: Vec<&[f32]> = captures.iter().map(Vec::as_slice).collect();
        let clustering = Clustering::new(&slices, 2, &mut Random::for_label("clusters"));
        for i in 0..18 {
            assert_eq!(clustering.assigned[i], clustering.assigned[i + 2]);
        }
        assert_ne!(clustering.assigned[0], clustering.assigned[1]);
    }

    #[test]
    fn a_majority_is_close_to_its_members() {
        let code = |bits: [bool; 3]| BiometricCode::from_bits(bits);
        let codes = [
            code([true, true, false]),
            code([true, false, false]),
            code([true, true, true]),
        ];
        let majority = majority(codes.iter());
        assert_eq!(majority.hamming(&codes[0]), 0);
    }
}
