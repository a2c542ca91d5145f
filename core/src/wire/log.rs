//! The transparency log. Proofs and checkpoints are C2SP's and in `blindprint-log`.

use serde::{Deserialize, Serialize};

wire! {
    /// `GET /v1/log`: which log this is.
    struct LogDescription {
        /// Its name, which begins every checkpoint.
        origin: String,
        /// What its checkpoints are verified with (C2SP signed-note: `name+id+key`).
        key: String,
        /// What the witnesses' cosignatures are verified with.
        witnesses: Vec<String>,
        /// How many entries the latest checkpoint covers.
        size: u64,
    }

    /// `GET /v1/log/entries`: what the log holds about the caller.
    struct OwnLogEntries {
        /// Oldest first.
        entries: Vec<OwnLogEntry>,
        /// Where to go on; `None` at the end.
        next: Option<u64>,
    }

    /// An entry about the caller, and what it commits to.
    struct OwnLogEntry {
        /// Its place in the log, from 0.
        index: u64,
        /// The entry, as it is hashed.
        entry: String,
        /// What it was committed under; destroyed when the caller is erased.
        salt: String,
        /// What is committed to: a statement as a compact JWS, or JSON.
        event: String,
    }
}
