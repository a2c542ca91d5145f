use std::{sync::Arc, thread, time::Duration};

use blindprint_core::{
    Clock as _, Digest, SystemClock, SystemEntropy, label, problem::ProblemCode,
};
use blindprint_template::{BiometricCode, Crs, MaterialDigests, PublicKey};
use blindprint_tests::{Person, Service, block_on};
use blindprint_wallet::{Error, Materials};

#[test]
fn what_is_over_is_refused() {
    let service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    let invitation = service.invitation(2);
    let bob = block_on(enrols_for(25, "L002", &service, &materials, &invitation));
    let alice = block_on(enrols_for(3600, "L001", &service, &materials, &invitation));
    block_on(a_ciphertext_under_an_old_key(&alice));
    block_on(a_consent_that_expired(&bob));
}

async fn enrols_for(
    seconds: i64,
    label: &'static str,
    service: &Service,
    materials: &Arc<Materials>,
    invitation: &str,
) -> Person {
    let mut person = Person::new(label, service, materials).await;
    person.consent_for(seconds, invitation).await.unwrap();
    person.enrol(invitation).await.unwrap();
    person
}

/// Well made, but for keys that are not in force: whether the signed statement says so or not.
async fn a_ciphertext_under_an_old_key(alice: &Person) {
    let (_, old) = blindprint_keys::fixture::keys();
    let old_key = MaterialDigests::of(&old.public_key, &old.crs, &old.evaluation_keys).key();
    for (claimed, expected) in [
        (None, ProblemCode::ProofRejected),
        (Some(old_key), ProblemCode::Refused),
    ] {
        let audience = "https://shop.example".parse().unwrap();
        let enrolment = alice.enrolled().unwrap();
        let challenged = alice
            .wallet
            .challenge(enrolment, audience, "81f3a2c4e5".to_owned());
        let challenged = challenged.await.unwrap();
        let mut probe = alice.wallet.probe(&challenged);
        probe.key = claimed.unwrap_or(probe.key);
        let submission = blindprint_template::seal(
            &BiometricCode::from_bits([]),
            &PublicKey::decode(&old.public_key).unwrap(),
            &Crs::decode(&old.crs).unwrap(),
            &probe.binding(),
            &SystemEntropy,
        );
        let submission = submission.unwrap().encode();
        probe.submission = Digest::of(label::SUBMISSION, &submission);
        let jws = blindprint_did::sign(&alice.key, &probe).unwrap();
        let challenge = &challenged.challenge.challenge;
        let client = alice.wallet.client();
        let sent = client.submit_probe(alice.wallet.signer(), challenge, &jws, submission);
        let refusal = sent.await.unwrap_err();
        assert!(refusal.is(expected), "{refusal:?}");
    }
    assert!(alice.show_themselves().await.unwrap().verdict.matched);
}

async fn a_consent_that_expired(bob: &Person) {
    let expires = bob.wallet.consents()[0].expires;
    while SystemClock.now() < expires {
        thread::sleep(Duration::from_millis(200));
    }
    let refused = bob.show_themselves().await;
    assert!(matches!(refused, Err(Error::NoConsent)), "{refused:?}");
}
