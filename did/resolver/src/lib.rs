//! DIDs of every method that Blindprint knows: resolve, dereference, and find the key that may do
//! something; create and update did:webvh logs.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use blindprint_core::SystemClock;
//! use blindprint_egress::Egress;
//! use blindprint_resolver::{Config, Relationship, Resolver};
//!
//! let egress = Egress::new(&Default::default())?;
//! let resolver = Resolver::new(Config::default(), egress, Arc::new(SystemClock));
//! let did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
//! let url = format!("{did}#z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK").parse()?;
//! let found = resolver.key_for(&url, Relationship::AssertionMethod).await?;
//! assert_eq!(found.controller.as_str(), did);
//! # Ok(()) }
//! ```
//!
//! Everything that is fetched goes through [`blindprint_egress`]. A document whose `id` is not the
//! DID that was asked for is never returned, nor is a did:webvh log of which any entry fails.
//! This crate does not decide what a key may sign: the caller compares [`ResolvedKey::controller`]
//! with who should have signed.

mod cache;
mod dereference;
mod did;
mod document;
mod error;
mod instant;
mod local;
mod method;
mod resolution;
mod resolver;
pub mod webvh;

pub use dereference::{Dereferenced, ResolvedKey};
pub use did::{Did, DidUrl};
pub use document::{Document, MethodRef, OneOrMany, Relationship, Service, VerificationMethod};
pub use error::ResolutionError;
pub use local::{Local, LocalFile};
pub use method::ethr::Network;
pub use method::web::Location;
pub use resolution::{
    DocumentMetadata, Options, Resolution, ResolutionMetadata, WitnessId, WitnessMetadata,
};
pub use resolver::{Config, Resolver};
