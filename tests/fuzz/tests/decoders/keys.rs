//! Secret keys, and verdicts as the enclave opens them.

use blindprint_core::Digest;
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_keys::{OpenError, SecretKeys};
use blindprint_matcher::VerdictCiphertext;
use blindprint_template::PARAMETERS;

use super::matcher::encode;

#[test]
fn secret_keys() {
    let (secret, _) = blindprint_keys::fixture::keys();
    fuzz!(
        Inputs::from([secret.expose().to_vec()]),
        Budget::SMALL,
        |bytes: &[u8]| {
            if let Ok(keys) = SecretKeys::decode(bytes) {
                assert!(keys.expose().as_slice() == bytes);
            }
        }
    );
}

/// An encryption of `phase` under the small key, without noise.
fn verdict(secret: &SecretKeys, phase: u64) -> Vec<u8> {
    let mut words: Vec<u64> = (1..=PARAMETERS.lwe_dimension as u64)
        .map(|i| (i * 1019 % 4096) << 52)
        .collect();
    let body = words
        .iter()
        .zip(secret.expose_small())
        .fold(phase, |body, (mask, bit)| {
            body.wrapping_add(mask.wrapping_mul(*bit))
        });
    words.push(body);
    encode(Digest::of("fuzz", b"key"), &words)
}

#[test]
fn verdicts() {
    let (secret, _) = blindprint_keys::fixture::keys();
    let [matching, differing, neither] = [1 << 62, 3 << 62, 0].map(|phase| verdict(&secret, phase));
    assert_eq!(secret.open(&matching), Ok(true));
    assert_eq!(secret.open(&differing), Ok(false));
    assert_eq!(secret.open(&neither), Err(OpenError::NoVerdict));
    fuzz!(
        Inputs::from([matching, differing, neither]),
        Budget::SMALL,
        |bytes: &[u8]| {
            let decodes = VerdictCiphertext::decode(bytes).map(drop);
            match secret.open(bytes) {
                Err(OpenError::Decode(error)) => assert_eq!(decodes, Err(error)),
                Ok(_) | Err(OpenError::NoVerdict) => assert_eq!(decodes, Ok(())),
            }
        }
    );
}
