//! Verifiable credentials, presentations and status lists: issue and verify, strictly.
//!
//! Formats: VCDM 2.0 with Data Integrity ([`Suite`]), VCDM 2.0 as `vc+jwt` and `vp+jwt`
//! (VC-JOSE-COSE), and SD-JWT VC (`dc+sd-jwt`, RFC 9901). Status: Bitstring Status List and Token
//! Status List. [`Signer`] makes them all, [`Verifier`] is the one place that believes them.
//!
//! ```
//! use blindprint_core::{Modality, SystemEntropy, UnixTime, profiles};
//! use blindprint_credentials::{
//!     Claims, Contexts, Credential, Date, Deployment, EnrolmentClaims, Signer, Suite,
//! };
//! use blindprint_did::{KeyType, SigningKey};
//!
//! let now = UnixTime(1_795_341_600);
//! let deployment = Deployment::new(&"https://id.example".parse()?);
//! let contexts = Contexts::standard().with(&deployment);
//! let claims = Claims::Enrolment(EnrolmentClaims {
//!     modality: Modality::Face,
//!     profile: profiles()[0].id(),
//!     parameter_set: "p2048".to_owned(),
//!     enrolled_since: Date::of(now),
//! });
//! let credential = Credential::builder(&deployment, "did:web:id.example", &claims)
//!     .held_by("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
//!     .valid_from(now)
//!     .build()?;
//! let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
//! let signer = Signer::new(&key, "did:web:id.example#key-1", &contexts)?;
//! let signed = signer.credential(credential, Suite::EddsaJcs2022, now)?;
//! assert_eq!(signed["proof"]["cryptosuite"], "eddsa-jcs-2022");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! JSON-LD contexts are embedded and never fetched ([`Contexts`]). Keys and status lists come
//! through [`Keys`] and [`StatusLists`], which a [`blindprint_resolver::Resolver`] and an
//! [`blindprint_egress::Egress`] are.

mod cache;
mod claims;
mod contexts;
mod credential;
mod deployment;
mod document;
mod error;
mod graph;
mod online;
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
