//! Bitstring Status List v1.0 (W3C).

use blindprint_core::UnixTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Credential, IssueError, VerifyError};

/// What a set bit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusPurpose {
    /// Gone for good.
    Revocation,
    /// Not valid at present.
    Suspension,
}

impl StatusPurpose {
    /// The `statusPurpose`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
        }
    }
}

/// Where a credential's status is told: a `BitstringStatusListEntry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEntry {
    /// What a set bit would mean.
    pub purpose: StatusPurpose,
    /// Which bit.
    pub index: u64,
    /// Where the list credential is served.
    pub list: String,
}

impl StatusEntry {
    /// As a member of `credentialStatus`. It has no `id`, which would be one more name to link by.
    pub fn to_value(&self) -> Value {
        json!({
            "type": "BitstringStatusListEntry",
            "statusPurpose": self.purpose.as_str(),
            "statusListIndex": self.index.to_string(),
            "statusListCredential": self.list,
        })
    }
}

/// A list of bits, index 0 leftmost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitstringStatusList(Vec<u8>);

impl BitstringStatusList {
    /// The fewest entries that give enough of a crowd to hide in (section 6.1).
    pub const MIN_ENTRIES: u64 = 131_072;
    /// The most that are read.
    pub const MAX_ENTRIES: u64 = 1 << 26;

    /// A list of this many entries, of which the given ones are set.
    pub fn of(entries: u64, set: impl IntoIterator<Item = u64>) -> Result<Self, VerifyError> {
        let _ = (entries, set);
        Err(VerifyError::StatusListTooShort)
    }

    /// How many entries it has.
    pub fn entries(&self) -> u64 {
        self.0.len() as u64 * 8
    }

    /// Whether the entry is set.
    pub fn is_set(&self, index: u64) -> Result<bool, VerifyError> {
        let _ = index;
        Err(VerifyError::StatusIndex)
    }

    /// `encodedList`: multibase base64url of GZIP (section 3.2).
    pub fn encode(&self) -> String {
        String::new()
    }

    /// Reads an `encodedList`.
    pub fn decode(text: &str) -> Result<Self, VerifyError> {
        let _ = text;
        Err(VerifyError::StatusListTooShort)
    }

    /// The credential that carries the list, to be served at `url`. `ttl` is in seconds.
    pub fn credential(
        &self,
        url: &str,
        issuer: &str,
        purpose: StatusPurpose,
        valid_from: UnixTime,
        valid_until: UnixTime,
        ttl: u32,
    ) -> Result<Credential, IssueError> {
        let _ = (url, issuer, purpose, valid_from, valid_until, ttl);
        Err(IssueError::KeyType)
    }
}
