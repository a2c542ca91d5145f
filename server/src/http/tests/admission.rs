//! Who may consent and enrol for the first time.

use blindprint_core::{
    Clock as _, Digest, EnrolmentId, Nonce, SystemEntropy, label, profiles,
    statement::{Enrolment, Purpose},
};
use blindprint_did::{SigningKey, jws_digest, sign};

use super::{
    Fixture,
    fixture::{ENROLMENT_KEY, service, stamp, wallet},
    wallets::{consent, met},
};
use crate::{
    domain::record::{Effect, PendingEnrolment},
    store::OperationStore as _,
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

#[tokio::test]
async fn a_stranger_learns_nothing_about_anothers_enrolment() {
    let fixture = Fixture::new().await;
    let (alice, stranger) = (wallet(), wallet());
    met(&fixture, &alice).await;
    let taken = enrolment(&fixture, &alice);
    let pending = PendingEnrolment {
        statement: jws_digest(&sign(&alice, &taken).unwrap()),
        template: Digest::of(label::TEMPLATE, CIPHERTEXT),
        ciphertext: CIPHERTEXT.to_vec(),
        invitation: None,
        enrolment: taken.clone(),
    };
    let begun = fixture.store.begin_enrolment(&pending, b"", taken.iat);
    let effects = [Effect::Enrolled {
        enrolment: taken.enrolment,
        receipt: "a.e30.AA".parse().unwrap(),
        replaced: None,
        at: taken.iat,
    }];
    let sequence = begun.await.unwrap().unwrap();
    let finished = fixture
        .store
        .finish_operation(sequence, &effects, &[], stamp());
    finished.await.unwrap();
    assert_eq!(
        fixture.enrol(&alice, &taken, CIPHERTEXT, &[]).await.status,
        201,
        "their own is answered again"
    );
    let free = enrolment(&fixture, &stranger);
    let claim = Enrolment {
        enrolment: taken.enrolment,
        ..free.clone()
    };
    for statement in [free, claim] {
        let reply = fixture.enrol(&stranger, &statement, CIPHERTEXT, &[]).await;
        assert_eq!(reply.problem(), "invitation-required");
    }
}

#[tokio::test]
async fn a_first_consent_needs_the_right_to_enrol() {
    let fixture = Fixture::new().await;
    let invitation = fixture
        .operate(
            "POST",
            "/v1/invitations",
            r#"{"uses":1,"valid_for":60}"#,
            None,
        )
        .await
        .json();
    let invited = [(
        "blindprint-invitation",
        invitation["secret"].as_str().unwrap(),
    )];
    let bearer = format!("Bearer {ENROLMENT_KEY}");
    let admitted = [("authorization", bearer.as_str())];
    let (alice, bob, known) = (wallet(), wallet(), wallet());
    met(&fixture, &known).await;
    // Whoever is let in meets an enclave that does not answer.
    for (key, headers, expected) in [
        (&alice, &[][..], "invitation-required"),
        (
            &alice,
            &[("blindprint-invitation", "made.up")],
            "invitation-required",
        ),
        (&alice, &invited, "unavailable"),
        (&bob, &invited, "invitation-required"),
        (&bob, &admitted, "unavailable"),
        (&known, &[], "unavailable"),
    ] {
        let (_, consent) = consent(&fixture, key);
        let reply = fixture.give(key, &consent, headers).await;
        assert_eq!(reply.problem(), expected);
    }
}
