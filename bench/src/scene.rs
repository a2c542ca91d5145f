//! One enrolment and one probe of a real face, made as a wallet makes them.

use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Nonce, ProfileId, ServiceId, SystemEntropy, UnixTime, label,
    statement::{Enrolment, Probe, Purpose},
};
use blindprint_did::{KeyType, SigningKey};
use blindprint_keys::{PublicMaterial, SecretKeys};
use blindprint_matcher::Matcher;
use blindprint_template::{
    BiometricCode, CODE_BITS, Crs, EncodingKey, PARAMETERS, PublicKey, StoredTemplate, encode,
    pack, packed_len, seal,
};

use crate::{accuracy::dataset::Dataset, error::Result};

/// Keys, ciphertexts and the requests that they are bound to.
pub struct Scene {
    /// Opens verdicts.
    pub secret: SecretKeys,
    /// As the service sends it.
    pub material: PublicMaterial,
    /// Over that material.
    pub matcher: Matcher,
    /// Ready for use.
    pub public_key: PublicKey,
    /// Ready for use.
    pub crs: Crs,
    /// Signs the wallet's statements.
    pub wallet: SigningKey,
    /// The consent that the enrolment rests on.
    pub consent: ConsentId,
    /// What the template is bound to.
    pub enrolment: Enrolment,
    /// What the probe is bound to.
    pub probe: Probe,
    /// κ.
    pub encoding_key: EncodingKey,
    /// The enrolled capture.
    pub embedding: Vec<f32>,
    /// Another capture's code.
    pub presented: BiometricCode,
    /// The enrolled code, encrypted and proved, as uploaded.
    pub template_upload: Vec<u8>,
    /// The template as it is kept.
    pub stored: Vec<u8>,
    /// The presented code, encrypted and proved, as uploaded.
    pub probe_upload: Vec<u8>,
}

impl Scene {
    /// Enrols the first person of `dataset` that has two captures, and prepares the other capture as
    /// a probe.
    pub fn new(dataset: &Dataset, profile: ProfileId) -> Result<Self> {
        let entropy = &SystemEntropy;
        let (secret, material) = blindprint_keys::fixture::keys();
        let matcher = Matcher::new(
            &material.public_key,
            &material.crs,
            &material.evaluation_keys,
        )?;
        let public_key = PublicKey::decode(&material.public_key)?;
        let crs = Crs::decode(&material.crs)?;
        let key = matcher.digests().key();

        let wallet = SigningKey::generate(KeyType::Ed25519, entropy);
        let service: ServiceId = "https://blindprint.example".parse()?;
        let now = UnixTime(1_800_000_000);
        let enrolment = Enrolment {
            sub: wallet.public().subject(),
            service: service.clone(),
            enrolment: EnrolmentId::random(entropy),
            replaces: None,
            consent: Digest::of("blindprint/jws/v1", b"a consent"),
            purpose: Purpose::Authentication,
            profile,
            key,
            submission: Digest::of(label::SUBMISSION, b"an upload"),
            nonce: Nonce::random(entropy),
            recovery_key: SigningKey::generate(KeyType::Ed25519, entropy)
                .public()
                .uri(),
            iat: now,
        };

        let (first, second) = dataset.two_captures();
        let encoding_key = EncodingKey::generate(entropy);
        let enrolled = encode(profile, &encoding_key, first)?;
        let presented = encode(profile, &encoding_key, second)?;
        let binding = enrolment.binding();
        let template_upload = seal(&enrolled, &public_key, &crs, &binding, entropy)?.encode();
        let stored = matcher.check_template(&binding, &template_upload)?;
        let probe = Probe {
            sub: wallet.public().subject(),
            service,
            enrolment: enrolment.enrolment,
            template: Digest::of(label::TEMPLATE, &stored),
            challenge: Nonce::random(entropy),
            audience: "https://relying-party.example".parse()?,
            purpose: Purpose::Authentication,
            profile,
            key,
            submission: Digest::of(label::SUBMISSION, b"an upload"),
            iat: now,
        };
        let upload = seal(&presented, &public_key, &crs, &probe.binding(), entropy)?.encode();
        Ok(Self {
            secret,
            material,
            matcher,
            public_key,
            crs,
            wallet,
            consent: ConsentId::random(entropy),
            enrolment,
            probe,
            encoding_key,
            embedding: first.to_vec(),
            presented,
            template_upload,
            stored,
            probe_upload: upload,
        })
    }

    /// A stored template from a ciphertext that has no proof: rounded as the matcher rounds, under
    /// the header of the one that it made.
    pub fn stored_unproven(&self, glwe_words: &[u64]) -> Result<StoredTemplate> {
        let header = self.stored.len() - packed_len(2 * CODE_BITS, PARAMETERS.stored_bits);
        let mut bytes = self.stored[..header].to_vec();
        bytes.extend(pack(glwe_words, PARAMETERS.stored_bits));
        Ok(StoredTemplate::decode(&bytes)?)
    }
}
