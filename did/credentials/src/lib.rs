//! Verifiable credentials, presentations and status lists: issue and verify, strictly.
//!
//! Formats: VCDM 2.0 with Data Integrity ([`Suite`]), VCDM 2.0 as `vc+jwt` and `vp+jwt`
//! (VC-JOSE-COSE), and SD-JWT VC (`dc+sd-jwt`, RFC 9901). Status: Bitstring Status List and Token
//! Status List. [`Signer`] makes them all, [`Verifier`] is the one place that believes them.
//!
//! This crate never fetches anything by itself: JSON-LD contexts are embedded ([`Contexts`]), keys
//! and status lists come through [`Keys`] and [`StatusLists`].

mod cache;
mod claims;
mod contexts;
mod credential;
mod deployment;
mod document;
mod error;
mod graph;
mod presentation;
mod proof;
mod rdfc;
mod schema;
pub mod sd_jwt;
mod signer;
pub mod status;
mod timestamp;
mod verify;

pub use cache::CachedLists;
pub use claims::{
    AuthenticationClaims, Claims, ConsentReceiptClaims, CredentialType, EnrolmentClaims, ErrorRates,
};
pub use contexts::Contexts;
pub use credential::{Credential, CredentialBuilder};
pub use deployment::Deployment;
pub use document::Document;
pub use error::{FetchError, IssueError, KeyError, VerifyError};
pub use presentation::Presentation;
pub use signer::{Binding, Signer, Suite};
pub use timestamp::Date;
pub use verify::{
    Check, CredentialChecks, FetchedList, Format, Keys, PresentationChecks, Relationship,
    ResolvedKey, StatusLists, UnverifiedCredential, UnverifiedPresentation, VerifiedCredential,
    VerifiedPresentation, Verifier,
};

#[cfg(test)]
mod fixture;
