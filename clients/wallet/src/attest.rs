use blindprint_core::{Digest, Jws, KeyUri, Nonce, ServiceId, UnixTime, statement::Statement};
use blindprint_protocol::attestation::{EnclaveClaims, Trust};
use blindprint_template::{MaterialDigests, PARAMETERS};

use crate::{Client, Error, Result, Surroundings};

/// What a genuine, trusted enclave says of itself, proved a moment ago.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Attested {
    /// The service that it speaks for.
    pub service: ServiceId,
    /// What signs its receipts and verdicts.
    pub verdict_key: KeyUri,
    /// Digest over the public material and the parameter set.
    pub key: Digest,
    /// Digest of the compact public key.
    pub public_key: Digest,
    /// Digest of the common reference string.
    pub crs: Digest,
    /// Measurement (PCR0) of the running enclave, in hexadecimal.
    pub measurement: String,
    /// When the document was made.
    pub made: UnixTime,
}

impl Attested {
    /// Asks the service for a document with a fresh nonce and verifies that it is by an enclave
    /// that `trust` accepts, serves `service`, and uses this build's parameters and thresholds.
    pub async fn of(
        client: &Client,
        trust: &Trust,
        service: &ServiceId,
        surroundings: &Surroundings,
    ) -> Result<Self> {
        let nonce = Nonce::random(&*surroundings.entropy);
        let document = client.attestation(&nonce).await?;
        Self::verify(&document, trust, service, &nonce, surroundings.clock.now())
    }

    /// Verifies a document that was made for `nonce`.
    pub fn verify(
        document: &[u8],
        trust: &Trust,
        service: &ServiceId,
        nonce: &Nonce,
        now: UnixTime,
    ) -> Result<Self> {
        let verified = trust
            .verify::<EnclaveClaims>(document, nonce.as_bytes(), now)
            .map_err(|e| Error::Untrusted(e.to_string()))?;
        let claims = verified.claims();
        if claims.service != *service {
            return Err(Error::Untrusted(format!(
                "its enclave serves {}",
                claims.service
            )));
        }
        let digests = MaterialDigests {
            public_key: claims.public_key,
            crs: claims.crs,
            evaluation_keys: claims.evaluation_keys,
        };
        if claims.parameters != PARAMETERS.name || claims.key != digests.key() {
            return Err(Error::Untrusted(format!(
                "its enclave uses parameters {}, this wallet {}: update the older one",
                claims.parameters, PARAMETERS.name
            )));
        }
        Ok(Self {
            service: claims.service.clone(),
            verdict_key: verified.key().clone(),
            key: claims.key,
            public_key: claims.public_key,
            crs: claims.crs,
            measurement: verified.measurement().to_string(),
            made: verified.made(),
        })
    }

    /// A statement that this enclave signed. What it is about, the caller compares.
    pub fn believe<T: Statement>(&self, jws: &Jws) -> Result<T> {
        blindprint_did::verify::<T>(jws)
            .and_then(|verified| verified.by(&self.verdict_key))
            .map(blindprint_did::Verified::into_statement)
            .map_err(|_| Error::Unbelievable("it is not signed by the attested enclave"))
    }
}
