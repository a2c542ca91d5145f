//! Digital Credentials Query Language: OID4VP section 6.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ClaimsPath, Format};

mod evaluate;

pub use evaluate::{Answered, Candidate, Choice, Match};

/// What a verifier asks for. Consistent: every id that is referred to is there, and once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Query {
    credentials: Vec<CredentialQuery>,
    sets: Vec<CredentialSet>,
}

/// One credential that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialQuery {
    /// Names it in the answer: letters, digits, `_` and `-`.
    pub id: String,
    /// In which format.
    pub format: Format,
    /// Whether several credentials may come.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub multiple: bool,
    /// Of which types.
    pub meta: Meta,
    /// Refused: this implementation cannot tell whether an authority is meant.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub trusted_authorities: Vec<Value>,
    /// Whether the holder has to prove its key.
    #[serde(skip_serializing_if = "Clone::clone", default = "yes")]
    pub require_cryptographic_holder_binding: bool,
    /// Which claims; none that can be withheld if empty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub claims: Vec<ClaimsQuery>,
    /// Alternatives of ids of `claims`, the most wanted first; all of `claims` if empty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub claim_sets: Vec<Vec<String>>,
}

/// Types of credentials. What is left out does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Meta {
    /// For `dc+sd-jwt`: any of these.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub vct_values: Vec<String>,
    /// For VCDM: all expanded types of any of these.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub type_values: Vec<Vec<String>>,
}

/// One claim that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimsQuery {
    /// Names it in `claim_sets`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// Where it stands.
    pub path: ClaimsPath,
    /// Texts, integers and truth values, one of which it must have; any if empty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub values: Vec<Value>,
}

/// Which of the credentials serve a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSet {
    /// Alternatives of ids of credential queries, the most wanted first.
    pub options: Vec<Vec<String>>,
    /// Whether one of them has to come.
    #[serde(skip_serializing_if = "Clone::clone", default = "yes")]
    pub required: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Serialize, Deserialize)]
struct Wire {
    credentials: Vec<CredentialQuery>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    credential_sets: Option<Vec<CredentialSet>>,
}

impl Query {
    /// Longest query that is read, in bytes.
    pub const MAX_LEN: usize = 64 << 10;
    /// Most credential queries, credential sets and options of a set.
    const MAX_CREDENTIALS: usize = 32;
    /// Most claims, claim sets and values of a credential query.
    const MAX_CLAIMS: usize = 128;
    /// Longest id, in bytes.
    const MAX_ID: usize = 128;

    /// A query for all of `credentials`, or, if there are `sets`, for what these combine. The error
    /// names the rule that is broken.
    pub fn new(
        credentials: Vec<CredentialQuery>,
        sets: Vec<CredentialSet>,
    ) -> Result<Self, &'static str> {
        if credentials.is_empty() || credentials.len() > Self::MAX_CREDENTIALS {
            return Err("a query asks for 1 to 32 credentials");
        }
        let mut ids = BTreeSet::new();
        for credential in &credentials {
            credential.check()?;
            if !ids.insert(credential.id.as_str()) {
                return Err("two credential queries have one id");
            }
        }
        if sets.len() > Self::MAX_CREDENTIALS {
            return Err("a query has at most 32 credential sets");
        }
        for set in &sets {
            if set.options.is_empty() || set.options.len() > Self::MAX_CREDENTIALS {
                return Err("a credential set has 1 to 32 options");
            }
            for option in &set.options {
                let unique: BTreeSet<_> = option.iter().collect();
                if option.is_empty() || unique.len() != option.len() {
                    return Err("an option of a credential set is empty or names an id twice");
                }
                if !option.iter().all(|id| ids.contains(id.as_str())) {
                    return Err("a credential set names a credential query that is not there");
                }
            }
        }
        Ok(Self { credentials, sets })
    }

    /// The credentials that are asked for.
    pub fn credentials(&self) -> &[CredentialQuery] {
        &self.credentials
    }

    /// How they are to be combined; all are wanted if this is empty.
    pub fn sets(&self) -> &[CredentialSet] {
        &self.sets
    }
}

impl CredentialQuery {
    /// A query for one credential of this format, whatever its type and with none of its claims.
    pub fn new(id: impl Into<String>, format: Format) -> Self {
        Self {
            id: id.into(),
            format,
            multiple: false,
            meta: Meta::default(),
            trusted_authorities: Vec::new(),
            require_cryptographic_holder_binding: true,
            claims: Vec::new(),
            claim_sets: Vec::new(),
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        if !is_id(&self.id) {
            return Err("an id is made of letters, digits, _ and -");
        }
        if !self.trusted_authorities.is_empty() {
            return Err("trusted_authorities is not supported");
        }
        let many = Query::MAX_CLAIMS;
        if self.claims.len() > many
            || self.claim_sets.len() > many
            || self.meta.vct_values.len() > many
            || self.meta.type_values.len() > many
        {
            return Err("a credential query has at most 128 claims, claim sets and types");
        }
        if self
            .meta
            .type_values
            .iter()
            .any(|types| types.is_empty() || types.len() > many)
        {
            return Err("an alternative of type_values is empty or too long");
        }
        let mut ids = BTreeSet::new();
        for claim in &self.claims {
            let scalar = |value: &Value| {
                value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64()
            };
            if claim.values.len() > many || !claim.values.iter().all(scalar) {
                return Err("values are texts, integers and truth values, at most 128");
            }
            match &claim.id {
                Some(id) if !is_id(id) => return Err("an id is made of letters, digits, _ and -"),
                Some(id) if !ids.insert(id.as_str()) => return Err("two claims have one id"),
                None if !self.claim_sets.is_empty() => {
                    return Err("with claim_sets each claim has an id");
                }
                _ => {}
            }
        }
        for set in &self.claim_sets {
            if set.is_empty() || set.len() > many || !set.iter().all(|id| ids.contains(id.as_str()))
            {
                return Err("a claim set is empty or names a claim that is not there");
            }
        }
        Ok(())
    }
}

fn is_id(text: &str) -> bool {
    (1..=Query::MAX_ID).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl TryFrom<Wire> for Query {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let sets = match wire.credential_sets {
            Some(sets) if sets.is_empty() => return Err("credential_sets is empty"),
            sets => sets.unwrap_or_default(),
        };
        Self::new(wire.credentials, sets)
    }
}

impl From<Query> for Wire {
    fn from(query: Query) -> Self {
        Self {
            credentials: query.credentials,
            credential_sets: (!query.sets.is_empty()).then_some(query.sets),
        }
    }
}

#[cfg(test)]
mod tests;
