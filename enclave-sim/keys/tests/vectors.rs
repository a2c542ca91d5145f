//! One seed, one key set: a change in generation, encodings or tfhe itself shows here.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Mutex;

use blindprint_core::Entropy;
use blindprint_keys::{Stage, generate, spectrum};
use sha3::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};

/// SHAKE256 of a label.
struct Seeded(Mutex<sha3::Shake256Reader>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().read(bytes);
    }
}

#[test]
fn known_answers() {
    let mut hash = Shake256::default();
    hash.update(b"blindprint test vector 1");
    let entropy = Seeded(Mutex::new(hash.finalize_xof()));
    let stages = Mutex::new(Vec::new());
    let (secret, material) = generate(&entropy, &|stage| stages.lock().unwrap().push(stage));
    assert_eq!(*stages.lock().unwrap(), Stage::ALL);
    assert!(spectrum::peak(secret.expose_large(), 1.0) <= spectrum::KEY_PEAK);
    let digests = material.digests();
    let secret = blindprint_core::Digest::of("test-vector", &secret.expose());
    assert_eq!(
        [
            secret,
            digests.public_key,
            digests.crs,
            digests.evaluation_keys,
            digests.key()
        ]
        .map(|digest| digest.to_string()),
        [
            "FsZdKIuSc3-C1bf7NKZcHYuN7aAVVETZCr-YRPBu0U0",
            "1C6_9z7YKv81DTlzWgZyhdqPxmPvkX3YK1NFvtJ6ZgU",
            "ZQcz55PJt37CvMSOl8EKK-PGV1YOnPuCu2rG8JNeJr8",
            "9zAyX47bdFpm8qTR_aliqoDtjo0vEtztqhRN9FoaK4M",
            "tTzg07OeR1mkZ7kCjohZ8fWBUPJsZHQXkH1i1zQ126E",
        ]
    );
}
