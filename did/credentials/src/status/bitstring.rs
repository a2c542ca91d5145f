//! Bitstring Status List v1.0 (W3C).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::UnixTime;
use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::io::Write as _;

use super::{MAX_ENCODED, inflate};
use crate::{
    Credential, Document, IssueError, VerifyError,
    credential::{self, BASE_CONTEXT},
    timestamp,
};

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

    /// Reads a member of `credentialStatus`.
    pub(crate) fn parse(entry: &Map<String, Value>) -> Result<Self, VerifyError> {
        let text = |name| entry.get(name).and_then(Value::as_str);
        let unknown =
            |what: Option<&str>| VerifyError::UnknownStatus(what.unwrap_or("?").to_owned());
        if text("type") != Some("BitstringStatusListEntry") {
            return Err(unknown(text("type")));
        }
        let purpose = match text("statusPurpose") {
            Some("revocation") => StatusPurpose::Revocation,
            Some("suspension") => StatusPurpose::Suspension,
            other => return Err(unknown(other)),
        };
        // Both purposes take one bit (section 2.1).
        if entry.get("statusSize").is_some_and(|size| size != 1) {
            return Err(unknown(Some("statusSize")));
        }
        let index = text("statusListIndex")
            .filter(|index| index.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|index| index.parse().ok())
            .ok_or(VerifyError::Malformed(
                "statusListIndex is no number in a string",
            ))?;
        let list = text("statusListCredential")
            .filter(|url| credential::is_url(url))
            .ok_or(VerifyError::Malformed("statusListCredential is no URL"))?;
        Ok(Self {
            purpose,
            index,
            list: list.to_owned(),
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
    pub const MAX_ENTRIES: u64 = 1 << 24;

    /// A list of this many entries, rounded up to whole bytes, of which the given ones are set.
    pub fn of(entries: u64, set: impl IntoIterator<Item = u64>) -> Result<Self, VerifyError> {
        if entries < Self::MIN_ENTRIES {
            return Err(VerifyError::StatusListTooShort);
        }
        if entries > Self::MAX_ENTRIES {
            return Err(VerifyError::StatusListTooLong);
        }
        let length = usize::try_from(entries.div_ceil(8)).expect("2^21 bytes have addresses");
        let mut bytes = vec![0; length];
        for index in set {
            *byte_mut(&mut bytes, index)? |= mask(index);
        }
        Ok(Self(bytes))
    }

    /// How many entries it has.
    pub fn entries(&self) -> u64 {
        self.0.len() as u64 * 8
    }

    /// Whether the entry is set.
    pub fn is_set(&self, index: u64) -> Result<bool, VerifyError> {
        let at = usize::try_from(index / 8).map_err(|_| VerifyError::StatusIndex)?;
        let byte = self.0.get(at).ok_or(VerifyError::StatusIndex)?;
        Ok(byte & mask(index) != 0)
    }

    /// `encodedList`: multibase base64url of GZIP (section 3.2).
    ///
    /// # Panics
    /// Never: it compresses into memory.
    pub fn encode(&self) -> String {
        // Without time and name: the same list is always the same text.
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
        gzip.write_all(&self.0).expect("memory takes everything");
        let compressed = gzip.finish().expect("memory takes everything");
        format!("u{}", URL_SAFE_NO_PAD.encode(compressed))
    }

    /// Reads an `encodedList`.
    pub fn decode(text: &str) -> Result<Self, VerifyError> {
        if text.len() > MAX_ENCODED {
            return Err(VerifyError::StatusListTooLong);
        }
        let compressed = text
            .strip_prefix('u')
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .ok_or(VerifyError::Malformed(
                "encodedList is not multibase base64url",
            ))?;
        let list = Self(inflate(GzDecoder::new(compressed.as_slice()))?);
        if list.entries() < Self::MIN_ENTRIES {
            return Err(VerifyError::StatusListTooShort);
        }
        if list.entries() > Self::MAX_ENTRIES {
            return Err(VerifyError::StatusListTooLong);
        }
        Ok(list)
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
        let document = json!({
            "@context": [BASE_CONTEXT],
            "id": url,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": issuer,
            "validFrom": timestamp::format(valid_from),
            "validUntil": timestamp::format(valid_until),
            "credentialSubject": {
                "id": format!("{url}#list"),
                "type": "BitstringStatusList",
                "statusPurpose": purpose.as_str(),
                "encodedList": self.encode(),
                // Milliseconds (section 2.2).
                "ttl": u64::from(ttl) * 1000,
            },
        });
        let Value::Object(members) = document else {
            return Err(VerifyError::Malformed("a JSON object").into());
        };
        Ok(Credential::parse(Document::within(members, MAX_ENCODED)?)?)
    }

    /// The list in a credential that was verified already, if it is the one that `entry` names
    /// (section 3.2).
    pub(crate) fn of_credential(
        credential: &Credential,
        entry: &StatusEntry,
    ) -> Result<Self, VerifyError> {
        const ANOTHER: fn(&'static str) -> VerifyError = VerifyError::WrongStatusList;
        let list_type = "BitstringStatusListCredential";
        if !credential.types().iter().any(|name| name == list_type) {
            return Err(ANOTHER("type"));
        }
        let id = credential.document().members().get("id");
        if id.and_then(Value::as_str) != Some(&entry.list) {
            return Err(ANOTHER("id"));
        }
        let subjects = credential.subjects();
        let [subject] = subjects.as_slice() else {
            return Err(ANOTHER("credentialSubject"));
        };
        let of_this_list = |id: &Value| {
            id.as_str()
                .and_then(|id| id.strip_prefix(&entry.list))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
        };
        if subject.get("id").is_some_and(|id| !of_this_list(id)) {
            return Err(ANOTHER("credentialSubject"));
        }
        if subject.get("type").and_then(Value::as_str) != Some("BitstringStatusList") {
            return Err(ANOTHER("credentialSubject"));
        }
        let purpose = entry.purpose.as_str();
        let serves = match subject.get("statusPurpose") {
            Some(Value::Array(purposes)) => purposes.iter().any(|given| given == purpose),
            Some(given) => given == purpose,
            None => false,
        };
        if !serves {
            return Err(ANOTHER("statusPurpose"));
        }
        let encoded = subject
            .get("encodedList")
            .and_then(Value::as_str)
            .ok_or(VerifyError::Malformed("there is no encodedList"))?;
        Self::decode(encoded)
    }
}

fn byte_mut(bytes: &mut [u8], index: u64) -> Result<&mut u8, VerifyError> {
    usize::try_from(index / 8)
        .ok()
        .and_then(|at| bytes.get_mut(at))
        .ok_or(VerifyError::StatusIndex)
}

const fn mask(index: u64) -> u8 {
    0x80 >> (index % 8)
}
