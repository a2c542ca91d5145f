//! The transparency log: what is logged, and how it is published.
//!
//! An entry says what kind of thing happened and when. Whose it was and what it said is in a commitment
//! alone, which nothing opens once its salt is gone with its subject. Entries are appended in the
//! transaction that records what they are about ([`crate::store`]), so that no outcome is known
//! without its entry.

mod drafts;

use blindprint_core::{Entropy, UnixTime};
use blindprint_log::Salt;

pub use drafts::Draft;

/// What an entry gets when it is appended: its time, and a salt from here.
#[derive(Clone, Copy)]
pub struct Stamp<'a> {
    /// Now.
    pub at: UnixTime,
    /// Where salts come from.
    pub entropy: &'a dyn Entropy,
}

/// An entry about a subject, with what opens its commitment.
pub struct OwnEntry {
    /// Its position in the log.
    pub index: u64,
    /// The entry as it is hashed.
    pub entry: Vec<u8>,
    /// What the commitment was made with.
    pub salt: Salt,
    /// What it was made to.
    pub event: Vec<u8>,
}

/// A checkpoint that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// How many entries it covers.
    pub size: u64,
    /// Its text, with all signatures.
    pub note: String,
}
