//! The certificate of an erasure, as it is kept for a while after its subject is gone: encrypted under a
//! claim that only the subject's wallet has, or whoever was told it when the request was opened. The
//! database alone opens none.

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce as Iv,
    aead::{Aead as _, Payload},
};
use blindprint_core::{Digest, Nonce, UnixTime, wire::ErasureProof};
use secrecy::zeroize::Zeroizing;

use super::Rights;
use crate::{Error, Result};

/// How long a certificate can be fetched, in days: as long as the enclave gives the same receipt again.
pub const CERTIFICATE_DAYS: i64 = 30;

/// A certificate as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCertificate {
    /// Follows from the claim.
    pub name: Digest,
    /// AES-256-GCM under a key that follows from the claim.
    pub sealed: Vec<u8>,
    /// When it goes.
    pub expires: UnixTime,
}

impl SealedCertificate {
    /// Encrypts a certificate. A claim seals one, so that its key is used once.
    pub(super) fn seal(claim: Nonce, proof: &ErasureProof, now: UnixTime) -> Result<Self> {
        let broken = |why: &str| Error::broken("sealing a certificate")(why.into());
        let text = serde_json::to_vec(proof).map_err(|_| broken("it is not JSON"))?;
        let name = name(claim);
        let sealed = cipher(claim)
            .encrypt(&Iv::default(), payload(&text, &name))
            .map_err(|_| broken("it is too long"))?;
        Ok(Self {
            name,
            sealed,
            expires: now.plus(CERTIFICATE_DAYS * 86_400),
        })
    }

    fn open(&self, claim: Nonce) -> Result<ErasureProof> {
        let damaged = || Error::broken("opening a certificate")("it is damaged".into());
        let text = cipher(claim)
            .decrypt(&Iv::default(), payload(&self.sealed, &self.name))
            .map_err(|_| damaged())?;
        serde_json::from_slice(&text).map_err(|_| damaged())
    }
}

impl Rights {
    /// The certificate that this claim opens.
    pub async fn certificate(&self, claim: Nonce) -> Result<Option<ErasureProof>> {
        let sealed = self.store().certificate(name(claim)).await?;
        sealed.map(|sealed| sealed.open(claim)).transpose()
    }

    pub(super) async fn is_certified(&self, claim: Nonce) -> Result<bool> {
        Ok(self.store().certificate(name(claim)).await?.is_some())
    }
}

fn name(claim: Nonce) -> Digest {
    Digest::of("blindprint/erasure-certificate-name/v1", claim.as_bytes())
}

fn cipher(claim: Nonce) -> Aes256Gcm {
    let key = Digest::of("blindprint/erasure-certificate-key/v1", claim.as_bytes());
    let key = Zeroizing::new(*key.as_bytes());
    Aes256Gcm::new((&*key).into())
}

fn payload<'a>(msg: &'a [u8], name: &'a Digest) -> Payload<'a, 'a> {
    Payload {
        msg,
        aad: name.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn a_certificate_opens_for_its_claim_alone() {
        let claim = Nonce::random(&SystemEntropy);
        let proof = ErasureProof {
            certificate: "a.b.c".parse().unwrap(),
            proof: "checkpoint".to_owned(),
        };
        let sealed = SealedCertificate::seal(claim, &proof, UnixTime(0)).unwrap();
        assert_eq!(sealed.open(claim).unwrap(), proof);
        assert!(sealed.open(Nonce::random(&SystemEntropy)).is_err());
        assert!(!String::from_utf8_lossy(&sealed.sealed).contains("checkpoint"));
    }
}
