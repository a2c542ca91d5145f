use blindprint_core::UnixTime;

use super::{Entry, LogError, witness};
use crate::{Did, Document};

/// How much of a log is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes in all. 1 MiB by default.
    pub bytes: usize,
    /// Entries. 1024 by default.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            entries: 1024,
        }
    }
}

/// A log that was read but not checked.
#[derive(Debug, Clone)]
pub struct Unverified {
    lines: Vec<String>,
}

impl Unverified {
    /// Reads `did.jsonl`.
    pub fn parse(jsonl: &[u8], limits: &Limits) -> Result<Self, LogError> {
        if jsonl.len() > limits.bytes {
            return Err(LogError::TooLong);
        }
        let text =
            std::str::from_utf8(jsonl).map_err(|_| LogError::Form("the log is not UTF-8"))?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.is_empty() {
            return Err(LogError::Form("the log is empty"));
        }
        if lines.len() > limits.entries {
            return Err(LogError::TooLong);
        }
        Ok(Self { lines })
    }

    /// Checks every entry. Entries of the future are refused, as are logs that need witnesses:
    /// for these see [`Self::verify_witnessed`].
    ///
    /// That no entries were cut off at the end cannot be seen from a log: that is what witnesses
    /// and watchers are for.
    pub fn verify(self, now: UnixTime) -> Result<Log, LogError> {
        let log = self.verify_chain(now)?;
        if log.needs_witnesses() {
            return Err(LogError::Witness);
        }
        Ok(log)
    }

    /// As [`Self::verify`], with the content of `did-witness.json`.
    pub fn verify_witnessed(self, now: UnixTime, witness: &[u8]) -> Result<Log, LogError> {
        let log = self.verify_chain(now)?;
        log.check_witnesses(witness)?;
        Ok(log)
    }

    /// Checks everything but the witnesses' approval.
    pub(crate) fn verify_chain(self, now: UnixTime) -> Result<Log, LogError> {
        let mut entries: Vec<Entry> = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let entry = Entry::read(line, entries.last())?;
            if entry.time() > now {
                return Err(LogError::Future);
            }
            entries.push(entry);
        }
        Ok(Log { entries })
    }
}

/// A log of which every entry was verified.
#[derive(Debug, Clone)]
pub struct Log {
    /// Never empty.
    entries: Vec<Entry>,
}

impl Log {
    /// The log with one more line, if that is a valid next entry. For whoever hosts it: entries
    /// that need witnesses are [`LogError::Witness`].
    pub fn append(&self, line: &str, now: UnixTime) -> Result<Self, LogError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        if line.contains('\n') {
            return Err(LogError::Form("more than one line"));
        }
        let entry = Entry::read(line, Some(self.latest()))?;
        if entry.time() > now {
            return Err(LogError::Future);
        }
        if witness::required(Some(self.latest()), &entry).is_some() {
            return Err(LogError::Witness);
        }
        let mut entries = self.entries.clone();
        entries.push(entry);
        let log = Self { entries };
        let limits = Limits::default();
        let bytes: usize = log.entries.iter().map(|entry| entry.line().len() + 1).sum();
        if log.entries.len() > limits.entries || bytes > limits.bytes {
            return Err(LogError::TooLong);
        }
        Ok(log)
    }

    /// The log of a first entry.
    pub(super) fn begin(line: &str, now: UnixTime) -> Result<Self, LogError> {
        Unverified {
            lines: vec![line.to_owned()],
        }
        .verify(now)
    }

    /// The DID, as of the last entry.
    pub fn did(&self) -> &Did {
        &self.document().id
    }

    /// The self-certifying identifier.
    pub fn scid(&self) -> &str {
        &self.latest().parameters().scid
    }

    /// Whether this was the DID in any version: it changes when a portable DID moves.
    pub fn has_been(&self, did: &Did) -> bool {
        self.entries.iter().any(|entry| entry.document().id == *did)
    }

    /// All versions, the oldest first; never empty.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The present version.
    ///
    /// # Panics
    /// Never: a log has at least one entry.
    pub fn latest(&self) -> &Entry {
        self.entries.last().expect("a log has an entry")
    }

    /// The present document.
    pub fn document(&self) -> &Document {
        self.latest().document()
    }

    /// Whether the DID was given up.
    pub fn is_deactivated(&self) -> bool {
        self.latest().is_deactivated()
    }

    /// The file's content, each line ended.
    pub fn to_jsonl(&self) -> String {
        self.entries
            .iter()
            .flat_map(|entry| [entry.line(), "\n"])
            .collect()
    }

    /// Whether any entry must be approved by witnesses.
    pub(crate) fn needs_witnesses(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.parameters().witness.is_some())
    }

    /// Checks the approval of all entries that need it, in the content of `did-witness.json`.
    pub(crate) fn check_witnesses(&self, file: &[u8]) -> Result<(), LogError> {
        witness::check(&self.entries, file)
    }
}
