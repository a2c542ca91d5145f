//! The transparency log: entries, tiles, proofs and checkpoints, without I/O.
//!
//! An append-only Merkle tree hashed as in RFC 6962, in the formats of C2SP: `tlog-tiles`,
//! `tlog-checkpoint`, `tlog-cosignature`, `tlog-witness` and `tlog-proof`. `tlog_tiles` computes every
//! hash of the tree and `signed_note` reads every note; what stands here is what Blindprint puts into
//! the log, and the types that keep unverified checkpoints apart from verified ones.
//!
//! ```
//! use blindprint_core::{SystemEntropy, UnixTime};
//! use blindprint_log::{CheckpointNote, Commitment, Entry, Kind, LogKey, OfflineProof, Salt, Tree};
//!
//! let key = LogKey::generate("example.org/log", &SystemEntropy)?;
//! let salt = Salt::random(&SystemEntropy);
//! let entry = Entry::committed(
//!     Kind::Verdict,
//!     UnixTime(1_760_000_000),
//!     Commitment::to(&salt, b"what happened"),
//! )?;
//!
//! let mut tree = Tree::default();
//! let index = tree.append(&entry);
//! let head = key.sign(tree.size(), tree.root())?;
//! let proof = OfflineProof::new(&entry, tree.inclusion(index, tree.size())?, &head)?;
//!
//! // Years later, without a network:
//! let read: OfflineProof = proof.to_string().parse()?;
//! assert_eq!(read.verify(&key.verifier(), &[])?.entry, entry);
//! # Ok::<(), blindprint_log::LogError>(())
//! ```
//!
//! What is stored grows only: [`Frontier::append`] names each new node and its position, a number
//! that never changes. Whoever stores nodes asks a type what it needs (`needs`), reads that, and makes
//! it (`of`), so that no trait here decides whether reading blocks.
//!
//! This crate must never hash a node by itself, put personal data into an entry, or take a checkpoint
//! at its word.

mod audit;
mod checkpoint;
mod commitment;
mod entry;
mod error;
mod frontier;
mod hash;
mod key;
mod offline;
mod proof;
mod tile;
mod tree;
mod witnessing;

pub use audit::Audit;
pub use checkpoint::{Checkpoint, CheckpointNote, Cosignature, SignedCheckpoint};
pub use commitment::{Commitment, Salt};
pub use entry::{Entry, Kind};
pub use error::LogError;
pub use frontier::Frontier;
pub use hash::TreeHash;
pub use key::{LogKey, LogVerifier, WitnessKey, WitnessVerifier};
pub use offline::{OfflineProof, Proven};
pub use proof::{ConsistencyProof, InclusionProof};
pub use tile::TilePath;
pub use tree::Tree;
pub use witnessing::AddCheckpoint;

/// More entries than any tree here has: 2^48, the size at which level 5 of the tiles is full.
pub const MAX_SIZE: u64 = 1 << 48;
