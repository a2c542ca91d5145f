//! The wallet's side of Blindprint: holds a person's keys, turns captures into encrypted
//! templates and probes, and believes nothing that is not signed by an attested enclave.
//!
//! ```no_run
//! use std::path::Path;
//! use blindprint_core::statement::Purpose;
//! use blindprint_wallet::{Address, EnrolOptions, Passphrase, Result, Setup, Surroundings, Wallet};
//! # async fn example(trust: blindprint_wallet::Trust, enrolled: blindprint_face::Embedding, now: blindprint_face::Embedding) -> Result<()> {
//! let mut wallet = Wallet::create(
//!     Path::new("wallet.age"),
//!     Passphrase::new("correct horse battery staple".to_owned())?,
//!     Setup { address: Address::new("https://id.example.org", None)?, trust, identity: None },
//!     Surroundings::system("cache".into()),
//! ).await?;
//! let notice = wallet.notice(Purpose::Authentication, "en").await?;
//! println!("{}", notice.text); // The person reads it and agrees.
//! wallet.give_consent(&notice, 365 * 86_400, None).await?;
//! wallet.enrol(enrolled, EnrolOptions::default(), &()).await?;
//! let answer = wallet.authenticate(now, None, "https://shop.example".parse()?, "login-81f3a2".to_owned(), &()).await?;
//! println!("the same person: {}", answer.verdict.matched);
//! # Ok(()) }
//! ```
//!
//! What it must never do: send an embedding, a code, κ or the recovery key anywhere; encrypt for
//! a service whose attestation it has not verified a moment ago; print or log a secret; send a
//! request whose loss would need a secret that is not yet on disk.

mod attest;
mod authenticate;
mod client;
mod consent;
mod credential;
mod did;
mod enrol;
mod erase;
mod error;
mod keyfile;
mod log;
mod material;
mod observer;
mod paper;
mod reconcile;
mod recover;
mod rights;
mod rotate;
mod sealing;
mod secret;
mod sign_in;
mod state;
mod verify;
mod wallet;

pub use attest::Attested;
pub use authenticate::{Authenticated, Challenged, PreparedProbe};
pub use blindprint_protocol::attestation::Trust;
pub use client::{Address, Client, Signer};
pub use consent::{ConsentHistory, ConsentLink, LinkKind, Notice};
pub use credential::{
    CredentialStatus, CredentialView, Disclosure, OfferedCredential, PendingOffer,
    PresentationRequest, Presented, ReceiveOptions, Shown,
};
pub use did::{DidChange, DidView};
pub use enrol::{EnrolOptions, Enrolled, Stages};
pub use erase::Erased;
pub use error::{Error, Result};
pub use keyfile::Passphrase;
pub use log::{LogReport, OwnEvent, ProvenReceipt};
pub use material::{Material, Materials};
pub use observer::{Observer, Step};
pub use paper::RecoveryPaper;
pub use reconcile::Reconciled;
pub use rights::{Asked, Erasing, ErasureKeys, ErasureWord, KeptProof, verify_erasure};
pub use rotate::KeysChanged;
pub use verify::{ExpectedVerdict, verify_verdict};
pub use wallet::{ConsentView, EnrolmentView, Setup, Surroundings, Wallet};

/// Signs; too long a statement is the caller's text.
fn sign<T: blindprint_core::statement::Statement>(
    key: &blindprint_did::SigningKey,
    statement: &T,
) -> Result<blindprint_core::Jws> {
    blindprint_did::sign(key, statement).map_err(|e| Error::Invalid(e.to_string()))
}
