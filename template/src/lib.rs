//! What a wallet does to a biometric before it leaves the device: a keyed 2048-bit code, its
//! encryption under the service's public key, and a proof that every coefficient is a bit.
//!
//! ```no_run
//! use blindprint_core::{Binding, Entropy, SystemEntropy};
//! use blindprint_template::{Crs, EncodingKey, PublicKey, encode, seal};
//! # fn example(public_key: &[u8], crs: &[u8], binding: Binding, embedding: &[f32]) -> Result<(), Box<dyn std::error::Error>> {
//! let public_key = PublicKey::decode(public_key)?;
//! let crs = Crs::decode(crs)?;
//! let key = EncodingKey::generate(&SystemEntropy); // κ: kept on the device, one per enrolment
//! let code = encode(binding.profile, &key, embedding)?;
//! let submission = seal(&code, &public_key, &crs, &binding, &SystemEntropy)?;
//! let upload: Vec<u8> = submission.encode();
//! # Ok(()) }
//! ```
//!
//! The other direction, [`Submission::decode`] and [`Submission::verify`], is what a matcher does
//! first. This crate never sees a secret key of the encryption scheme and never does I/O; it also
//! compiles for wasm32.

mod code;
mod encoding;
mod material;
mod pack;
mod params;
mod reader;
mod seal;
mod stored;
mod submission;

pub use code::BiometricCode;
pub use encoding::{EncodeError, EncodingKey, encode, encode_all};
pub use material::{Crs, MaterialDigests, PublicKey};
pub use pack::{pack, packed_len, unpack};
pub use params::{CODE_BITS, PARAMETERS, Parameters};
pub use reader::{DecodeError, Reader, header};
pub use seal::{SealError, encrypt_unproven, rerandomise, seal};
pub use stored::StoredTemplate;
pub use submission::{ProofError, Submission, VerifiedSubmission};
