//! Compares an encrypted probe with an encrypted template and produces one encrypted bit.
//!
//! ```no_run
//! use std::sync::Arc;
//! use blindprint_core::{Binding, SystemEntropy};
//! use blindprint_matcher::Matcher;
//! # fn example(public_key: &[u8], crs: &[u8], keys: &[u8], binding: &Binding, probe: &[u8], template: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! let matcher = Matcher::new(public_key, crs, keys)?;
//! let verdict: Vec<u8> = matcher.worker(Arc::new(SystemEntropy)).evaluate(binding, probe, template)?;
//! # Ok(()) }
//! ```
//!
//! This crate holds evaluation keys only. No type in it can hold a secret key, and it never
//! depends on `blindprint-keys` outside its tests. `docs/crypto.md` explains the circuit,
//! `docs/noise.md` why it does not err.

mod bootstrap;
pub mod circuit;
mod keys;
mod lut;
mod matcher;
pub mod process;
mod product;
mod verdict;

pub use keys::{EvaluationKeys, EvaluationKeysParts};
pub use matcher::{MatchError, Matcher, Worker};
pub use verdict::VerdictCiphertext;
