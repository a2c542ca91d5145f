use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use blindprint_core::UnixTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    Checkpoint, CheckpointNote, Entry, InclusionProof, LogError, LogVerifier, SignedCheckpoint,
    TreeHash, WitnessVerifier,
};

/// The format's first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// That an entry is in a log, for somebody who has the log's key and no network: entry, index, path
/// and checkpoint. Not verified yet.
///
/// Text form: C2SP tlog-proof, with the entry as its `extra` data; in JSON, that text.
#[derive(Debug, Clone)]
pub struct OfflineProof {
    entry: Entry,
    index: u64,
    path: Vec<TreeHash>,
    checkpoint: CheckpointNote,
}

/// What an [`OfflineProof`] proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The entry.
    pub entry: Entry,
    /// Its index in the log.
    pub index: u64,
    /// The head under which it stands.
    pub checkpoint: Checkpoint,
    /// When each of the witnesses asked for cosigned that head, in their order.
    pub witnessed: Vec<UnixTime>,
}

impl OfflineProof {
    /// Longest text form, in bytes.
    pub const MAX_LEN: usize = CheckpointNote::MAX_LEN + 2 * Entry::MAX_LEN + 64 * 45;

    /// The proof that `entry` is in the tree under `head`. [`LogError::NotIncluded`] if it is not.
    pub fn new(
        entry: &Entry,
        inclusion: InclusionProof,
        head: &SignedCheckpoint,
    ) -> Result<Self, LogError> {
        if inclusion.size != head.checkpoint().size() {
            return Err(LogError::NotIncluded);
        }
        inclusion.verify(
            TreeHash::of_entry(&entry.encode()),
            head.checkpoint().root(),
        )?;
        Ok(Self {
            entry: entry.clone(),
            index: inclusion.index,
            path: inclusion.path,
            checkpoint: head.to_string().parse()?,
        })
    }

    /// The entry that it is about, not proven yet.
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The entry's index in the log, not proven yet.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The log that it claims to be of, by which to choose the key.
    pub fn origin(&self) -> &str {
        self.checkpoint.origin()
    }

    /// What it proves, if `log` signed the checkpoint and every one of `witnesses` cosigned it.
    pub fn verify(
        self,
        log: &LogVerifier,
        witnesses: &[WitnessVerifier],
    ) -> Result<Proven, LogError> {
        let head = self.checkpoint.verify(log)?;
        let witnessed = witnesses
            .iter()
            .map(|witness| head.cosigned(witness))
            .collect::<Result<_, _>>()?;
        let checkpoint = head.checkpoint().clone();
        InclusionProof {
            index: self.index,
            size: checkpoint.size(),
            path: self.path,
        }
        .verify(TreeHash::of_entry(&self.entry.encode()), checkpoint.root())?;
        Ok(Proven {
            entry: self.entry,
            index: self.index,
            checkpoint,
            witnessed,
        })
    }
}

impl fmt::Display for OfflineProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        writeln!(f, "extra {}", STANDARD.encode(self.entry.encode()))?;
        writeln!(f, "index {}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for OfflineProof {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        if text.len() > Self::MAX_LEN {
            return Err(LogError::TooLong);
        }
        let malformed = LogError::Malformed("not a proof of this format");
        let (head, checkpoint) = text.split_once("\n\n").ok_or(malformed)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(malformed);
        }
        let extra = lines
            .next()
            .and_then(|line| line.strip_prefix("extra "))
            .and_then(|extra| STANDARD.decode(extra).ok())
            .ok_or(malformed)?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or(malformed)?;
        Ok(Self {
            entry: Entry::parse(&extra)?,
            index,
            path: lines.map(str::parse).collect::<Result<_, _>>()?,
            checkpoint: checkpoint.parse()?,
        })
    }
}

impl Serialize for OfflineProof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OfflineProof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A number in its one spelling: decimal, without sign and leading zeros.
pub fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests;
