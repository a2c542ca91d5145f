//! The secret keys of the encryption scheme. The enclave links this crate; everything else may
//! use it in tests only.
//!
//! ```no_run
//! use blindprint_core::SystemEntropy;
//! let (secret, material) = blindprint_keys::generate(&SystemEntropy, &|stage| eprintln!("{stage}"));
//! let sealed = secret.expose();
//! # let _ = (sealed, material);
//! ```
//!
//! A secret key opens verdicts and nothing else: there is no function here that decrypts a template
//! or probe.

pub mod fixture;
mod generate;
mod secret;
pub mod spectrum;

pub use generate::{PublicMaterial, Stage, generate};
pub use secret::{OpenError, SecretKeys};
