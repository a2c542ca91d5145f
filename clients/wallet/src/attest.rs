use blindprint_core::{Digest, Jws, KeyUri, Nonce, ServiceId, UnixTime, statement::Statement};
use blindprint_protocol::attestation::{EnclaveClaims, Measurement, Trust};
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
    /// Measurements of the matchers that it admits, all of them trusted.
    pub matchers: Vec<Measurement>,
    /// How many matchers must agree on a verdict.
    pub matchers_needed: u32,
    /// Whether the enclave evaluates too, and must agree.
    pub recompute: bool,
    /// When the document was made.
    pub made: UnixTime,
}

impl Attested {
    /// Asks the service for a document with a fresh nonce and verifies that it is by an enclave
    /// that `trust` accepts, serves `service`, uses this build's parameters and thresholds, and
    /// admits no matcher that `trust` does not accept.
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
        let unknown = |matcher: &&Measurement| !trust.matcher().contains(matcher);
        if let Some(matcher) = claims.matchers.iter().find(unknown) {
            return Err(Error::Untrusted(format!(
                "its enclave admits a matcher with the measurement {matcher}, which the trust file does not name"
            )));
        }
        Ok(Self {
            service: claims.service.clone(),
            verdict_key: verified.key().clone(),
            key: claims.key,
            public_key: claims.public_key,
            crs: claims.crs,
            measurement: verified.measurement().to_string(),
            matchers: claims.matchers.clone(),
            matchers_needed: claims.matchers_needed,
            recompute: claims.recompute,
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

#[cfg(test)]
mod tests {
    use blindprint_core::{SystemEntropy, profile_table_digest};
    use blindprint_nsm::{Mode, Nsm};

    use super::*;

    /// An enclave is worth no more than the matchers whose word it opens verdicts on.
    #[test]
    fn every_matcher_that_the_enclave_admits_must_be_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let nsm = Nsm::open(folder.path(), Mode::Production, &SystemEntropy).unwrap();
        let (nonce, now) = (Nonce::random(&SystemEntropy), UnixTime(1_790_000_000));
        let service: ServiceId = "https://example.org".parse().unwrap();
        let digest = Digest::of("test", b"");
        let digests = MaterialDigests {
            public_key: digest,
            crs: digest,
            evaluation_keys: digest,
        };
        let measurements: [_; 3] = [1, 2, 3].map(|byte| Measurement::from_bytes([byte; 48]));
        let verify = |admitted: &[Measurement]| {
            let claims = EnclaveClaims {
                parameters: PARAMETERS.name.to_owned(),
                public_key: digest,
                crs: digest,
                evaluation_keys: digest,
                key: digests.key(),
                profiles: profile_table_digest(),
                service: service.clone(),
                matchers: admitted.to_vec(),
                matchers_needed: 2,
                recompute: true,
                log: None,
            };
            let key = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
            let document = nsm
                .attest(
                    &key.parse().unwrap(),
                    &claims,
                    nonce.as_bytes(),
                    now,
                    &SystemEntropy,
                )
                .unwrap();
            let trusted = measurements[..2].to_vec();
            let trust = Trust::new(nsm.root().clone(), vec![nsm.measurement()], trusted).unwrap();
            Attested::verify(&document, &trust, &service, &nonce, now)
        };
        let attested = verify(&measurements[..2]).unwrap();
        assert_eq!((attested.matchers_needed, attested.recompute), (2, true));
        assert!(verify(&measurements[1..2]).is_ok());
        for admitted in [&measurements[1..], &measurements[2..]] {
            assert!(matches!(verify(admitted), Err(Error::Untrusted(_))));
        }
    }
}
