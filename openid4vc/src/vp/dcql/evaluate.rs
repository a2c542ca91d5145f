use serde_json::Value;

use super::{ClaimsQuery, CredentialQuery, Query};
use crate::{
    ClaimsPath, Code, Error, Format, Result,
    vp::{Presentation, VpToken},
};

/// A credential as a query sees it: in a wallet, or in a presentation that was verified.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its format.
    pub format: &'a Format,
    /// Its `vct`, or its VCDM types: expanded ones, and compact ones for verifiers that write them so.
    pub types: &'a [String],
    /// The payload of the SD-JWT with what is disclosed, or what the wallet could disclose; or the
    /// VCDM credential.
    pub claims: &'a Value,
    /// Whether the holder can prove a key for it; of a presentation: has proven.
    pub holder_bound: bool,
}

/// A credential that fits a credential query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Its place among the candidates.
    pub candidate: usize,
    /// Claims that the verifier gets to see, besides those that cannot be withheld.
    pub disclose: Vec<ClaimsPath>,
}

/// A credential query to be answered, and with what it can be.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice<'q> {
    /// The question.
    pub query: &'q CredentialQuery,
    /// One of these, or several if the query says `multiple`; not empty.
    pub matches: Vec<Match>,
}

/// One presentation and the query it is meant to answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answered<'a> {
    /// The question.
    pub query: &'a CredentialQuery,
    /// Not yet verified.
    pub presentation: &'a Presentation,
}

impl CredentialQuery {
    /// The claims to disclose if `candidate` fits, nothing if it does not. For the verifier: whether
    /// a verified presentation answers the query.
    pub fn evaluate(&self, candidate: &Candidate<'_>) -> Option<Vec<ClaimsPath>> {
        let has = |name: &String| candidate.types.contains(name);
        let vct = &self.meta.vct_values;
        let types = &self.meta.type_values;
        if self.format != *candidate.format
            || (self.require_cryptographic_holder_binding && !candidate.holder_bound)
            || !(vct.is_empty() || vct.iter().any(has))
            || !(types.is_empty() || types.iter().any(|all| all.iter().all(has)))
        {
            return None;
        }
        if self.claim_sets.is_empty() {
            return disclose(self.claims.iter(), candidate.claims);
        }
        self.claim_sets.iter().find_map(|set| {
            let named = self
                .claims
                .iter()
                .filter(|claim| claim.id.as_ref().is_some_and(|id| set.contains(id)));
            disclose(named, candidate.claims)
        })
    }
}

/// The paths of `claims`, if the credential has them all, with one of the wanted values.
fn disclose<'a>(
    claims: impl Iterator<Item = &'a ClaimsQuery>,
    credential: &Value,
) -> Option<Vec<ClaimsPath>> {
    let mut paths: Vec<ClaimsPath> = Vec::new();
    for claim in claims {
        let found = claim.path.select(credential)?;
        if !claim.values.is_empty() && !found.iter().any(|value| claim.values.contains(value)) {
            return None;
        }
        if !paths.contains(&claim.path) {
            paths.push(claim.path.clone());
        }
    }
    Some(paths)
}

impl Query {
    /// For the wallet: what to answer, out of `candidates`. Of each required credential set the first
    /// option that can be satisfied; nothing for sets that are not required, so that no more is
    /// shown than is needed.
    pub fn choose(&self, candidates: &[Candidate<'_>]) -> Result<Vec<Choice<'_>>> {
        let choices: Vec<Choice<'_>> = self
            .credentials
            .iter()
            .map(|query| Choice {
                query,
                matches: candidates
                    .iter()
                    .enumerate()
                    .filter_map(|(candidate, credential)| {
                        let disclose = query.evaluate(credential)?;
                        Some(Match {
                            candidate,
                            disclose,
                        })
                    })
                    .collect(),
            })
            .collect();
        let can = |id: &String| {
            choices
                .iter()
                .any(|choice| choice.query.id == *id && !choice.matches.is_empty())
        };
        let wanted = self.satisfied(can).ok_or(Error::new(
            Code::AccessDenied,
            "the wallet has no credentials that answer the query",
        ))?;
        Ok(choices
            .into_iter()
            .filter(|choice| wanted.contains(&&choice.query.id))
            .collect())
    }

    /// For the verifier: each presentation with its question, if `token` has the form of an answer:
    /// nothing that was not asked for, nothing missing, and one where one was asked for. Each has yet to
    /// be verified, and then to pass [`CredentialQuery::evaluate`].
    pub fn answered_by<'a>(&'a self, token: &'a VpToken) -> Result<Vec<Answered<'a>>> {
        let invalid = |reason| Error::new(Code::InvalidRequest, reason);
        let mut answers = Vec::new();
        for (id, presentations) in token.entries() {
            let query = self
                .credentials
                .iter()
                .find(|query| query.id == *id)
                .ok_or(invalid("vp_token answers a query that was not asked"))?;
            if presentations.is_empty() || (presentations.len() > 1 && !query.multiple) {
                return Err(invalid(
                    "vp_token does not hold exactly one presentation for a query",
                ));
            }
            answers.extend(presentations.iter().map(|presentation| Answered {
                query,
                presentation,
            }));
        }
        match self.satisfied(|id| token.entries().contains_key(id)) {
            Some(_) => Ok(answers),
            None => Err(invalid("vp_token lacks a required credential")),
        }
    }

    /// The ids that satisfy what is required, the first option of each set, where `can` says what is
    /// to be had.
    fn satisfied(&self, can: impl Fn(&String) -> bool) -> Option<Vec<&String>> {
        if self.sets.is_empty() {
            let all: Vec<_> = self.credentials.iter().map(|query| &query.id).collect();
            return all.iter().all(|id| can(id)).then_some(all);
        }
        let mut wanted = Vec::new();
        for set in self.sets.iter().filter(|set| set.required) {
            wanted.extend(set.options.iter().find(|option| option.iter().all(&can))?);
        }
        Some(wanted)
    }
}
