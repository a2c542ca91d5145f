//! What the matcher's tests share: keys, codes at a chosen distance, decryption.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use blindprint_core::{Entropy, Role, SystemEntropy};
use blindprint_keys::{PublicMaterial, SecretKeys};
use blindprint_matcher::Matcher;
use blindprint_template::{BiometricCode, CODE_BITS, PublicKey, encrypt_unproven};

/// Keys, matcher and public key.
pub struct Setup {
    pub secret: SecretKeys,
    pub material: PublicMaterial,
    pub matcher: Matcher,
    pub public_key: PublicKey,
}

impl Setup {
    pub fn new() -> Self {
        let (secret, material) = blindprint_keys::fixture::keys();
        let matcher = Matcher::new(
            &material.public_key,
            &material.crs,
            &material.evaluation_keys,
        )
        .unwrap();
        let public_key = PublicKey::decode(&material.public_key).unwrap();
        Self {
            secret,
            material,
            matcher,
            public_key,
        }
    }

    /// A template's ciphertext as the matcher stores it: rounded.
    pub fn template(&self, code: &BiometricCode) -> Vec<u64> {
        let words = encrypt_unproven(code, Role::Template, &self.public_key, &SystemEntropy);
        let bits = blindprint_template::PARAMETERS.stored_bits;
        blindprint_template::unpack(&blindprint_template::pack(&words, bits), words.len(), bits)
            .unwrap()
    }

    /// A probe's ciphertext.
    pub fn probe(&self, code: &BiometricCode) -> Vec<u64> {
        encrypt_unproven(code, Role::Probe, &self.public_key, &SystemEntropy)
    }

    /// The phase of an LWE ciphertext under the large key.
    pub fn phase(&self, ciphertext: &[u64]) -> u64 {
        phase(ciphertext, self.secret.expose_large())
    }
}

/// b − ⟨a, s⟩.
pub fn phase(ciphertext: &[u64], key: &[u64]) -> u64 {
    let (body, mask) = ciphertext.split_last().unwrap();
    mask.iter().zip(key).fold(*body, |phase, (a, s)| {
        phase.wrapping_sub(a.wrapping_mul(*s))
    })
}

/// A random code.
pub fn random_code() -> BiometricCode {
    let mut bytes = [0; CODE_BITS / 8];
    SystemEntropy.fill(&mut bytes);
    BiometricCode::from_bits((0..CODE_BITS).map(|i| bytes[i / 8] >> (i % 8) & 1 == 1))
}

/// `code` with `distance` bits flipped, spread over the code.
pub fn at_distance(code: &BiometricCode, distance: usize) -> BiometricCode {
    // 1021 is coprime to 2048, so the first `distance` multiples are distinct.
    let mut flip = vec![false; CODE_BITS];
    for i in 0..distance {
        flip[i * 1021 % CODE_BITS] = true;
    }
    BiometricCode::from_bits((0..CODE_BITS).map(|i| code.bit(i) != flip[i]))
}
