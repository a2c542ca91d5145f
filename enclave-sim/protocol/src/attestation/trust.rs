use blindprint_core::{KeyUri, ServiceId, UnixTime};
use serde::{Deserialize, Serialize};

use super::{
    AttestationError, Claims, Measurement, Root,
    chain::leaf_key,
    document::{PCR_LEN, Unverified},
};
use crate::policy::LogTerms;

/// How far a document's time may lie from the verifier's, in seconds.
pub const TOLERANCE: i64 = 300;

/// Longest trust file, in bytes.
pub const MAX_TRUST: usize = 64 * 1024;

/// What a verifier pins: roots, measurements and, if it speaks to one only, the service.
///
/// Its file is JSON: `{"service": "https://…", "roots": ["-----BEGIN CERTIFICATE-----…"],
/// "enclave": ["<PCR0 in hex>"], "matcher": ["<PCR0 in hex>"], "log": {"log": "<vkey>", "witness":
/// "<vkey>", "period": 300}}`; `service` may be left out, and `log` by who asks for no witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    service: Option<ServiceId>,
    roots: Vec<Root>,
    enclave: Vec<Measurement>,
    matcher: Vec<Measurement>,
    log: Option<LogTerms>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<ServiceId>,
    roots: Vec<String>,
    enclave: Vec<Measurement>,
    matcher: Vec<Measurement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<LogTerms>,
}

impl Trust {
    /// Documents that chain to `root`, of these measurements, for any service.
    ///
    /// Refuses to accept debug mode.
    pub fn new(
        root: Root,
        enclave: Vec<Measurement>,
        matcher: Vec<Measurement>,
    ) -> Result<Self, AttestationError> {
        Self {
            service: None,
            roots: vec![root],
            enclave,
            matcher,
            log: None,
        }
        .checked()
    }

    /// This trust, for one service only.
    #[must_use]
    pub fn for_service(mut self, service: ServiceId) -> Self {
        self.service = Some(service);
        self
    }

    /// This trust, in enclaves only that read this log and require its witness.
    #[must_use]
    pub fn reading(mut self, log: LogTerms) -> Self {
        self.log = Some(log);
        self
    }

    /// A trust file's text.
    pub fn parse(json: &[u8]) -> Result<Self, AttestationError> {
        // serde would also take a JSON array for a struct.
        if json.len() > MAX_TRUST || json.trim_ascii_start().first() != Some(&b'{') {
            return Err(AttestationError::Trust);
        }
        let file: TrustFile = serde_json::from_slice(json).map_err(|_| AttestationError::Trust)?;
        let roots = file
            .roots
            .iter()
            .map(|pem| Root::from_pem(pem).map_err(|_| AttestationError::Trust))
            .collect::<Result<Vec<_>, _>>()?;
        Self {
            service: file.service,
            roots,
            enclave: file.enclave,
            matcher: file.matcher,
            log: file.log,
        }
        .checked()
    }

    /// The text of its file.
    ///
    /// # Panics
    /// Never: strings and lists of strings serialize.
    pub fn to_json(&self) -> String {
        let file = TrustFile {
            service: self.service.clone(),
            roots: self.roots.iter().map(Root::to_pem).collect(),
            enclave: self.enclave.clone(),
            matcher: self.matcher.clone(),
            log: self.log.clone(),
        };
        serde_json::to_string_pretty(&file).expect("strings and lists of strings serialize")
    }

    fn checked(self) -> Result<Self, AttestationError> {
        let debug = self
            .enclave
            .iter()
            .chain(&self.matcher)
            .any(|pcr| *pcr == Measurement::DEBUG);
        if self.roots.is_empty() || debug {
            Err(AttestationError::Trust)
        } else {
            Ok(self)
        }
    }

    /// The one service, if there is one.
    pub const fn service(&self) -> Option<&ServiceId> {
        self.service.as_ref()
    }

    /// The log that the enclave must read, if it must.
    pub const fn log(&self) -> Option<&LogTerms> {
        self.log.as_ref()
    }

    /// Accepted measurements of the enclave.
    pub fn enclave(&self) -> &[Measurement] {
        &self.enclave
    }

    /// Accepted measurements of matchers.
    pub fn matcher(&self) -> &[Measurement] {
        &self.matcher
    }

    /// Verifies that `document` was made within [`TOLERANCE`] of `now`, in answer to `nonce`, by a
    /// process of an accepted measurement that makes claims of type `C`.
    pub fn verify<C: Claims>(
        &self,
        document: &[u8],
        nonce: &[u8],
        now: UnixTime,
    ) -> Result<VerifiedAttestation<C>, AttestationError> {
        let unverified = Unverified::decode(document)?;
        let (bundle, leaf) = unverified.certificates();
        let key = leaf_key(&self.roots, bundle, leaf, now)?;
        let document = unverified.verify(&key)?;

        let pcr0: [u8; PCR_LEN] = document
            .pcrs
            .get(&0)
            .and_then(|pcr| pcr.as_slice().try_into().ok())
            .ok_or(AttestationError::Measurement)?;
        let measurement = Measurement::from_bytes(pcr0);
        if measurement == Measurement::DEBUG {
            return Err(AttestationError::Debug);
        }
        if !C::accepted(self).contains(&measurement) {
            return Err(AttestationError::Measurement);
        }
        if document.nonce.as_slice() != nonce {
            return Err(AttestationError::Nonce);
        }
        let made = UnixTime(i64::try_from(document.timestamp / 1000).unwrap_or(i64::MAX));
        if now.since(made).saturating_abs() > TOLERANCE {
            return Err(AttestationError::Stale);
        }
        let key: KeyUri = std::str::from_utf8(&document.public_key)
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|uri| blindprint_did::PublicKey::try_from(uri).is_ok())
            .ok_or(AttestationError::Claims)?;
        let claims = C::decode(&document.user_data)?;
        claims.check(self)?;
        Ok(VerifiedAttestation {
            module: document.module_id,
            key,
            claims,
            measurement,
            made,
        })
    }
}

/// What a document that holds says. Only [`Trust::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAttestation<C> {
    module: String,
    key: KeyUri,
    claims: C,
    measurement: Measurement,
    made: UnixTime,
}

impl<C> VerifiedAttestation<C> {
    /// Which instance made it, as the platform names it: no two that run have the same name.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The key that the process signs with.
    pub const fn key(&self) -> &KeyUri {
        &self.key
    }

    /// What it says about itself.
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// What runs.
    pub const fn measurement(&self) -> Measurement {
        self.measurement
    }

    /// When the document was made.
    pub const fn made(&self) -> UnixTime {
        self.made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_file_is_read_strictly() {
        for bad in [
            "",
            "{}",
            "[null,[],[],[]]",
            r#"{"roots":[],"enclave":[],"matcher":[]}"#,
            r#"{"roots":["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],"enclave":[],"matcher":[]}"#,
        ] {
            assert_eq!(
                Trust::parse(bad.as_bytes()),
                Err(AttestationError::Trust),
                "{bad}"
            );
        }
        assert_eq!(
            Trust::parse(&vec![b' '; MAX_TRUST + 1]),
            Err(AttestationError::Trust)
        );
    }
}
