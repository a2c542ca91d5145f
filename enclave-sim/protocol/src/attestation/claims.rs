use blindprint_core::{Digest, ServiceId, profile_table_digest};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{AttestationError, MAX_USER_DATA, Measurement, PCR_LEN, Trust};
use crate::cbor;

/// What an attested process says about itself in `user_data`.
pub trait Claims: Sized {
    /// The CBOR for `user_data`, at most [`MAX_USER_DATA`] bytes.
    fn encode(&self) -> Result<Vec<u8>, AttestationError>;

    /// Claims in canonical form, of at most [`MAX_USER_DATA`] bytes.
    fn decode(bytes: &[u8]) -> Result<Self, AttestationError>;

    /// The measurements under which `trust` takes such claims.
    fn accepted(trust: &Trust) -> &[Measurement];

    /// Whether they agree with this build and with `trust`.
    fn check(&self, trust: &Trust) -> Result<(), AttestationError>;
}

/// What the enclave vouches for, beside its verdict key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnclaveClaims {
    /// The parameter set's name.
    pub parameters: String,
    /// Digest of the compact public key.
    pub public_key: Digest,
    /// Digest of the common reference string.
    pub crs: Digest,
    /// Digest of the evaluation keys.
    pub evaluation_keys: Digest,
    /// Digest over all of these, by which ciphertexts name what they are under.
    pub key: Digest,
    /// Digest of the profile table.
    pub profiles: Digest,
    /// The service that its statements are about.
    pub service: ServiceId,
    /// The matchers that it admits. Whoever believes its verdicts must believe these too.
    pub matchers: Vec<Measurement>,
    /// How many of them must agree on a verdict.
    pub matchers_needed: u32,
    /// Whether it evaluates too, and must agree.
    pub recompute: bool,
    /// Which log it reads and which witness it requires: [`crate::policy::LogTerms::digest`].
    pub log: Option<Digest>,
}

/// What a matcher vouches for, beside its evaluation key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatcherClaims {
    /// The parameter set's name.
    pub parameters: String,
    /// The public material that it evaluates under.
    pub key: Digest,
    /// Digest of the profile table.
    pub profiles: Digest,
}

/// A digest as 32 bytes instead of text.
type Bytes = serde_bytes::ByteArray<32>;

fn bytes(digest: &Digest) -> Bytes {
    Bytes::new(*digest.as_bytes())
}

fn digest(bytes: Bytes) -> Digest {
    Digest::from_bytes(bytes.into_array())
}

/// The members of [`EnclaveClaims`] in their order, without their names: there is room for
/// [`MAX_USER_DATA`] bytes only.
#[derive(Serialize, Deserialize)]
struct EnclaveWire(
    String,
    Bytes,
    Bytes,
    Bytes,
    Bytes,
    Bytes,
    ServiceId,
    Vec<serde_bytes::ByteArray<PCR_LEN>>,
    u32,
    bool,
    Option<Bytes>,
);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MatcherWire {
    parameters: String,
    key: Bytes,
    profiles: Bytes,
}

fn encode(wire: &impl Serialize) -> Result<Vec<u8>, AttestationError> {
    let mut bytes = Vec::new();
    cbor::encode_onto(wire, &mut bytes).ok_or(AttestationError::Claims)?;
    if bytes.len() > MAX_USER_DATA {
        return Err(AttestationError::Claims);
    }
    Ok(bytes)
}

fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, AttestationError> {
    if bytes.len() > MAX_USER_DATA {
        return Err(AttestationError::Claims);
    }
    cbor::decode(bytes).ok_or(AttestationError::Claims)
}

impl Claims for EnclaveClaims {
    fn encode(&self) -> Result<Vec<u8>, AttestationError> {
        let measurements = self.matchers.iter().map(|pcr| (*pcr.as_bytes()).into());
        encode(&EnclaveWire(
            self.parameters.clone(),
            bytes(&self.public_key),
            bytes(&self.crs),
            bytes(&self.evaluation_keys),
            bytes(&self.key),
            bytes(&self.profiles),
            self.service.clone(),
            measurements.collect(),
            self.matchers_needed,
            self.recompute,
            self.log.as_ref().map(bytes),
        ))
    }

    fn decode(bytes: &[u8]) -> Result<Self, AttestationError> {
        let EnclaveWire(
            parameters,
            public_key,
            crs,
            evaluation_keys,
            key,
            profiles,
            service,
            matchers,
            matchers_needed,
            recompute,
            log,
        ) = decode(bytes)?;
        let measurements = matchers.into_iter().map(serde_bytes::ByteArray::into_array);
        Ok(Self {
            parameters,
            public_key: digest(public_key),
            crs: digest(crs),
            evaluation_keys: digest(evaluation_keys),
            key: digest(key),
            profiles: digest(profiles),
            service,
            matchers: measurements.map(Measurement::from_bytes).collect(),
            matchers_needed,
            recompute,
            log: log.map(digest),
        })
    }

    fn accepted(trust: &Trust) -> &[Measurement] {
        trust.enclave()
    }

    fn check(&self, trust: &Trust) -> Result<(), AttestationError> {
        if trust
            .service()
            .is_some_and(|service| *service != self.service)
        {
            return Err(AttestationError::Service);
        }
        if trust
            .log()
            .is_some_and(|terms| self.log != Some(terms.digest()))
        {
            return Err(AttestationError::Log);
        }
        check_profiles(self.profiles)
    }
}

impl Claims for MatcherClaims {
    fn encode(&self) -> Result<Vec<u8>, AttestationError> {
        encode(&MatcherWire {
            parameters: self.parameters.clone(),
            key: bytes(&self.key),
            profiles: bytes(&self.profiles),
        })
    }

    fn decode(bytes: &[u8]) -> Result<Self, AttestationError> {
        let wire: MatcherWire = decode(bytes)?;
        Ok(Self {
            parameters: wire.parameters,
            key: digest(wire.key),
            profiles: digest(wire.profiles),
        })
    }

    fn accepted(trust: &Trust) -> &[Measurement] {
        trust.matcher()
    }

    fn check(&self, _trust: &Trust) -> Result<(), AttestationError> {
        check_profiles(self.profiles)
    }
}

/// Thresholds come from the profile table alone, so both sides must hold the same one.
fn check_profiles(profiles: Digest) -> Result<(), AttestationError> {
    if profiles == profile_table_digest() {
        Ok(())
    } else {
        Err(AttestationError::Profiles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_about_the_longest_service_fit() {
        let digest = Digest::of("test", b"");
        let authority = "h".repeat(ServiceId::MAX_LEN - "https://".len());
        let claims = EnclaveClaims {
            parameters: "bp-tfhe-2048-v2".to_owned(),
            public_key: digest,
            crs: digest,
            evaluation_keys: digest,
            key: digest,
            profiles: digest,
            service: format!("https://{authority}").parse().unwrap(),
            matchers: vec![Measurement::from_bytes([7; PCR_LEN])],
            matchers_needed: 8,
            recompute: true,
            log: None,
        };
        let encoded = claims.encode().unwrap();
        assert_eq!(EnclaveClaims::decode(&encoded), Ok(claims));
    }

    #[test]
    fn claims_about_a_witness_fit_beside_a_long_service() {
        let digest = Digest::of("test", b"");
        let claims = EnclaveClaims {
            parameters: "bp-tfhe-2048-v2".to_owned(),
            public_key: digest,
            crs: digest,
            evaluation_keys: digest,
            key: digest,
            profiles: digest,
            service: format!("https://{}", "h".repeat(220)).parse().unwrap(),
            matchers: vec![Measurement::from_bytes([7; PCR_LEN])],
            matchers_needed: 8,
            recompute: true,
            log: Some(digest),
        };
        let encoded = claims.encode().unwrap();
        assert_eq!(EnclaveClaims::decode(&encoded), Ok(claims));
    }

    #[test]
    fn claims_beyond_the_limit_are_refused_unread() {
        let wire = MatcherWire {
            parameters: "p".repeat(MAX_USER_DATA),
            key: Bytes::default(),
            profiles: Bytes::default(),
        };
        assert_eq!(encode(&wire), Err(AttestationError::Claims));
        let mut bytes = Vec::new();
        cbor::encode_onto(&wire, &mut bytes).unwrap();
        assert_eq!(MatcherClaims::decode(&bytes), Err(AttestationError::Claims));
    }
}
