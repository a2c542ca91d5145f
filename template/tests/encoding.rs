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

/// The zero vector's projections are all zero: its bits come from the offsets alone.
#[test]
fn each_bit_of_one_code_is_uniform_over_keys() {
    const KEYS: usize = 64;
    for embedding in [vec![0.0; 128], fixed_embedding(128)] {
        let mut ones = vec![0_usize; CODE_BITS];
        for _ in 0..KEYS {
            let code = encode(face(), &EncodingKey::generate(&SystemEntropy), &embedding).unwrap();
            for (bit, ones) in ones.iter_mut().enumerate() {
                *ones += usize::from(code.bit(bit));
            }
        }
        // Six deviations of 131,072 coin flips, and for each bit of 64.
        let total: usize = ones.iter().sum();
        assert!(total.abs_diff(KEYS * CODE_BITS / 2) < 1086, "{total} ones");
        for (bit, ones) in ones.into_iter().enumerate() {
            assert!(ones.abs_diff(KEYS / 2) <= 24, "bit {bit}: {ones} ones");
        }
    }
}

/// Two codes tell how far apart the captures lie, and neither where nor in which direction.
#[test]
fn two_codes_tell_nothing_but_a_distance() {
    const KEYS: u16 = 64;
    let zero = vec![0.0_f32; 128];
    let somewhere = fixed_embedding(128);
    let moved = |from: &[f32], direction: &[f32]| -> Vec<f32> {
        from.iter().zip(direction).map(|(a, b)| a + b).collect()
    };
    let along: Vec<f32> = (0..128).map(|i| if i == 0 { 0.2 } else { 0.0 }).collect();
    let across = vec![0.2 / 128_f32.sqrt(); 128];
    let pairs = [
        (zero.clone(), along.clone()),
        (zero, across.clone()),
        (somewhere.clone(), moved(&somewhere, &along)),
        (somewhere.clone(), moved(&somewhere, &across)),
    ];
    let means = pairs.map(|(one, other)| {
        let total: u32 = (0..KEYS)
            .map(|_| {
                let key = EncodingKey::generate(&SystemEntropy);
                let code = encode(face(), &key, &one).unwrap();
                u32::from(code.hamming(&encode(face(), &key, &other).unwrap()))
            })
            .sum();
        f64::from(total) / f64::from(KEYS)
    });
    // The mean over 64 keys of at most binomial deviations of 22.6: six deviations of a difference.
    for mean in means {
        assert!((mean - means[0]).abs() < 24.0, "{means:?}");
    }
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
