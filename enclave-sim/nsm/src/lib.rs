//! A simulated Nitro Security Module: measures the process that it runs in and makes attestation
//! documents in AWS Nitro's format, under a root of its own.
//!
//! ```
//! use blindprint_core::{Digest, SystemEntropy, UnixTime, profile_table_digest};
//! use blindprint_nsm::{Mode, Nsm};
//! use blindprint_protocol::attestation::{MatcherClaims, Trust};
//!
//! # let directory = tempfile::tempdir()?;
//! let nsm = Nsm::open(directory.path(), Mode::Production, &SystemEntropy)?;
//! let claims = MatcherClaims {
//!     parameters: "example".to_owned(),
//!     key: Digest::of("example", b""),
//!     profiles: profile_table_digest(),
//! };
//! let key = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK".parse()?;
//! let now = UnixTime(1_760_000_000);
//! let document = nsm.attest(&key, &claims, b"nonce", now, &SystemEntropy)?;
//!
//! let trust = Trust::new(nsm.root().clone(), vec![], vec![nsm.measurement()])?;
//! let verified = trust.verify::<MatcherClaims>(&document, b"nonce", now)?;
//! assert_eq!(verified.key(), &key);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It proves nothing to anybody who does not trust this machine: whoever reads the root's key from
//! its folder can attest to any measurement. A real module takes its place behind [`Nsm::attest`].

mod authority;
mod certificate;
mod measure;

use std::{collections::BTreeMap, path::Path};

use blindprint_core::{Entropy, KeyUri, UnixTime};
use blindprint_protocol::attestation::{
    AttestationError, Claims, Document, MAX_DOCUMENT, MAX_NONCE, Measurement, PCR_LEN, Root,
};
use coset::{CoseSign1Builder, HeaderBuilder, TaggedCborSerializable as _, iana};
use p384::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_bytes::ByteBuf;

use crate::certificate::{Authority, Validity};
pub use crate::measure::measure_executable;

/// Seconds that a document's certificate is valid before it is made, for verifiers whose clock is
/// behind, and after it, as in AWS Nitro.
const LEAF_BEFORE: i64 = 300;
const LEAF_AFTER: i64 = 3 * 60 * 60;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NsmError {
    /// The folder or the executable cannot be read or written: look at its path and permissions.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The root in the folder is damaged. Remove it and pin the new one that is then made.
    #[error("the simulated root's file is damaged")]
    Root,
    /// A certificate could not be made.
    #[error("the certificate could not be made")]
    Certificate,
    /// A nonce has 1 to [`MAX_NONCE`] bytes.
    #[error("a nonce has 1 to {MAX_NONCE} bytes")]
    Nonce,
    /// The claims do not fit.
    #[error("the document could not be made")]
    Document(#[from] AttestationError),
}

impl NsmError {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

/// Whether the platform measures the process or lets its host look inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Register 0 is the digest of the executable.
    Production,
    /// All registers are zero; verifiers refuse such documents.
    Debug,
}

/// A process' security module. It holds the key of an intermediate authority, which it wipes when
/// dropped, and not the root's.
pub struct Nsm {
    root: Root,
    intermediate: Authority,
    bundle: Vec<ByteBuf>,
    module_id: String,
    measurement: Measurement,
}

impl Nsm {
    /// The module of this process, under the simulated root in `directory`, which is made there by
    /// whichever process comes first.
    pub fn open(directory: &Path, mode: Mode, entropy: &dyn Entropy) -> Result<Self, NsmError> {
        let root = authority::load_or_create(directory, entropy)?;
        let module_id = format!("simulated-{}", entropy.uuid().simple());
        let intermediate = root.intermediate(&module_id, entropy)?;
        Ok(Self {
            root: Root::from_der(root.der())?,
            bundle: vec![ByteBuf::from(root.der()), ByteBuf::from(intermediate.der())],
            intermediate,
            module_id,
            measurement: match mode {
                Mode::Production => measure_executable()?,
                Mode::Debug => Measurement::DEBUG,
            },
        })
    }

    /// What runs here.
    pub const fn measurement(&self) -> Measurement {
        self.measurement
    }

    /// The root that documents chain to.
    pub const fn root(&self) -> &Root {
        &self.root
    }

    /// A document that binds `key` and `claims` to this process' measurement, in answer to `nonce`,
    /// signed under a certificate made for it alone.
    pub fn attest(
        &self,
        key: &KeyUri,
        claims: &impl Claims,
        nonce: &[u8],
        now: UnixTime,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, NsmError> {
        if !(1..=MAX_NONCE).contains(&nonce.len()) {
            return Err(NsmError::Nonce);
        }
        let validity = Validity {
            from: now.plus(-LEAF_BEFORE),
            to: now.plus(LEAF_AFTER),
        };
        let (signing_key, certificate) =
            self.intermediate.leaf(&self.module_id, validity, entropy)?;
        let seconds = u64::try_from(now.0).unwrap_or(0);
        let document = Document {
            module_id: self.module_id.clone(),
            digest: "SHA384".to_owned(),
            timestamp: seconds.saturating_mul(1000),
            pcrs: self.registers(),
            certificate: ByteBuf::from(certificate),
            cabundle: self.bundle.clone(),
            public_key: ByteBuf::from(key.as_str()),
            user_data: ByteBuf::from(claims.encode()?),
            nonce: ByteBuf::from(nonce),
        };
        sign(&document, &signing_key)
    }

    /// Register 0 is the executable. Nothing but the executable is measured here, so 1 (kernel)
    /// and 2 (application) stay zero, as registers that nobody extends do.
    fn registers(&self) -> BTreeMap<u8, ByteBuf> {
        let unused = [0; PCR_LEN];
        [(0, self.measurement.as_bytes()), (1, &unused), (2, &unused)]
            .map(|(index, value)| (index, ByteBuf::from(value.as_slice())))
            .into()
    }
}

fn sign(document: &Document, key: &SigningKey) -> Result<Vec<u8>, NsmError> {
    let header = HeaderBuilder::new()
        .algorithm(iana::Algorithm::ES384)
        .build();
    let envelope = CoseSign1Builder::new()
        .protected(header)
        .payload(document.encode()?)
        .create_signature(b"", |signed| {
            let signature: Signature = key.sign(signed);
            signature.to_vec()
        })
        .build();
    let bytes = envelope
        .to_tagged_vec()
        .map_err(|_| AttestationError::Malformed)?;
    if bytes.len() > MAX_DOCUMENT {
        Err(AttestationError::Malformed.into())
    } else {
        Ok(bytes)
    }
}
