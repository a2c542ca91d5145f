//! Attestation documents in the format of AWS Nitro Enclaves, verified strictly: a tagged
//! `COSE_Sign1` (RFC 9052, ES384) over a CBOR map, signed by a short-lived certificate that chains
//! to a configured root.
//!
//! Nothing of a document is believed before its signature and chain hold; what remains is a
//! [`VerifiedAttestation`]. The verifier brings its own nonce and its own time.
//!
//! ```no_run
//! # fn read(_: &str) -> Vec<u8> { Vec::new() }
//! # use blindprint_core::UnixTime;
//! use blindprint_protocol::attestation::{EnclaveClaims, Trust};
//! let trust = Trust::parse(&read("trust.json"))?;
//! # let (document, nonce, now) = (Vec::new(), [0; 32], UnixTime(0));
//! let enclave = trust.verify::<EnclaveClaims>(&document, &nonce, now)?;
//! println!("verdicts of {} are signed by {}", enclave.claims().service, enclave.key());
//! # Ok::<(), blindprint_protocol::attestation::AttestationError>(())
//! ```

mod chain;
mod claims;
mod document;
mod measurement;
mod trust;

pub use chain::Root;
pub use claims::{Claims, EnclaveClaims, MatcherClaims};
pub use document::{Document, MAX_DOCUMENT, MAX_NONCE, MAX_USER_DATA, PCR_LEN};
pub use measurement::Measurement;
pub use trust::{MAX_TRUST, TOLERANCE, Trust, VerifiedAttestation};

/// Why a document, or a trust file, is refused. It holds nothing of what was refused, so it is
/// safe to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationError {
    /// Not a document in canonical form, or longer than its limit.
    #[error("not an attestation document")]
    Malformed,
    /// Not a P-384 certificate that may stand in this place of the chain, signed by the one before.
    #[error("the certificate chain does not hold")]
    Chain,
    /// Pin the root that this platform signs under, or leave it alone.
    #[error("the chain does not begin at an accepted root")]
    Root,
    /// A certificate is not valid at the present time: compare the clocks.
    #[error("a certificate of the chain is not valid now")]
    Expired,
    /// The document is not signed by the chain's last certificate.
    #[error("the document's signature does not verify")]
    Signature,
    /// The enclave runs in debug mode, where its host can read its memory.
    #[error("the document is of an enclave in debug mode")]
    Debug,
    /// Pin the new build's measurement once it was checked, or leave it alone.
    #[error("the measurement is not an accepted one")]
    Measurement,
    /// The document answers another request.
    #[error("the document carries another nonce")]
    Nonce,
    /// The document was not made just now: compare the clocks.
    #[error("the document is not from the present")]
    Stale,
    /// The attested key or claims do not decode.
    #[error("the attested key or claims are not of the expected form")]
    Claims,
    /// The enclave serves another origin.
    #[error("the enclave serves another service")]
    Service,
    /// The enclave reads another transparency log, requires another witness, or none.
    #[error("the enclave does not require the expected transparency log and witness")]
    Log,
    /// The enclave knows other profiles, hence other thresholds: update this program.
    #[error("the profile table is another one")]
    Profiles,
    /// The trust file does not decode, names no root, or accepts debug mode.
    #[error("the trust file is not well formed")]
    Trust,
}
