use std::collections::BTreeMap;

use coset::{CoseSign1, TaggedCborSerializable as _};
use p384::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::AttestationError;
use crate::cbor;

/// Longest document, in bytes.
pub const MAX_DOCUMENT: usize = 16 * 1024;
/// Longest nonce that a caller may ask for, in bytes.
pub const MAX_NONCE: usize = 64;
/// Longest `user_data`, in bytes, as in AWS Nitro.
pub const MAX_USER_DATA: usize = 512;
/// Length of a platform configuration register: SHA-384.
pub const PCR_LEN: usize = 48;

/// Most registers that a platform has, as in AWS Nitro.
const MAX_PCRS: usize = 32;
/// Longest `module_id` and certificate, in bytes, as in AWS Nitro.
const MAX_FIELD: usize = 1024;

/// The protected header `{1: -35}` (alg: ES384), as a CBOR map; the only one accepted.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// The signed payload, with the members of AWS Nitro's documents in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Which enclave instance this is.
    pub module_id: String,
    /// The digest that registers are made with: `SHA384`.
    pub digest: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub timestamp: u64,
    /// Platform configuration registers: 0 is the image.
    pub pcrs: BTreeMap<u8, ByteBuf>,
    /// The certificate that the document is signed with, DER.
    pub certificate: ByteBuf,
    /// The certificates above it, root first, DER.
    pub cabundle: Vec<ByteBuf>,
    /// The key that the enclave speaks with: the text of a [`blindprint_core::KeyUri`].
    pub public_key: ByteBuf,
    /// What the enclave says about itself: [`super::Claims`].
    pub user_data: ByteBuf,
    /// The caller's nonce.
    pub nonce: ByteBuf,
}

impl Document {
    /// The payload's CBOR.
    pub fn encode(&self) -> Result<Vec<u8>, AttestationError> {
        let mut bytes = Vec::new();
        cbor::encode_onto(self, &mut bytes).ok_or(AttestationError::Malformed)?;
        Ok(bytes)
    }

    /// Whether every member keeps AWS Nitro's limits.
    fn bounded(&self) -> bool {
        let field = |bytes: &[u8], most: usize| (1..=most).contains(&bytes.len());
        self.digest == "SHA384"
            && field(self.module_id.as_bytes(), MAX_FIELD)
            && (1..=MAX_PCRS).contains(&self.pcrs.len())
            && self
                .pcrs
                .iter()
                .all(|(index, pcr)| usize::from(*index) < MAX_PCRS && pcr.len() == PCR_LEN)
            && field(&self.certificate, MAX_FIELD)
            && self
                .cabundle
                .iter()
                .all(|certificate| field(certificate, MAX_FIELD))
            && field(&self.public_key, MAX_FIELD)
            && field(&self.user_data, MAX_USER_DATA)
            && field(&self.nonce, MAX_NONCE)
    }
}

/// A document whose form is right and whose signature is still to be verified.
pub(super) struct Unverified {
    envelope: CoseSign1,
    document: Document,
}

impl Unverified {
    /// Decodes one document in canonical form: what is not written the way this project writes it
    /// (indefinite lengths, padded integers, unknown or repeated members, bytes left over) is
    /// refused.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, AttestationError> {
        if bytes.len() > MAX_DOCUMENT {
            return Err(AttestationError::Malformed);
        }
        let envelope =
            CoseSign1::from_tagged_slice(bytes).map_err(|_| AttestationError::Malformed)?;
        if envelope.protected.original_data.as_deref() != Some(PROTECTED.as_slice())
            || !envelope.unprotected.is_empty()
            || envelope.clone().to_tagged_vec().ok().as_deref() != Some(bytes)
        {
            return Err(AttestationError::Malformed);
        }
        let payload = envelope
            .payload
            .as_deref()
            .ok_or(AttestationError::Malformed)?;
        let document: Document = cbor::decode(payload).ok_or(AttestationError::Malformed)?;
        if document.bounded() {
            Ok(Self { envelope, document })
        } else {
            Err(AttestationError::Malformed)
        }
    }

    /// The certificates that it brings along, to find the key with that [`Self::verify`] takes.
    pub(super) fn certificates(&self) -> (&[ByteBuf], &[u8]) {
        (&self.document.cabundle, &self.document.certificate)
    }

    /// The document, if `key` signed it.
    pub(super) fn verify(self, key: &VerifyingKey) -> Result<Document, AttestationError> {
        self.envelope
            .verify_signature(b"", |signature, signed| {
                key.verify(signed, &Signature::from_slice(signature)?)
            })
            .map_err(|_| AttestationError::Signature)?;
        Ok(self.document)
    }
}
