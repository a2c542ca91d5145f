//! What a consent must say, what it allows, and how it ends.

use blindprint_core::{
    Audience, UnixTime,
    consent::{ConsentState, Scope, chain},
    statement::{Consent, Decision},
};

use super::*;
use crate::{
    message::EndCause,
    policy::{MAX_LIVE_CONSENTS, Withdrawn},
};

const SHOP: &str = "https://shop.example";

fn shop() -> Audience {
    SHOP.parse().unwrap()
}

impl World {
    /// Another consent of somebody who is enrolled.
    fn agree(&mut self, alice: &Alice, scope: &Scope) -> Consent {
        let consent = self.consent(&alice.subject, scope, DAY);
        self.give(&jws(&alice.device, &consent)).unwrap();
        consent
    }

    fn end(&mut self, alice: &Alice, consent: &Consent, cause: EndCause) -> Withdrawn {
        let change = self
            .policy
            .end_consent(&alice.subject, consent.id, cause, self.host)
            .unwrap();
        self.disk.settle(change).unwrap()
    }

    fn ask_to_share(&mut self, alice: &Alice, audience: &str) -> Result<Nonce, Refusal> {
        self.challenge(ChallengeRequest {
            subject: alice.subject.clone(),
            enrolment: alice.enrolment.enrolment,
            audience: audience.parse().unwrap(),
            nonce: "relying-party".to_owned(),
            purpose: Purpose::Sharing,
        })
    }
}

#[test]
fn each_link_names_the_one_before() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let first = chain(None, digest(&alice.consent_jws));
    assert_eq!(world.head(&alice.subject), Some(first));
    let stale = Consent {
        previous: None,
        ..world.consent(&alice.subject, &Scope::Uniqueness, DAY)
    };
    refused!(world.give(&jws(&alice.device, &stale)), Refusal::Chain);
    let next = jws(
        &alice.device,
        &world.consent(&alice.subject, &Scope::Uniqueness, DAY),
    );
    let receipt = world.give(&next).unwrap();
    assert_eq!(receipt.head, chain(Some(first), digest(&next)));

    let withdrawal = world.withdrawal(&alice.subject, receipt.consent);
    let withdrawal = jws(&alice.device, &withdrawal);
    let change = world.policy.withdraw(&withdrawal, world.host).unwrap();
    let withdrawn = world.disk.settle(change).unwrap().consent;
    assert_eq!(
        withdrawn.head,
        chain(Some(receipt.head), digest(&withdrawal))
    );
    assert_eq!(withdrawn.handle, receipt.handle);
    // A retry of an older link gets that link's head.
    assert_eq!(world.give(&alice.consent_jws).unwrap().head, first);
}

#[test]
fn a_refusal_is_remembered_and_allows_nothing() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let refusal = Consent {
        decision: Decision::Refused,
        expires: world.host,
        ..world.consent(&alice.subject, &Scope::Sharing(shop()), DAY)
    };
    let open_ended = Consent {
        expires: world.host.plus(1),
        ..refusal.clone()
    };
    refused!(
        world.give(&jws(&alice.device, &open_ended)),
        Refusal::Malformed
    );
    let signed = jws(&alice.device, &refusal);
    let receipt = world.give(&signed).unwrap();
    assert_eq!(receipt.state, ConsentState::Refused);
    assert_eq!(world.head(&alice.subject), Some(receipt.head));
    refused!(world.ask_to_share(&alice, SHOP), Refusal::NoConsent);
    assert_eq!(world.give(&signed).unwrap().handle, receipt.handle);
    // There is nothing to take back.
    let withdrawal = jws(&alice.device, &world.withdrawal(&alice.subject, refusal.id));
    let change = world.policy.withdraw(&withdrawal, world.host).unwrap();
    assert!(change.snapshot().is_none());
    assert_eq!(change.commit().consent.state, ConsentState::Refused);
}

#[test]
fn sharing_takes_two_consents_and_only_with_whom_they_name() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    refused!(world.ask_to_share(&alice, SHOP), Refusal::NoConsent);
    let sharing = world.agree(&alice, &Scope::Sharing(shop()));
    let challenge = world.ask_to_share(&alice, SHOP).unwrap();
    refused!(
        world.ask_to_share(&alice, "https://elsewhere.example"),
        Refusal::NoConsent
    );
    let begin = |world: &mut World, challenge| {
        let probe = Probe {
            purpose: Purpose::Sharing,
            ..world.probe(&alice, challenge)
        };
        let (signed, evaluations) = (jws(&alice.device, &probe), world.evaluate(&probe, true));
        let change = world
            .policy
            .begin_open(&signed, evaluations, None, world.host)?;
        world.disk.settle(change)
    };
    let pending = begin(&mut world, challenge).unwrap();
    assert!(world.finish(pending).unwrap().matched);

    let late = world.ask_to_share(&alice, SHOP).unwrap();
    let pending = world.ask_to_share(&alice, SHOP).unwrap();
    let pending = begin(&mut world, pending).unwrap();
    world.end(&alice, &sharing, EndCause::WithdrawnOnBehalf);
    refused!(begin(&mut world, late), Refusal::NoConsent);
    refused!(world.finish(pending), Refusal::NoConsent);
    assert_eq!(world.attempt(&alice, true), Ok(true), "the other one holds");

    world.agree(&alice, &Scope::Sharing(shop()));
    let consent = alice.consent.clone();
    world.end(&alice, &consent, EndCause::Invalidated);
    refused!(world.ask_to_share(&alice, SHOP), Refusal::NoConsent);
}

#[test]
fn nobody_enrols_for_sharing() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let sharing = world.agree(&alice, &Scope::Sharing(shop()));
    let nonce = world.issue_nonce(&alice.subject).unwrap();
    let consent = digest(&jws(&alice.device, &sharing));
    let enrolment = Enrolment {
        purpose: Purpose::Sharing,
        ..world.enrolment(&alice.subject, consent, alice.paper.public().uri(), nonce)
    };
    let checks = world.checks(&world.template_check(&enrolment));
    let signed = jws(&alice.device, &enrolment);
    let recovery = jws(&alice.paper, &enrolment);
    let change = world
        .policy
        .register(&signed, Some(&recovery), &checks, nonce, world.host);
    refused!(change, Refusal::NoConsent);
}

#[test]
fn what_no_longer_informs_opens_nothing_until_it_is_given_anew() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let head = world.head(&alice.subject);
    let consent = alice.consent.clone();
    let ended = world.end(&alice, &consent, EndCause::Invalidated);
    assert_eq!(ended.consent.state, ConsentState::Invalidated);
    assert_eq!(ended.erased, []);
    assert_eq!(world.attempt(&alice, true), Err(Refusal::NoConsent));
    let again = world.end(&alice, &consent, EndCause::Invalidated);
    assert_eq!(again, ended);
    // What has ended stays so, whatever else is said of it.
    let other = world.end(&alice, &consent, EndCause::WithdrawnOnBehalf);
    assert_eq!(other.consent, ended.consent);
    assert_eq!(world.head(&alice.subject), head, "nobody signed anything");
    world.agree(&alice, &Scope::Authentication);
    assert_eq!(world.attempt(&alice, true), Ok(true));
}

#[test]
fn a_withdrawal_on_behalf_destroys_as_much_as_the_subjects_own() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let consent = alice.consent.clone();
    let ended = world.end(&alice, &consent, EndCause::WithdrawnOnBehalf);
    assert_eq!(ended.consent.state, ConsentState::Withdrawn);
    assert_eq!(ended.erased.len(), 1);
    assert_eq!(
        world.end(&alice, &consent, EndCause::WithdrawnOnBehalf),
        ended
    );
    let unknown = Consent {
        id: blindprint_core::ConsentId::random(&world.entropy),
        ..consent
    };
    let change = world.policy.end_consent(
        &alice.subject,
        unknown.id,
        EndCause::Invalidated,
        world.host,
    );
    refused!(change, Refusal::Unknown);
}

#[test]
fn few_consents_live_at_once_and_their_ends_fit_into_one_receipt() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    for n in 1..MAX_LIVE_CONSENTS {
        let audience = format!("https://shop-{n}.example").parse().unwrap();
        world.agree(&alice, &Scope::Sharing(audience));
    }
    let another = world.consent(&alice.subject, &Scope::Uniqueness, DAY);
    let another = jws(&alice.device, &another);
    refused!(world.give(&another), Refusal::Full);
    let change = world
        .policy
        .erase_subject_ordered(&alice.subject, world.host)
        .unwrap();
    let mut receipt = world.disk.settle(change).unwrap();
    assert_eq!(receipt.consents.len(), MAX_LIVE_CONSENTS);
    // The longest names there are, and a template for each profile.
    receipt.sub = format!("did:key:z{}", "z".repeat(503)).parse().unwrap();
    receipt.iss = format!("https://{}", "s".repeat(248)).parse().unwrap();
    let template = receipt.enrolments[0].clone();
    receipt.enrolments = vec![template; 8];
    receipt.iat = UnixTime(i64::MIN);
    let signed = jws(&alice.device, &receipt);
    assert!(
        signed.as_str().len() < 10_000,
        "with room for a certificate"
    );
}
