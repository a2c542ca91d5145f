//! From a consent to its withdrawal, and from one key to the next.

use blindprint_core::{UnixTime, statement::Consent};

use super::{super::world::START, *};
use crate::policy::MAX_NEWCOMERS;

#[test]
fn a_second_consent_keeps_the_template_when_the_first_is_withdrawn() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let second = world.consent(&alice.subject, &Scope::Authentication, DAY);
    world.give(&jws(&alice.device, &second)).unwrap();
    let withdrawal = jws(
        &alice.device,
        &world.withdrawal(&alice.subject, alice.consent.id),
    );
    let change = world.policy.withdraw(&withdrawal, world.host).unwrap();
    assert_eq!(world.disk.settle(change).unwrap().erased, []);
    assert_eq!(world.attempt(&alice, true), Ok(true));
    world.host = world.host.plus(DAY);
    assert_eq!(
        world.attempt(&alice, true),
        Err(Refusal::NoConsent),
        "it expired"
    );
    world.host = world.host.plus(-DAY);
    assert_eq!(
        world.attempt(&alice, true),
        Err(Refusal::NoConsent),
        "and time does not go back"
    );
}

impl World {
    /// Somebody new, with a consent that lasts so long.
    pub(super) fn newcomer(&mut self, lifetime: i64) -> (SigningKey, Consent, Jws) {
        let device = self.key();
        let subject = device.public().subject();
        let consent = self.consent(&subject, &Scope::Authentication, lifetime);
        let signed = jws(&device, &consent);
        (device, consent, signed)
    }
}

#[test]
fn who_never_enrolled_is_forgotten_when_their_consents_have_ended() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let (short, long) = (world.newcomer(3600), world.newcomer(DAY));
    let ended = world.newcomer(DAY);
    for (_, _, consent) in [&short, &long, &ended] {
        world.give(consent).unwrap();
    }
    let nonce = world.issue_nonce(&short.1.sub).unwrap();
    let withdrawal = world.withdrawal(&ended.1.sub, ended.1.id);
    let withdrawal = jws(&ended.0, &withdrawal);
    let change = world.policy.withdraw(&withdrawal, world.host).unwrap();
    world.disk.settle(change).unwrap();

    // What was withdrawn is remembered as long as it could be given again.
    world.host = world.host.plus(TOLERANCE);
    let next = world.newcomer(DAY).2;
    world.give(&next).unwrap();
    assert_eq!(world.policy.registry().len(), 5);
    world.host = world.host.plus(1);
    let next = world.newcomer(DAY).2;
    world.give(&next).unwrap();
    assert_eq!(world.policy.registry().len(), 5, "one came, one went");
    refused!(world.give(&ended.2), Refusal::Stale);

    world.host = world.host.plus(3600);
    let next = world.newcomer(DAY).2;
    world.give(&next).unwrap();
    assert_eq!(world.policy.registry().len(), 5);
    refused!(world.issue_nonce(&short.1.sub), Refusal::Unknown);
    assert!(
        world
            .policy
            .given(&nonce, &short.1.sub, world.host)
            .is_err()
    );
    assert!(world.issue_nonce(&long.1.sub).is_ok());

    // Who enrolled is remembered, whatever became of the consent.
    world.host = world.host.plus(1000 * DAY);
    let next = world.newcomer(DAY).2;
    world.give(&next).unwrap();
    assert_eq!(world.policy.registry().len(), 2);
    assert!(world.issue_nonce(&alice.subject).is_ok());
    assert_eq!(
        *world.policy.registry().encode(),
        world.disk.states.last().unwrap().bytes
    );
}

#[test]
fn strangers_displace_one_another_and_nobody_else() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let first = world.newcomer(DAY);
    world.give(&first.2).unwrap();
    for n in 0..MAX_NEWCOMERS {
        world.host = UnixTime(START + 1 + i64::try_from(n).unwrap());
        let stranger = world.newcomer(10 * DAY).2;
        let entropy = world.entropy.fork();
        let change = world.policy.give_consent(&stranger, &entropy, world.host);
        let change = change.unwrap();
        change.commit();
        let known = world.policy.registry().subject(&first.1.sub).is_some();
        assert_eq!(known, n + 1 < MAX_NEWCOMERS, "the oldest goes first");
    }
    assert_eq!(world.policy.registry().len(), MAX_NEWCOMERS + 1);
    assert!(world.policy.registry().subject(&alice.subject).is_some());
}

#[test]
fn retried_registrations_and_erasures_get_the_same_receipt() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    world.host = world.host.plus(3600);
    let change = world
        .policy
        .register(
            &alice.enrolment_jws,
            None,
            &[],
            alice.enrolment.nonce,
            world.host,
        )
        .unwrap();
    assert!(change.snapshot().is_none());
    assert_eq!(change.commit().enrolment, alice.enrolment.enrolment);

    let erasure = jws(
        &alice.device,
        &world.erasure(&alice.subject, alice.enrolment.enrolment),
    );
    let change = world.policy.erase(&erasure, world.host).unwrap();
    let receipt = world.disk.settle(change).unwrap();
    world.host = world.host.plus(3600);
    assert_eq!(
        world.policy.erase(&erasure, world.host).unwrap().commit(),
        receipt
    );
    refused!(world.ask(&alice), Refusal::Unknown);
    let unknown = jws(
        &alice.device,
        &world.erasure(
            &alice.subject,
            blindprint_core::EnrolmentId::random(&world.entropy),
        ),
    );
    refused!(world.policy.erase(&unknown, world.host), Refusal::Unknown);
}

#[test]
fn a_second_template_must_say_which_it_replaces() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let again = |world: &mut World, replaces| {
        let nonce = world.issue_nonce(&alice.subject).unwrap();
        let consent = digest(&alice.consent_jws);
        let enrolment = world.enrolment(&alice.subject, consent, alice.paper.public().uri(), nonce);
        let enrolment = Enrolment {
            replaces,
            ..enrolment
        };
        let checks = world.checks(&world.template_check(&enrolment));
        let change = world.policy.register(
            &jws(&alice.device, &enrolment),
            Some(&jws(&alice.paper, &enrolment)),
            &checks,
            nonce,
            world.host,
        )?;
        world.disk.settle(change)
    };
    assert_eq!(again(&mut world, None), Err(Refusal::Conflict));
    let old = Some(alice.enrolment.enrolment);
    assert_eq!(again(&mut world, old).unwrap().replaced, old);
    assert_eq!(again(&mut world, old), Err(Refusal::Unknown), "it is gone");
    assert_eq!(world.ask(&alice), Err(Refusal::Unknown));
}

#[test]
fn a_stolen_wallet_replaces_no_template() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let erasure = world.erasure(&alice.subject, alice.enrolment.enrolment);
    let erased = world
        .policy
        .erase(&jws(&alice.device, &erasure), world.host)
        .unwrap();
    world.disk.settle(erased).unwrap();

    let nonce = world.issue_nonce(&alice.subject).unwrap();
    let consent = digest(&alice.consent_jws);
    let thiefs = world.enrolment(&alice.subject, consent, alice.paper.public().uri(), nonce);
    let checks = world.checks(&world.template_check(&thiefs));
    let signed = jws(&alice.device, &thiefs);
    let mut register = |recovery: Option<&Jws>| {
        let change = world
            .policy
            .register(&signed, recovery, &checks, nonce, world.host)?;
        world.disk.settle(change)
    };
    refused!(register(None), Refusal::RecoveryNeeded);
    refused!(register(Some(&signed)), Refusal::Signature);
    let another = Enrolment {
        enrolment: alice.enrolment.enrolment,
        ..thiefs.clone()
    };
    let another = jws(&alice.paper, &another);
    refused!(register(Some(&another)), Refusal::Mismatch);
    let with_the_paper = register(Some(&jws(&alice.paper, &thiefs)));
    assert_eq!(with_the_paper.unwrap().enrolment, thiefs.enrolment);
}

#[test]
fn fifty_failures_lock_until_the_recovery_key_is_used() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    for _ in 0..50 {
        assert_eq!(world.attempt(&alice, false), Ok(false));
        world.host = world.host.plus(30);
    }
    assert_eq!(world.attempt(&alice, true), Err(Refusal::Locked));
    world.host = world.host.plus(BUDGET_PERIOD);
    assert_eq!(
        world.attempt(&alice, true),
        Err(Refusal::Locked),
        "in a row: time does not help"
    );
    world.restart();
    world.admit(0).unwrap();

    let nonce = world.issue_nonce(&alice.subject).unwrap();
    let recovery = world.recovery(&alice.subject, RecoveryAction::Unlock, nonce);
    let signed = jws(&alice.paper, &recovery);
    refused!(
        world
            .policy
            .recover(&jws(&alice.device, &recovery), None, world.host),
        Refusal::Signature
    );
    refused!(
        world.policy.recover(&signed, Some(&signed), world.host),
        Refusal::Malformed
    );
    let change = world.policy.recover(&signed, None, world.host).unwrap();
    let first = world.disk.settle(change).unwrap();
    assert_eq!(
        world
            .policy
            .recover(&signed, None, world.host)
            .unwrap()
            .commit(),
        first
    );
    assert_eq!(world.attempt(&alice, true), Ok(true));
}

#[test]
fn a_replaced_device_starts_over() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let (device, paper) = (world.key(), world.key());
    let nonce = world.issue_nonce(&alice.subject).unwrap();
    let action = RecoveryAction::ReplaceDevice {
        new_key: device.public().uri(),
        new_recovery_key: paper.public().uri(),
    };
    let recovery = world.recovery(&alice.subject, action, nonce);
    let signed = jws(&alice.paper, &recovery);
    refused!(
        world.policy.recover(&signed, None, world.host),
        Refusal::Malformed
    );
    refused!(
        world.policy.recover(&signed, Some(&signed), world.host),
        Refusal::Signature
    );
    let possession = jws(&device, &recovery);
    let change = world
        .policy
        .recover(&signed, Some(&possession), world.host)
        .unwrap();
    let recovered = world.disk.settle(change).unwrap();
    assert_eq!(recovered.keys.pinned_key, device.public().uri());
    assert_eq!(recovered.keys.erased, [alice.enrolment.enrolment]);
    assert_eq!(recovered.erased.len(), 1);
    refused!(world.ask(&alice), Refusal::NoConsent);
    let old_device = jws(
        &alice.device,
        &world.withdrawal(&alice.subject, alice.consent.id),
    );
    refused!(
        world.policy.withdraw(&old_device, world.host),
        Refusal::Signature
    );
    let consent = world.consent(&alice.subject, &Scope::Authentication, DAY);
    assert!(world.give(&jws(&device, &consent)).is_ok());
}

#[test]
fn a_new_key_needs_the_old_ones_word_and_its_own() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let device = world.key();
    let nonce = world.issue_nonce(&alice.subject).unwrap();
    let rotation = world.rotation(&alice.subject, &device, nonce);
    let (old, new) = (jws(&alice.device, &rotation), jws(&device, &rotation));
    refused!(
        world.policy.rotate_key(&old, &old, world.host),
        Refusal::Signature
    );
    refused!(
        world.policy.rotate_key(&new, &new, world.host),
        Refusal::Signature
    );
    let to_paper = jws(
        &alice.device,
        &world.rotation(&alice.subject, &alice.paper, nonce),
    );
    let by_paper = jws(
        &alice.paper,
        &world.rotation(&alice.subject, &alice.paper, nonce),
    );
    refused!(
        world.policy.rotate_key(&to_paper, &by_paper, world.host),
        Refusal::Mismatch
    );
    let pending = world.begin(&alice, true).unwrap();
    let change = world.policy.rotate_key(&old, &new, world.host).unwrap();
    let receipt = world.disk.settle(change).unwrap();
    assert_eq!(
        world
            .policy
            .rotate_key(&old, &new, world.host)
            .unwrap()
            .commit(),
        receipt
    );
    refused!(world.finish(pending), Refusal::Signature);
    assert_eq!(world.attempt(&alice, true), Err(Refusal::Signature));
    let alice = Alice { device, ..alice };
    assert_eq!(world.attempt(&alice, true), Ok(true));
}
