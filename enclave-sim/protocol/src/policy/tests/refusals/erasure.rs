//! Forgetting a subject: once, for good, and with the same answer to whoever asks again.

use blindprint_core::{EnrolmentId, consent::Scope, statement::SubjectErasureReceipt};

use super::*;
use crate::{message::DataKeyOf, policy::TOMBSTONE_PERIOD};

impl World {
    fn forget(&mut self, alice: &Alice) -> Result<(Jws, SubjectErasureReceipt), Refusal> {
        let signed = jws(&alice.device, &self.subject_erasure(&alice.subject));
        let receipt = self.forget_by(&signed)?;
        Ok((signed, receipt))
    }

    fn forget_by(&mut self, signed: &Jws) -> Result<SubjectErasureReceipt, Refusal> {
        let change = self.policy.erase_subject(signed, self.host)?;
        self.disk.settle(change)
    }

    fn order(&mut self, subject: &SubjectId) -> Result<SubjectErasureReceipt, Refusal> {
        let change = self.policy.erase_subject_ordered(subject, self.host)?;
        self.disk.settle(change)
    }
}

#[test]
fn nothing_is_left_but_the_answer_to_a_retry() {
    let mut world = World::new(1, false);
    let (alice, bob) = (world.alice(), world.alice());
    let pending = world.begin(&alice, true).unwrap();
    let nonce = world.issue_nonce(&alice.subject).unwrap();
    let (signed, receipt) = world.forget(&alice).unwrap();
    assert_eq!(receipt.enrolments[0].enrolment, alice.enrolment.enrolment);
    assert_eq!(receipt.consents[0].consent, alice.consent.id);
    assert_eq!((receipt.data_keys_destroyed, receipt.ordered), (1, false));
    refused!(world.finish(pending), Refusal::Unknown);
    refused!(world.ask(&alice), Refusal::Unknown);
    refused!(world.issue_nonce(&alice.subject), Refusal::Unknown);
    refused!(
        world.data_key(&alice.subject, DataKeyOf::Nonce(nonce)),
        Refusal::Unknown
    );
    let sealed = &world.disk.states.last().unwrap().bytes;
    for named in [alice.subject.as_str(), alice.device.public().uri().as_str()] {
        let named = named.as_bytes();
        assert!(!sealed.windows(named.len()).any(|window| window == named));
    }

    world.restart();
    world.host = world.host.plus(TOMBSTONE_PERIOD - 1);
    assert_eq!(world.forget_by(&signed), Ok(receipt.clone()));
    let another = jws(&alice.device, &world.subject_erasure(&alice.subject));
    assert_eq!(world.forget_by(&another), Ok(receipt.clone()));
    assert_eq!(world.order(&alice.subject), Ok(receipt));
    let strangers = jws(&bob.device, &world.subject_erasure(&alice.subject));
    refused!(world.forget_by(&strangers), Refusal::Signature);
    world.host = world.host.plus(1);
    refused!(world.forget_by(&signed), Refusal::Unknown);
    refused!(world.order(&alice.subject), Refusal::Unknown);
    world.order(&bob.subject).unwrap();
    let registry = world.policy.registry();
    assert_eq!(*registry.encode(), world.disk.states.last().unwrap().bytes);
    assert_eq!(
        *Registry::decode(&registry.encode()).unwrap().encode(),
        *registry.encode()
    );
}

#[test]
fn nobody_forgets_somebody_else() {
    let mut world = World::new(1, false);
    let (alice, bob) = (world.alice(), world.alice());
    let erasure = world.subject_erasure(&alice.subject);
    refused!(
        world.forget_by(&jws(&bob.device, &erasure)),
        Refusal::Signature
    );
    let mut elsewhere = erasure;
    elsewhere.service = "https://elsewhere.example".parse().unwrap();
    refused!(
        world.forget_by(&jws(&alice.device, &elsewhere)),
        Refusal::Mismatch
    );
    assert_eq!(world.attempt(&alice, true), Ok(true));
}

#[test]
fn an_old_consent_brings_nobody_back_and_an_old_erasure_ends_nothing_new() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let withheld = world.consent(&alice.subject, &Scope::Authentication, DAY);
    let withheld = jws(&alice.device, &withheld);
    let (signed, receipt) = world.forget(&alice).unwrap();
    refused!(world.give(&alice.consent_jws), Refusal::Stale);
    refused!(world.give(&withheld), Refusal::Stale);

    world.host = world.host.plus(TOLERANCE + 1);
    let anew = world.consent(&alice.subject, &Scope::Authentication, DAY);
    assert_eq!(anew.previous, None);
    world.give(&jws(&alice.device, &anew)).unwrap();
    assert_eq!(world.forget_by(&signed), Ok(receipt), "what it did, it did");
    assert!(world.policy.registry().subject(&alice.subject).is_some());
    let mut old = world.subject_erasure(&alice.subject);
    old.iat = world.host.plus(-TOLERANCE - 2);
    refused!(world.forget_by(&jws(&alice.device, &old)), Refusal::Stale);
    let (_, again) = world.forget(&alice).unwrap();
    assert_eq!((again.enrolments.len(), again.consents.len()), (0, 1));
}

#[test]
fn a_data_key_lives_as_long_as_its_template_and_is_given_out_under_consent_only() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let of = DataKeyOf::Enrolment(alice.enrolment.enrolment);
    let key = world.data_key(&alice.subject, of).unwrap();
    let sealed = |world: &World| {
        let bytes = world.policy.registry().encode();
        bytes.windows(32).any(|window| window == key.expose())
    };
    assert!(sealed(&world));
    world.restart();
    assert_eq!(world.data_key(&alice.subject, of).as_ref(), Ok(&key));
    world.host = world.host.plus(400 * DAY);
    refused!(world.data_key(&alice.subject, of), Refusal::NoConsent);
    assert!(sealed(&world), "until somebody destroys it");
    let unknown = DataKeyOf::Enrolment(EnrolmentId::random(&world.entropy));
    refused!(world.data_key(&alice.subject, unknown), Refusal::Unknown);

    let change = world
        .policy
        .erase_ordered(&alice.subject, alice.enrolment.enrolment, world.host)
        .unwrap();
    let receipt = world.disk.settle(change).unwrap();
    assert!(!sealed(&world));
    let change = world
        .policy
        .erase_ordered(&alice.subject, alice.enrolment.enrolment, world.host)
        .unwrap();
    assert!(change.snapshot().is_none());
    assert_eq!(change.commit(), receipt);
}

#[test]
fn a_nonces_data_key_is_its_holders_until_it_dies() {
    let mut world = World::new(1, false);
    let (alice, bob) = (world.alice(), world.alice());
    let nonce = world.issue_nonce(&alice.subject).unwrap();
    let of = DataKeyOf::Nonce(nonce);
    let key = world.data_key(&alice.subject, of).unwrap();
    refused!(world.data_key(&bob.subject, of), Refusal::ChallengeGone);
    let other = world.issue_nonce(&alice.subject).unwrap();
    assert_ne!(
        world.data_key(&alice.subject, DataKeyOf::Nonce(other)),
        Ok(key)
    );
    world.host = world.host.plus(900);
    refused!(world.data_key(&alice.subject, of), Refusal::ChallengeGone);
    let nonce = world.issue_nonce(&alice.subject).unwrap();
    world.restart();
    refused!(
        world.data_key(&alice.subject, DataKeyOf::Nonce(nonce)),
        Refusal::ChallengeGone
    );
}
