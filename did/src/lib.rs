//! Keys named by DIDs, and the statements signed with them.
//!
//! ```
//! use blindprint_core::{ConsentId, SystemEntropy, UnixTime, statement::Withdrawal};
//! use blindprint_did::{KeyType, SigningKey, sign, verify};
//!
//! let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
//! let withdrawal = Withdrawal {
//!     sub: key.public().subject(),
//!     service: "https://example.org".parse()?,
//!     consent: ConsentId::random(&SystemEntropy),
//!     iat: UnixTime(1_760_000_000),
//! };
//! let jws = sign(&key, &withdrawal)?;
//! let verified = verify::<Withdrawal>(&jws)?.by(&key.public().uri())?;
//! assert_eq!(verified.statement(), &withdrawal);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate never fetches anything: a [`resolve`] that succeeds has found the key inside the DID.
//! There is no way to sign bytes, so that no caller can be talked into signing what means something
//! else elsewhere: it signs a [`blindprint_core::statement::Statement`], a [`jwt`] that is none, or the
//! two hashes of a Data Integrity proof ([`SigningKey::sign_hashes`]).

mod error;
pub mod json;
mod jwk;
mod jws;
pub mod jwt;
mod key;
mod resolve;

pub use error::DidError;
pub use jwk::Jwk;
pub use jws::{Verified, jws_digest, sign, verify};
pub use key::{KeyType, PublicKey, SigningKey};
pub use resolve::resolve;
