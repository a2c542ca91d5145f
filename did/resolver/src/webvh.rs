//! did:webvh 1.0 (<https://identity.foundation/didwebvh/v1.0/>): a DID whose every version is an
//! entry of a log, bound to the one before by a hash and signed with the controller's update key.
//!
//! A controller creates a [`Log`] and makes entries; whoever hosts the log checks each with
//! [`Log::append`] and cannot make one; a resolver verifies the whole:
//!
//! ```
//! use blindprint_core::{SystemEntropy, UnixTime};
//! use blindprint_did::{KeyType, SigningKey};
//! use blindprint_resolver::{Document, webvh::{Change, Creation, Limits, Log, Unverified}};
//!
//! let (now, next) = (UnixTime(1_790_000_000), UnixTime(1_790_000_060));
//! let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
//! let spare = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
//! let place = "example.org".parse()?;
//! let creation = Creation { next_keys: vec![spare.public()], ..Creation::at(place) };
//! let log = Log::create(&creation, &key, now, |did| Document::new(did.clone()))?;
//!
//! // Rotation: the spare key was committed to, so it signs. No key is committed to after it.
//! let change = Change {
//!     update_keys: Some(vec![spare.public()]),
//!     next_keys: Some(Vec::new()),
//!     ..Change::default()
//! };
//! let entry = log.update(&change, &spare, next)?;
//! let log = log.append(&entry, next)?;
//!
//! let read = Unverified::parse(log.to_jsonl().as_bytes(), &Limits::default())?.verify(next)?;
//! assert_eq!(read.did(), log.did());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod author;
mod entry;
mod error;
mod hash;
mod log;
mod parallel;
mod parameters;
mod proof;
mod witness;

pub use crate::method::web::Location;
pub use author::{Change, Creation};
pub use entry::Entry;
pub use error::LogError;
pub use log::{Limits, Log, Unverified};
pub use parallel::did_web;
pub use parameters::Parameters;
pub use witness::Witnesses;

#[cfg(test)]
mod tests;
