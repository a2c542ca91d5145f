//! Comparison scores: distances, so smaller means more alike.

use blindprint_core::ProfileId;
use blindprint_template::encode_all;
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::dataset::Dataset;
use crate::{error::Result, random::encoding_key};

/// One comparison of a probe with a reference.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    /// The distance.
    pub score: f32,
    /// Whose template.
    pub reference: u16,
    /// Whose probe.
    pub probe: u16,
}

/// All comparisons of a data set, in the order of their scores.
pub struct Scores {
    /// How many people there are.
    pub subjects: usize,
    /// Of a person with themselves.
    pub genuine: Vec<Comparison>,
    /// Of two people.
    pub impostor: Vec<Comparison>,
}

impl Scores {
    /// Sorts comparisons into genuine and impostor ones.
    pub fn new(subjects: usize, comparisons: Vec<Comparison>) -> Self {
        let (mut genuine, mut impostor): (Vec<_>, Vec<_>) = comparisons
            .into_iter()
            .partition(|pair| pair.reference == pair.probe);
        for list in [&mut genuine, &mut impostor] {
            list.par_sort_unstable_by(|a, b| a.score.total_cmp(&b.score));
        }
        Self {
            subjects,
            genuine,
            impostor,
        }
    }

    /// The comparisons among the subjects for whom `member` is true.
    pub fn among(&self, member: &[bool]) -> Self {
        let within = |list: &[Comparison]| {
            list.iter()
                .filter(|pair| {
                    member[usize::from(pair.reference)] && member[usize::from(pair.probe)]
                })
                .copied()
                .collect()
        };
        Self {
            subjects: self.subjects,
            genuine: within(&self.genuine),
            impostor: within(&self.impostor),
        }
    }
}

/// Euclidean distances of every unordered pair of captures.
pub fn of_floats(dataset: &Dataset) -> Scores {
    let captures = &dataset.captures;
    let comparisons = (0..captures.len())
        .into_par_iter()
        .flat_map_iter(|i| {
            let first = &captures[i];
            captures[i + 1..].iter().map(move |second| Comparison {
                score: euclidean(&first.embedding, &second.embedding),
                reference: first.subject,
                probe: second.subject,
            })
        })
        .collect();
    Scores::new(dataset.subjects.len(), comparisons)
}

/// Hamming distances of codes, where every reference is compared with every probe under the
/// encoding key of the *reference's* subject: for an impostor this is a stolen wallet in a stranger's
/// hand, the hardest case. Each round draws new keys.
pub fn of_codes(dataset: &Dataset, profile: ProfileId, rounds: usize) -> Result<Scores> {
    let embeddings: Vec<&[f32]> = dataset
        .captures
        .iter()
        .map(|capture| &*capture.embedding)
        .collect();
    let subjects = dataset.subjects.len();
    let bar = ProgressBar::new((rounds * subjects) as u64);
    let comparisons = (0..rounds * subjects)
        .into_par_iter()
        .map(|i| {
            let (round, reference) = (i / subjects, i % subjects);
            let label = format!("{}/{round}/{}", dataset.name, dataset.subjects[reference]);
            let codes = encode_all(profile, &encoding_key(&label), &embeddings)?;
            let mut comparisons = Vec::new();
            for (a, capture) in dataset.captures.iter().enumerate() {
                if usize::from(capture.subject) != reference {
                    continue;
                }
                for (b, other) in dataset.captures.iter().enumerate() {
                    // Under one key the distance is symmetric: a genuine pair counts once.
                    if other.subject == capture.subject && b <= a {
                        continue;
                    }
                    comparisons.push(Comparison {
                        score: f32::from(codes[a].hamming(&codes[b])),
                        reference: capture.subject,
                        probe: other.subject,
                    });
                }
            }
            Ok(comparisons)
        })
        .inspect(|_| bar.inc(1))
        .collect::<Result<Vec<_>>>()?;
    bar.finish_and_clear();
    Ok(Scores::new(subjects, comparisons.concat()))
}

/// Euclidean distance.
pub fn euclidean(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f32>()
        .sqrt()
}
