//! One seed, one key set: a change in generation, encodings or tfhe itself shows here.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Mutex;

use blindprint_core::Entropy;
use blindprint_keys::{Stage, generate};
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
            "o7zMSVr6kemH0my5-UWxA20KMUiSDotARPYxivCcxS8",
            "netJmiw_-46xH4j9wMj0iKLBoV9unV-J3ks2oqxkXCE",
            "UXIiEApJqbQNeG_DQG_oPnmeNSprlEycYsTwGrNQ-7Y",
            "BjjyQY7hU4emauKc0CQ-2IWUoFl6Z54Mh8e0JaMLLWk",
            "u01HQA3nnbLaUWLygQB0bV9ZxLU3Jg3DlEEE4T3HhQ8",
        ]
    );
}
