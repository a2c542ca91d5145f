//! The enclave's registry, as it is unsealed.

use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Nonce, SystemEntropy, UnixTime,
    consent::Scope,
    profile_table_digest, profiles,
    statement::{Consent, Decision, Enrolment, Erasure, Purpose, TemplateCheck, Withdrawal},
};
use blindprint_did::{KeyType, SigningKey, jws_digest, sign};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_protocol::{
    DataKey,
    policy::{AttestedMatcher, Policy, Registry, Terms},
};

const NOW: UnixTime = UnixTime(1_790_000_000);

/// A registry with one subject who has consented, enrolled twice, erased once, withdrawn another
/// consent and refused a third, one who has only consented, and one who was forgotten.
fn registry() -> Vec<u8> {
    let entropy = &SystemEntropy;
    let key = Digest::of("fuzz", b"key");
    let terms = Terms {
        service: "https://example.org".parse().unwrap(),
        parameters: "parameters-v1".to_owned(),
        key,
        matchers: 1,
        recompute: false,
        log: None,
    };
    let service = terms.service.clone();
    let mut policy = Policy::boot(terms, Registry::empty(entropy));
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
    let consent = |wallet: &SigningKey, scope: &Scope, previous| Consent {
        id: ConsentId::random(entropy),
        sub: wallet.public().subject(),
        service: service.clone(),
        decision: Decision::Given,
        purpose: scope.purpose(),
        recipient: scope.recipient().cloned(),
        record: Digest::of("fuzz", b"record"),
        previous,
        notice: Digest::of("fuzz", b"notice"),
        given: NOW,
        expires: NOW.plus(86_400),
    };
    let other = SigningKey::generate(KeyType::P256, entropy);
    let mut give = |wallet: &SigningKey, consent: &Consent| {
        let jws = sign(wallet, consent).unwrap();
        let receipt = policy.give_consent(&jws, entropy, NOW).unwrap().commit();
        (jws, receipt.head)
    };
    let sharing = Scope::Sharing("https://shop.example".parse().unwrap());
    let (given, head) = give(&wallet, &consent(&wallet, &Scope::Authentication, None));
    let taken_back = consent(&wallet, &sharing, Some(head));
    let (_, head) = give(&wallet, &taken_back);
    let refused = Consent {
        decision: Decision::Refused,
        expires: NOW,
        ..consent(&wallet, &Scope::Uniqueness, Some(head))
    };
    give(&wallet, &refused);
    give(&other, &consent(&other, &Scope::Authentication, None));
    let gone = SigningKey::generate(KeyType::Ed25519, entropy);
    give(&gone, &consent(&gone, &Scope::Authentication, None));
    policy
        .erase_subject_ordered(&gone.public().subject(), NOW)
        .unwrap()
        .commit();
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
        let data_key = DataKey::random(entropy);
        policy
            .issue_nonce(subject.clone(), nonce, data_key, NOW)
            .unwrap();
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
                nonce,
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
    policy.registry().encode().to_vec()
}

#[test]
fn registries() {
    let seeds = [
        registry(),
        Registry::empty(&SystemEntropy).encode().to_vec(),
    ];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        if let Ok(registry) = Registry::decode(bytes) {
            assert_eq!(*registry.encode(), bytes);
        }
    });
}
