//! What every Blindprint crate agrees on: typed ids, digests, time, randomness, profiles, the
//! statements that parties sign and the JSON that crosses the wire.
//!
//! ```
//! use blindprint_core::{Digest, SubjectId};
//! let subject: SubjectId = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK".parse()?;
//! let digest = Digest::of("example", subject.as_str().as_bytes());
//! assert_eq!(digest.to_string().len(), 43);
//! # Ok::<(), blindprint_core::Invalid>(())
//! ```
//!
//! This crate never does I/O, apart from [`SystemClock`] and [`SystemEntropy`], the two places
//! where the world enters.

mod binding;
mod clock;
pub mod consent;
mod digest;
mod entropy;
mod id;
mod invalid;
pub mod label;
pub mod problem;
mod profile;
mod sign_in;
pub mod statement;
pub mod wire;

pub use binding::{Binding, Role};
pub use clock::{Clock, ManualClock, SystemClock, UnixTime};
pub use digest::Digest;
pub use entropy::{Entropy, SystemEntropy};
pub use id::{
    Audience, ConsentId, EnrolmentId, InvitationId, Jws, KeyUri, Nonce, RightsRequestId, ServiceId,
    SubjectId,
};
pub use invalid::Invalid;
pub use profile::{Modality, OperatingPoint, Profile, ProfileId, profile_table_digest, profiles};
pub use sign_in::{SignInCode, SignInLink};
