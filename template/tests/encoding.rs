//! Known answers and properties of the keyed code.
#![allow(clippy::unwrap_used, reason = "a test")]

use blindprint_core::{Digest, Entropy, ProfileId, SystemEntropy};
use blindprint_template::{BiometricCode, CODE_BITS, EncodeError, EncodingKey, encode};

fn face() -> ProfileId {
    "face-dlib128-v1".parse().unwrap()
}

/// A fixed embedding: values between −0.5 and 0.5.
fn fixed_embedding(dimension: u16) -> Vec<f32> {
    (0..dimension)
        .map(|i| u8::try_from(u32::from(i) * 37 % 101).unwrap())
        .map(|step| (f32::from(step) - 50.0) / 100.0)
        .collect()
}

fn digest(code: &BiometricCode) -> String {
    let bytes: Vec<u8> = (0..CODE_BITS / 8)
        .map(|byte| {
            (0..8).fold(0, |value, bit| {
                value | u8::from(code.bit(8 * byte + bit)) << bit
            })
        })
        .collect();
    Digest::of("test-vector", &bytes).to_string()
}

/// The same on every platform: no step depends on the compiler's or the system's mathematics. A
/// second implementation (Python's hashlib and math, after the text of `encoding.rs`) gave these digests too.
#[test]
fn known_answers() {
    let key = EncodingKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap()));
    for (profile, expected) in [
        (
            "face-dlib128-v1",
            "MKoVPNBlY-w-0hLuFfsmwgtyZ8QSV-8zkV1oh4Hufco",
        ),
        (
            "iris-bits2048-v1",
            "RNbB-q0pdwBHXXYOA-BZAylBIc8XNfVuhZsrTLhha9A",
        ),
        (
            "fingerprint-vector512-v1",
            "Qom4HVh67B870_QrZxcWY7epMgg0h3eCfn0a_hPaFm4",
        ),
    ] {
        let profile: ProfileId = profile.parse().unwrap();
        let code = encode(profile, &key, &fixed_embedding(profile.profile().dimension)).unwrap();
        assert_eq!(digest(&code), expected, "{profile}");
    }
}

#[test]
fn distance_follows_distance_under_one_key_only() {
    let key = EncodingKey::generate(&SystemEntropy);
    let embedding = fixed_embedding(128);
    let code = encode(face(), &key, &embedding).unwrap();
    let mut previous = 0;
    for step in [0.01_f32, 0.02, 0.03, 0.05, 0.1] {
        let moved: Vec<f32> = embedding.iter().map(|value| value + step).collect();
        let distance = code.hamming(&encode(face(), &key, &moved).unwrap());
        assert!(distance > previous, "{step}: {distance} after {previous}");
        previous = distance;
    }
    let other = encode(face(), &EncodingKey::generate(&SystemEntropy), &embedding).unwrap();
    // Binomial(2048, ½): six deviations are 136.
    assert!(code.hamming(&other).abs_diff(1024) < 136);
}

#[test]
fn each_bit_of_one_code_is_uniform_over_keys() {
    let embedding = fixed_embedding(128);
    let keys = 64;
    let ones: usize = (0..keys)
        .map(|_| {
            let code = encode(face(), &EncodingKey::generate(&SystemEntropy), &embedding).unwrap();
            (0..CODE_BITS).filter(|i| code.bit(*i)).count()
        })
        .sum();
    // 131,072 coin flips: six deviations are 1,086.
    assert!(ones.abs_diff(keys * CODE_BITS / 2) < 1086, "{ones} ones");
}

#[test]
fn what_no_model_makes_is_refused() {
    let key = EncodingKey::generate(&SystemEntropy);
    let refuse =
        |profile: &str, embedding: &[f32]| encode(profile.parse().unwrap(), &key, embedding).err();
    let mut embedding = fixed_embedding(128);
    assert_eq!(
        refuse("face-dlib128-v1", &embedding[..127]),
        Some(EncodeError::Dimension {
            expected: 128,
            found: 127
        })
    );
    for bad in [f32::NAN, f32::INFINITY, 2e6] {
        embedding[5] = bad;
        assert_eq!(
            refuse("face-dlib128-v1", &embedding),
            Some(EncodeError::Value),
            "{bad}"
        );
    }
    assert_eq!(
        refuse("fingerprint-vector512-v1", &[0.0; 512]),
        Some(EncodeError::Value)
    );
}

#[test]
fn randomness_is_an_argument() {
    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
    assert_eq!(EncodingKey::generate(&Fixed).expose(), &[7; 32]);
}
