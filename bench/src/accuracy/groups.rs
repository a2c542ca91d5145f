//! Error rates by published attribute, at the profile's threshold.

use serde::Serialize;

use super::{
    dataset::{Attributes, Dataset},
    rates::{Estimate, Rates},
    scores::Scores,
};

/// Smaller groups say nothing.
const FEWEST_SUBJECTS: usize = 9;

/// One group. Impostors are of the same group, which is harder than the population at large.
#[derive(Debug, Serialize)]
pub struct Group {
    /// `sex`, `age` or `ethnicity`.
    pub attribute: &'static str,
    /// As published; ages in bands.
    pub value: String,
    /// People in it.
    pub subjects: usize,
    /// False match rate.
    pub fmr: Estimate,
    /// False non-match rate.
    pub fnmr: Estimate,
}

/// Every group that is large enough.
pub fn measure(
    dataset: &Dataset,
    scores: &Scores,
    attributes: &Attributes,
    below: f32,
) -> Vec<Group> {
    let mut groups = Vec::new();
    for (attribute, people) in attributes {
        let mut values: Vec<&String> = people.values().collect();
        values.sort();
        values.dedup();
        for value in values {
            let member: Vec<bool> = dataset
                .subjects
                .iter()
                .map(|label| people.get(label) == Some(value))
                .collect();
            let subjects = member.iter().filter(|member| **member).count();
            let scores = scores.among(&member);
            if subjects < FEWEST_SUBJECTS || scores.genuine.is_empty() {
                continue;
            }
            let point = Rates::of(&scores).at(below);
            groups.push(Group {
                attribute,
                value: value.clone(),
                subjects,
                fmr: point.fmr,
                fnmr: point.fnmr,
            });
        }
    }
    groups
}
