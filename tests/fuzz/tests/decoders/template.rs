//! Public material, submissions and stored templates.

use std::sync::OnceLock;

use blindprint_core::{
    Audience, Binding, Digest, EnrolmentId, Nonce, Role, SystemEntropy, profiles,
    statement::Purpose,
};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_keys::PublicMaterial;
use blindprint_template::{
    BiometricCode, CODE_BITS, Crs, PARAMETERS, PublicKey, StoredTemplate, Submission, header, pack,
    packed_len, seal, unpack,
};

pub fn material() -> &'static PublicMaterial {
    static MATERIAL: OnceLock<PublicMaterial> = OnceLock::new();
    MATERIAL.get_or_init(|| blindprint_keys::fixture::keys().1)
}

/// What was requested, and what a wallet answers.
pub fn genuine(role: Role) -> (Binding, Vec<u8>) {
    let material = material();
    let probe = role == Role::Probe;
    let binding = Binding {
        role,
        subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
            .parse()
            .unwrap(),
        service: "https://example.org".parse().unwrap(),
        enrolment: EnrolmentId::random(&SystemEntropy),
        template: probe.then(|| Digest::of("fuzz", b"template")),
        challenge: Nonce::from_bytes([1; 32]),
        purpose: Purpose::Authentication,
        audience: probe.then(|| "https://shop.example".parse::<Audience>().unwrap()),
        profile: profiles()[0].id(),
        key: material.digests().key(),
    };
    let code = BiometricCode::from_bits((0..CODE_BITS).map(|i| i % 3 == 0));
    let public_key = PublicKey::decode(&material.public_key).unwrap();
    let crs = Crs::decode(&material.crs).unwrap();
    let submission = seal(&code, &public_key, &crs, &binding, &SystemEntropy).unwrap();
    (binding, submission.encode())
}

#[test]
fn public_keys() {
    fuzz!(
        Inputs::from([material().public_key.clone()]),
        Budget::SMALL,
        |bytes: &[u8]| {
            if let Ok(key) = PublicKey::decode(bytes) {
                assert!(key.encode() == bytes && bytes.len() == PublicKey::ENCODED_LEN);
            }
        }
    );
}

/// Few inputs a second: each is 4.6 MB.
#[test]
fn reference_strings() {
    fuzz!(
        Inputs::from([material().crs.clone()]),
        Budget::mebibytes(64).seconds(10),
        |bytes: &[u8]| {
            if let Ok(crs) = Crs::decode(bytes) {
                assert!(crs.encode() == bytes && bytes.len() <= Crs::MAX_LEN);
            }
        }
    );
}

#[test]
fn submissions() {
    let seeds = [Role::Template, Role::Probe].map(|role| genuine(role).1);
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        if let Ok(submission) = Submission::decode(bytes) {
            assert!(submission.encode() == bytes && bytes.len() <= Submission::MAX_LEN);
        }
    });
}

/// A few inputs a second: whatever decodes is verified, and only what was sealed holds.
#[test]
fn proofs() {
    let (binding, genuine) = genuine(Role::Probe);
    let public_key = PublicKey::decode(&material().public_key).unwrap();
    let crs = Crs::decode(&material().crs).unwrap();
    let seeds = [genuine.clone()];
    fuzz!(
        Inputs::from(seeds),
        Budget::mebibytes(256).seconds(30),
        |bytes: &[u8]| {
            if let Ok(submission) = Submission::decode(bytes) {
                let holds = submission.verify(&binding, &public_key, &crs).is_ok();
                assert_eq!(holds, bytes == genuine);
            }
        }
    );
}

#[test]
fn stored_templates() {
    let words: Vec<u64> = (0..PARAMETERS.glwe_words() as u64)
        .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .collect();
    let encode = |key: Digest, words: &[u64]| {
        [
            header(*b"BPst", 8),
            key.as_bytes().to_vec(),
            pack(words, PARAMETERS.stored_bits),
        ]
        .concat()
    };
    let seed = encode(Digest::of("fuzz", b"key"), &words);
    fuzz!(Inputs::from([seed]), Budget::SMALL, |bytes: &[u8]| {
        if let Ok(template) = StoredTemplate::decode(bytes) {
            assert!(encode(template.key(), template.glwe_words()) == bytes);
            assert_eq!(bytes.len(), StoredTemplate::ENCODED_LEN);
        }
    });
}

/// The first two bytes say how many values of how many bits the others are taken for.
#[test]
fn packed_words() {
    let seeds = [(1, 1), (12, 3), (46, 31), (63, 64)].map(|(bits, count): (u32, u8)| {
        let words: Vec<u64> = (1..=u64::from(count)).map(|i| i << 50).collect();
        [vec![u8::try_from(bits).unwrap(), count], pack(&words, bits)].concat()
    });
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let [bits, count, packed @ ..] = bytes else {
            return;
        };
        let (bits, count) = (u32::from(*bits) % 63 + 1, usize::from(*count));
        if let Some(words) = unpack(packed, count, bits) {
            assert_eq!(
                (words.len(), packed.len()),
                (count, packed_len(count, bits))
            );
            assert_eq!(pack(&words, bits), packed);
        }
    });
}
