//! The enclave's registry, as it is unsealed.

use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Nonce, SystemEntropy, UnixTime, profile_table_digest, profiles,
    statement::{Consent, Enrolment, Erasure, Purpose, TemplateCheck, Withdrawal},
};
use blindprint_did::{KeyType, SigningKey, jws_digest, sign};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_protocol::policy::{AttestedMatcher, Policy, Registry, Terms};

const NOW: UnixTime = UnixTime(1_790_000_000);

/// A registry with one subject who has consented, enrolled twice, erased once and withdrawn another
/// consent, and one who has only consented.
fn registry() -> Vec<u8> {
    let entropy = &SystemEntropy;
    let key = Digest::of("fuzz", b"key");
    let terms = Terms {
        service: "https://example.org".parse().unwrap(),
        parameters: "parameters-v1".to_owned(),
        key,
        matchers: 1,
        recompute: false,
    };
    let service = terms.service.clone();
    let mut policy = Policy::boot(terms, Registry::default());
    let matcher = SigningKey::generate(KeyType::Ed25519, entropy);
    let nonce = Nonce::random(entropy);
    policy.matcher_nonce(nonce, NOW);
    let attested = AttestedMatcher {
        nonce,
        module: "matcher".to_owned(),
        evaluation_key: matcher.public().uri(),
        parameters: "parameters-v1".to_owned(),
        key,
        profiles: profile_table_digest(),
    };
    policy.admit_matcher(attested, NOW).unwrap();

    let wallet = SigningKey::generate(KeyType::Ed25519, entropy);
    let subject = wallet.public().subject();
    let consent = |wallet: &SigningKey, purpose| Consent {
        id: ConsentId::random(entropy),
        sub: wallet.public().subject(),
        service: service.clone(),
        purpose,
        notice: Digest::of("fuzz", b"notice"),
        given: NOW,
        expires: NOW.plus(86_400),
    };
    let other = SigningKey::generate(KeyType::P256, entropy);
    let given = sign(&wallet, &consent(&wallet, Purpose::Authentication)).unwrap();
    let taken_back = consent(&wallet, Purpose::Uniqueness);
    let consents = [
        given.clone(),
        sign(&wallet, &taken_back).unwrap(),
        sign(&other, &consent(&other, Purpose::Authentication)).unwrap(),
    ];
    for jws in &consents {
        policy.give_consent(jws, NOW).unwrap().commit();
    }
    let withdrawal = Withdrawal {
        sub: subject.clone(),
        service: service.clone(),
        consent: taken_back.id,
        iat: NOW,
    };
    policy
        .withdraw(&sign(&wallet, &withdrawal).unwrap(), NOW)
        .unwrap()
        .commit();

    let paper = SigningKey::generate(KeyType::Ed25519, entropy);
    let mut replaces = None;
    for _ in 0..2 {
        let nonce = Nonce::random(entropy);
        policy.issue_nonce(subject.clone(), nonce, NOW).unwrap();
        let enrolment = Enrolment {
            sub: subject.clone(),
            service: service.clone(),
            enrolment: EnrolmentId::random(entropy),
            replaces,
            consent: jws_digest(&given),
            purpose: Purpose::Authentication,
            profile: profiles()[0].id(),
            key,
            submission: Digest::of("fuzz", nonce.as_bytes()),
            nonce,
            recovery_key: paper.public().uri(),
            iat: NOW,
        };
        let check = TemplateCheck {
            binding: enrolment.binding().digest(),
            submission: enrolment.submission,
            template: Digest::of("fuzz", enrolment.submission.as_bytes()),
            parameters: "parameters-v1".to_owned(),
            key,
        };
        let checks = [sign(&matcher, &check).unwrap()];
        policy
            .register(
                &sign(&wallet, &enrolment).unwrap(),
                Some(&sign(&paper, &enrolment).unwrap()),
                &checks,
                NOW,
            )
            .unwrap()
            .commit();
        replaces = Some(enrolment.enrolment);
    }
    let erasure = Erasure {
        sub: subject,
        service,
        enrolment: replaces.unwrap(),
        iat: NOW,
    };
    policy
        .erase(&sign(&wallet, &erasure).unwrap(), NOW)
        .unwrap()
        .commit();
    policy.registry().encode()
}

#[test]
fn registries() {
    let seeds = [registry(), Registry::default().encode()];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        if let Ok(registry) = Registry::decode(bytes) {
            assert_eq!(registry.encode(), bytes);
        }
    });
}
