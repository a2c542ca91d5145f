//! A submission is taken for exactly the request that it was made for, and in exactly one form.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::sync::{Arc, OnceLock};

use blindprint_core::{
    Audience, Binding, Digest, EnrolmentId, Nonce, Role, SystemEntropy, statement::Purpose,
};
use blindprint_matcher::MatchError;
use blindprint_template::{Crs, DecodeError, ProofError, StoredTemplate, Submission, seal};
use common::{Setup, at_distance, random_code};

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(Setup::new)
}

fn template_binding() -> Binding {
    Binding {
        role: Role::Template,
        subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
            .parse()
            .unwrap(),
        service: "https://blindprint.example".parse().unwrap(),
        enrolment: EnrolmentId::random(&SystemEntropy),
        template: None,
        challenge: Nonce::random(&SystemEntropy),
        purpose: Purpose::Authentication,
        audience: None,
        profile: "face-dlib128-v1".parse().unwrap(),
        key: setup().matcher.digests().key(),
    }
}

fn probe_binding(template: Digest) -> Binding {
    Binding {
        role: Role::Probe,
        template: Some(template),
        audience: Some("https://dapp.example".parse().unwrap()),
        ..template_binding()
    }
}

fn sealed(binding: &Binding) -> Vec<u8> {
    static CRS: OnceLock<Crs> = OnceLock::new();
    let crs = CRS.get_or_init(|| Crs::decode(&setup().material.crs).unwrap());
    seal(
        &random_code(),
        &setup().public_key,
        crs,
        binding,
        &SystemEntropy,
    )
    .unwrap()
    .encode()
}

#[test]
fn enrol_and_compare_through_the_encodings() {
    let setup = setup();
    let crs = Crs::decode(&setup.material.crs).unwrap();
    let enrolled = random_code();
    let binding = template_binding();
    let submission = seal(&enrolled, &setup.public_key, &crs, &binding, &SystemEntropy)
        .unwrap()
        .encode();
    let stored = setup.matcher.check_template(&binding, &submission).unwrap();
    assert!(
        submission.len() <= 40 << 10,
        "probe of {} bytes",
        submission.len()
    );
    assert!(
        stored.len() <= 24 << 10,
        "template of {} bytes",
        stored.len()
    );
    let binding = probe_binding(Digest::of("blindprint/template/v1", &stored));
    let tau = usize::from(binding.profile.profile().tau);
    for (distance, matches) in [(tau, true), (tau + 1, false)] {
        let presented = at_distance(&enrolled, distance);
        let probe = seal(
            &presented,
            &setup.public_key,
            &crs,
            &binding,
            &SystemEntropy,
        )
        .unwrap()
        .encode();
        let verdict = setup
            .matcher
            .worker(Arc::new(SystemEntropy))
            .evaluate(&binding, &probe, &stored)
            .unwrap();
        assert!(
            verdict.len() <= 2 << 10,
            "verdict of {} bytes",
            verdict.len()
        );
        assert_eq!(
            setup.secret.open(&verdict),
            Ok(matches),
            "distance {distance}"
        );
    }
}

#[test]
fn a_proof_holds_for_no_other_request() {
    let binding = probe_binding(Digest::of("test", b"template"));
    let submission = sealed(&binding);
    let verify = |binding: &Binding| setup().matcher.verify(binding, &submission).map(drop);
    assert_eq!(verify(&binding), Ok(()));
    let rejected = Err(MatchError::Proof(ProofError::Rejected));
    let others = [
        Binding {
            subject: "did:key:z6MkfriQzUvNpN6KyVfSoYGDfPHSa2zoDjQRFQ9TiZUVmWer"
                .parse()
                .unwrap(),
            ..binding.clone()
        },
        Binding {
            service: "https://other.example".parse().unwrap(),
            ..binding.clone()
        },
        Binding {
            enrolment: EnrolmentId::random(&SystemEntropy),
            ..binding.clone()
        },
        Binding {
            template: Some(Digest::of("test", b"other")),
            ..binding.clone()
        },
        Binding {
            template: None,
            ..binding.clone()
        },
        Binding {
            challenge: Nonce::random(&SystemEntropy),
            ..binding.clone()
        },
        Binding {
            purpose: Purpose::Uniqueness,
            ..binding.clone()
        },
        Binding {
            audience: Some("https://dapp.example.evil".parse::<Audience>().unwrap()),
            ..binding.clone()
        },
        Binding {
            profile: "iris-bits2048-v1".parse().unwrap(),
            ..binding.clone()
        },
    ];
    for other in others {
        assert_eq!(verify(&other), rejected, "{other:?}");
    }
    let template = Binding {
        role: Role::Template,
        ..binding.clone()
    };
    assert_eq!(verify(&template), Err(MatchError::Proof(ProofError::Role)));
    let retired = Binding {
        key: Digest::of("test", b"retired"),
        ..binding
    };
    assert_eq!(verify(&retired), Err(MatchError::Key));
}

#[test]
fn changed_bytes_are_refused() {
    let binding = template_binding();
    let submission = sealed(&binding);
    let verify = |bytes: &[u8]| setup().matcher.verify(&binding, bytes).map(drop);
    assert_eq!(
        verify(&submission[..submission.len() - 1]),
        Err(MatchError::Decode(DecodeError::Length))
    );
    assert_eq!(
        verify(&[&*submission, &[0]].concat()),
        Err(MatchError::Decode(DecodeError::Length))
    );
    assert_eq!(
        verify(&vec![0; Submission::MAX_LEN + 1]),
        Err(MatchError::Decode(DecodeError::Length))
    );
    assert_eq!(verify(b""), Err(MatchError::Decode(DecodeError::Length)));
    let ciphertext = 8 + 1 + 32;
    let proof = ciphertext + 8 * 4096 + 2;
    // Magic, version, parameter set, role, key, mask, body, length, then bytes all over the proof.
    let places = [
        0,
        5,
        6,
        8,
        9,
        ciphertext,
        ciphertext + 8 * 2048 + 3,
        proof - 2,
    ]
    .into_iter()
    .chain((proof..submission.len()).step_by(97));
    for place in places {
        let mut changed = submission.clone();
        changed[place] ^= 1;
        assert!(
            verify(&changed).is_err(),
            "byte {place} of {}",
            submission.len()
        );
    }
}

#[test]
fn stored_templates_are_strict() {
    let binding = template_binding();
    let stored = setup()
        .matcher
        .check_template(&binding, &sealed(&binding))
        .unwrap();
    assert!(StoredTemplate::decode(&stored).is_ok());
    for changed in [
        &stored[1..],
        &stored[..stored.len() - 1],
        &[&*stored, &[0]].concat()[..],
    ] {
        assert!(StoredTemplate::decode(changed).is_err());
    }
    let mut retired = stored.clone();
    retired[8] ^= 1;
    let binding = probe_binding(Digest::of("test", b"template"));
    let probe = sealed(&binding);
    let refused = setup()
        .matcher
        .worker(Arc::new(SystemEntropy))
        .evaluate(&binding, &probe, &retired);
    assert_eq!(refused, Err(MatchError::Key));
}
