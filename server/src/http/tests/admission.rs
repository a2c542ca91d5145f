//! Who may consent and enrol for the first time.

use blindprint_core::{
    Clock as _, Digest, EnrolmentId, Nonce, SystemEntropy, label, profiles,
    statement::{Enrolment, Purpose},
};
use blindprint_did::SigningKey;

use super::{
    Fixture,
    fixture::{ENROLMENT_KEY, service, wallet},
};

const CIPHERTEXT: &[u8] = b"ciphertext";

fn enrolment(fixture: &Fixture, key: &SigningKey) -> Enrolment {
    Enrolment {
        sub: key.public().subject(),
        service: service(),
        enrolment: EnrolmentId::random(&SystemEntropy),
        replaces: None,
        consent: Digest::of("consent", b""),
        purpose: Purpose::Authentication,
        profile: profiles()[0].id(),
        key: Digest::of("key", b""),
        submission: Digest::of(label::SUBMISSION, CIPHERTEXT),
        nonce: Nonce::random(&SystemEntropy),
        recovery_key: wallet().public().uri(),
        iat: fixture.clock.now(),
    }
}

#[tokio::test]
async fn an_enrolment_needs_a_nonce_that_was_handed_out() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let bearer = format!("Bearer {ENROLMENT_KEY}");
    let headers = [("authorization", bearer.as_str())];
    let made_up = enrolment(&fixture, &key);
    let reply = fixture.enrol(&key, &made_up, CIPHERTEXT, &headers).await;
    assert_eq!(reply.problem(), "challenge-gone");
}
