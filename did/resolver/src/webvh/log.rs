use blindprint_core::UnixTime;
use blindprint_did::{PublicKey, SigningKey};

use crate::{Did, Document, method::web::Location, webvh::LogError};

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

/// A log of which every entry was verified.
#[derive(Debug, Clone)]
pub struct Log {
    did: Did,
    entries: Vec<Entry>,
}

/// One version.
#[derive(Debug, Clone)]
pub struct Entry {
    line: String,
    document: Document,
}

/// What a new DID begins with.
#[derive(Debug, Clone)]
pub struct Creation {
    /// Where the log will be.
    pub location: Location,
    /// Keys that may update, beside the one that signs.
    pub more_update_keys: Vec<PublicKey>,
    /// Commitments to the keys that will sign the next entry: with any, pre-rotation is active.
    pub next_keys: Vec<PublicKey>,
    /// Whether the DID may move to another location.
    pub portable: bool,
    /// How long the log may be cached, in seconds.
    pub ttl: Option<u32>,
}

impl Creation {
    /// A DID at this location, without pre-rotation, not portable.
    pub const fn at(location: Location) -> Self {
        Self {
            location,
            more_update_keys: Vec::new(),
            next_keys: Vec::new(),
            portable: false,
            ttl: None,
        }
    }
}

/// What an update changes. Whatever is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The new document: take [`Log::document`], and edit it.
    pub document: Option<Document>,
    /// The keys that may update from now on. While pre-rotation is active they must have been
    /// committed to, and are required.
    pub update_keys: Option<Vec<PublicKey>>,
    /// Commitments to the keys that will sign the next entry. An empty list ends pre-rotation.
    pub next_keys: Option<Vec<PublicKey>>,
    /// How long the log may be cached, in seconds.
    pub ttl: Option<u32>,
    /// Gives the DID up. Nothing can follow.
    pub deactivate: bool,
}

impl Unverified {
    /// Reads `did.jsonl`.
    pub fn parse(jsonl: &[u8], limits: &Limits) -> Result<Self, LogError> {
        let _ = (jsonl, limits);
        Err(LogError::Form("not yet"))
    }

    /// Checks every entry. Entries of the future are refused, as are logs that need witnesses:
    /// see [`Self::verify_witnessed`].
    pub fn verify(self, now: UnixTime) -> Result<Log, LogError> {
        self.verify_witnessed(now, None)
    }

    /// As [`Self::verify`], with the content of `did-witness.json` where there is one.
    pub fn verify_witnessed(self, now: UnixTime, witness: Option<&[u8]>) -> Result<Log, LogError> {
        let _ = (now, witness, self.lines);
        Err(LogError::Form("not yet"))
    }
}

impl Log {
    /// The first entry, signed with `key`, which may then update. `document` makes the document
    /// for the DID that it is given (which holds a placeholder for the SCID).
    pub fn create(
        creation: &Creation,
        key: &SigningKey,
        at: UnixTime,
        document: impl FnOnce(&Did) -> Document,
    ) -> Result<Self, LogError> {
        let _ = (creation, key, at, document);
        Err(LogError::Form("not yet"))
    }

    /// The line of the next entry, signed with `key`: a present update key, or with pre-rotation
    /// one of the new ones. [`LogError::Wait`] in the second of the last entry.
    pub fn update(
        &self,
        change: &Change,
        key: &SigningKey,
        at: UnixTime,
    ) -> Result<String, LogError> {
        let _ = (change, key, at);
        Err(LogError::Form("not yet"))
    }

    /// The log with one more line, if that is a valid next entry.
    pub fn append(&self, line: &str, now: UnixTime) -> Result<Self, LogError> {
        let _ = (line, now);
        Err(LogError::Form("not yet"))
    }

    /// The DID, as of the last entry.
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// The self-certifying identifier.
    pub fn scid(&self) -> &str {
        self.did
            .method_specific_id()
            .split(':')
            .next()
            .unwrap_or_default()
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

    /// The file's content, each line ended.
    pub fn to_jsonl(&self) -> String {
        self.entries
            .iter()
            .map(|entry| format!("{}\n", entry.line))
            .collect()
    }
}

impl Entry {
    /// The entry's JSON, without the end of the line.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The document of this version.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Number and hash, such as `1-Qm…`.
    pub fn version_id(&self) -> &str {
        ""
    }

    /// When it was made.
    pub fn time(&self) -> UnixTime {
        UnixTime(0)
    }

    /// The keys that may sign the next entry, unless [`Self::next_key_hashes`] says others. As
    /// Multikeys.
    pub fn update_keys(&self) -> &[String] {
        &[]
    }

    /// Hashes of the keys that must sign the next entry; empty without pre-rotation.
    pub fn next_key_hashes(&self) -> &[String] {
        &[]
    }

    /// The DID was given up with it.
    pub fn is_deactivated(&self) -> bool {
        false
    }
}
