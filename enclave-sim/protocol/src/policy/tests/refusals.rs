//! Which refusal, and which receipt: what callers decide by.

use blindprint_core::{
    Digest, Jws, Nonce, SubjectId,
    consent::Scope,
    statement::{ConsentState, Enrolment, Probe, Purpose, RecoveryAction, Verdict},
};
use blindprint_did::SigningKey;
use serde_bytes::ByteBuf;

use super::world::{DAY, World, ciphertext, decrypt, digest, jws, signed_evaluation};
use crate::{
    message::{Comparison, Refusal, SignedEvaluation},
    policy::{
        Agreed, BUDGET_PERIOD, ChallengeRequest, MOST_INCIDENTS, PRESENCE, PendingOpening,
        Registry, RegistryError, TOLERANCE,
    },
};

/// Somebody who is enrolled.
struct Alice {
    subject: SubjectId,
    device: SigningKey,
    paper: SigningKey,
    consent: blindprint_core::statement::Consent,
    consent_jws: Jws,
    enrolment: Enrolment,
    enrolment_jws: Jws,
    checks: Vec<Jws>,
}

impl World {
    fn alice(&mut self) -> Alice {
        let (device, paper) = (self.key(), self.key());
        let subject = device.public().subject();
        let consent = self.consent(&subject, &Scope::Authentication, 400 * DAY);
        let consent_jws = jws(&device, &consent);
        let receipt = self.give(&consent_jws).unwrap();
        assert_eq!(
            (receipt.statement, receipt.state),
            (digest(&consent_jws), ConsentState::Given)
        );
        let nonce = self.issue_nonce(&subject).unwrap();
        let enrolment = self.enrolment(&subject, digest(&consent_jws), paper.public().uri(), nonce);
        let checks = self.checks(&self.template_check(&enrolment));
        let enrolment_jws = jws(&device, &enrolment);
        let change = self
            .policy
            .register(&enrolment_jws, None, &checks, nonce, self.host)
            .unwrap();
        let receipt = self.disk.settle(change).unwrap();
        assert_eq!(receipt.pinned_key, device.public().uri());
        Alice {
            subject,
            device,
            paper,
            consent,
            consent_jws,
            enrolment,
            enrolment_jws,
            checks,
        }
    }

    fn ask(&mut self, alice: &Alice) -> Result<Nonce, Refusal> {
        self.challenge(ChallengeRequest {
            subject: alice.subject.clone(),
            enrolment: alice.enrolment.enrolment,
            audience: "https://shop.example".parse().unwrap(),
            nonce: "relying-party".to_owned(),
            purpose: Purpose::Authentication,
        })
    }

    fn probe(&self, alice: &Alice, challenge: Nonce) -> Probe {
        Probe {
            sub: alice.subject.clone(),
            service: self.service(),
            enrolment: alice.enrolment.enrolment,
            template: Digest::of("template", alice.enrolment.submission.as_bytes()),
            challenge,
            audience: "https://shop.example".parse().unwrap(),
            purpose: Purpose::Authentication,
            profile: alice.enrolment.profile,
            key: self.terms.key,
            submission: Digest::of("blindprint/submission/v1", b"probe"),
            iat: self.host,
        }
    }

    fn evaluate(&self, probe: &Probe, bit: bool) -> Vec<SignedEvaluation> {
        let evaluate = |(n, matcher)| {
            let ciphertext = ciphertext(n, bit);
            signed_evaluation(matcher, &self.evaluation(probe, &ciphertext), ciphertext)
        };
        self.matchers[..self.terms.matchers]
            .iter()
            .enumerate()
            .map(evaluate)
            .collect()
    }

    fn begin(&mut self, alice: &Alice, bit: bool) -> Result<PendingOpening, Refusal> {
        let challenge = self.ask(alice)?;
        let probe = self.probe(alice, challenge);
        let evaluations = self.evaluate(&probe, bit);
        let probe = jws(&alice.device, &probe);
        let change = self
            .policy
            .begin_open(&probe, evaluations, None, self.host)?;
        self.disk.settle(change)
    }

    fn compare(
        &mut self,
        pending: PendingOpening,
        bits: &[Option<bool>],
    ) -> Result<Agreed, Refusal> {
        let change = pending.compare(&mut self.policy, bits, self.host)?;
        self.disk.settle(change)?
    }

    fn finish(&mut self, pending: PendingOpening) -> Result<Verdict, Refusal> {
        let bits: Vec<_> = pending.ciphertexts().map(decrypt).map(Some).collect();
        let agreed = self.compare(pending, &bits)?;
        let change = agreed.finish(&mut self.policy, self.host)?;
        self.disk.settle(change)
    }

    /// A lie, told by the admitted matchers' next instances.
    fn lie(&mut self, alice: &Alice, bits: &[Option<bool>]) -> Result<Agreed, Refusal> {
        let lies = usize::try_from(self.policy.incidents()).unwrap();
        for matcher in 0..self.terms.matchers {
            self.admit_as(matcher, 100 * (lies + 1) + matcher).unwrap();
        }
        let pending = self.begin(alice, true)?;
        self.compare(pending, bits)
    }

    fn attempt(&mut self, alice: &Alice, bit: bool) -> Result<bool, Refusal> {
        let pending = self.begin(alice, bit)?;
        Ok(self.finish(pending)?.matched)
    }
}

macro_rules! refused {
    ($result:expr, $refusal:pat) => {
        match $result.map(drop) {
            Err(refusal) => assert!(matches!(refusal, $refusal), "{refusal:?}"),
            Ok(()) => panic!("expected a refusal"),
        }
    };
}

mod consents;
mod erasure;
mod lifecycle;

#[test]
fn a_match_and_a_mismatch_are_verdicts() {
    let mut world = World::new(2, false);
    let alice = world.alice();
    assert_eq!(world.attempt(&alice, true), Ok(true));
    assert_eq!(world.attempt(&alice, false), Ok(false));
    world.restart();
    assert_eq!(
        world.attempt(&alice, true),
        Err(Refusal::Evaluations),
        "no matcher is admitted yet"
    );
}

#[test]
fn a_replay_finds_its_challenge_gone_and_another_statement_a_mismatch() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let challenge = world.ask(&alice).unwrap();
    let probe = world.probe(&alice, challenge);
    let evaluations = world.evaluate(&probe, true);
    let mut elsewhere = probe.clone();
    elsewhere.audience = "https://elsewhere.example".parse().unwrap();
    let moved = jws(&alice.device, &elsewhere);
    refused!(
        world
            .policy
            .begin_open(&moved, world.evaluate(&elsewhere, true), None, world.host),
        Refusal::Mismatch
    );
    let signed = jws(&alice.device, &probe);
    let forged = jws(&alice.paper, &probe);
    refused!(
        world
            .policy
            .begin_open(&forged, evaluations.clone(), None, world.host),
        Refusal::Signature
    );
    refused!(
        world
            .policy
            .begin_open(&alice.consent_jws, evaluations.clone(), None, world.host),
        Refusal::Malformed
    );
    let change = world
        .policy
        .begin_open(&signed, evaluations.clone(), None, world.host)
        .unwrap();
    let _pending = world.disk.settle(change).unwrap();
    refused!(
        world
            .policy
            .begin_open(&signed, evaluations, None, world.host),
        Refusal::ChallengeGone
    );
}

#[test]
fn one_instance_has_one_vote_however_often_it_is_admitted() {
    let mut world = World::new(2, false);
    let alice = world.alice();
    // The second matcher's key comes back as another key of the first one's instance.
    world.admit_as(1, 0).unwrap();
    assert_eq!(world.attempt(&alice, true), Err(Refusal::Evaluations));
    world.admit_as(0, 0).unwrap();
    assert_eq!(world.attempt(&alice, true), Err(Refusal::Evaluations));
    world.admit(1).unwrap();
    assert_eq!(world.attempt(&alice, true), Ok(true));
}

#[test]
fn a_matcher_that_shows_itself_no_more_is_not_counted() {
    let mut world = World::new(1, false);
    assert_eq!(world.policy.matchers(world.host), 2);
    world.host = world.host.plus(PRESENCE);
    assert_eq!(world.policy.matchers(world.host), 0);
    world.admit(0).unwrap();
    world.admit(0).unwrap();
    assert_eq!(world.policy.matchers(world.host), 1, "and never twice");
}

#[test]
fn bits_that_disagree_leave_the_attempt_counted() {
    let mut world = World::new(2, false);
    let alice = world.alice();
    for _ in 0..5 {
        refused!(
            world.lie(&alice, &[Some(true), Some(false)]),
            Refusal::Evaluations
        );
    }
    refused!(world.ask(&alice), Refusal::Throttled { retry_after: 30 });
}

#[test]
fn who_signed_for_a_false_evaluation_is_expelled_until_the_next_boot() {
    for bits in [[Some(true), Some(false)], [Some(true), None], [None, None]] {
        let mut world = World::new(2, false);
        let alice = world.alice();
        let pending = world.begin(&alice, true).unwrap();
        refused!(world.compare(pending, &bits), Refusal::Evaluations);
        assert_eq!(world.policy.incidents(), 1);
        assert_eq!(world.attempt(&alice, true), Err(Refusal::Evaluations));
        assert_eq!(world.admit(0), Err(Refusal::Expelled));
        assert_eq!(world.admit(1), Err(Refusal::Expelled));
        world.admit_as(0, 10).unwrap();
        world.admit_as(1, 11).unwrap();
        assert_eq!(world.attempt(&alice, true), Ok(true));
        world.restart();
        assert_eq!(world.policy.incidents(), 1);
        world.admit(0).unwrap();
    }
}

#[test]
fn a_few_false_evaluations_retire_the_key_for_good() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let pending: Vec<_> = (0..3).map(|_| world.begin(&alice, true).unwrap()).collect();
    for _ in 0..MOST_INCIDENTS {
        world.host = world.host.plus(30);
        refused!(world.lie(&alice, &[None]), Refusal::Evaluations);
    }
    for begun in pending {
        refused!(world.compare(begun, &[Some(true)]), Refusal::Retired);
    }
    refused!(world.ask(&alice), Refusal::Retired);
    world.restart();
    world.admit(0).unwrap();
    refused!(world.ask(&alice), Refusal::Retired);
    assert_eq!(world.policy.incidents(), MOST_INCIDENTS);
    // What is not about opening goes on.
    let withdrawal = world.withdrawal(&alice.subject, alice.consent.id);
    let withdrawal = jws(&alice.device, &withdrawal);
    assert!(world.policy.withdraw(&withdrawal, world.host).is_ok());
}

/// A host that could tell them apart would kill the process before an incident counts.
#[test]
fn an_incident_is_written_like_an_agreement() {
    let mut world = World::new(2, false);
    let alice = world.alice();
    let lengths = [Some(true), Some(false), None].map(|second| {
        let pending = world.begin(&alice, true).unwrap();
        let bits = [Some(true), second];
        let change = pending.compare(&mut world.policy, &bits, world.host);
        change.unwrap().snapshot().unwrap().len()
    });
    let agreement = lengths[0];
    // Each attempt before has made the registry longer by as much.
    let attempt = lengths[1] - agreement;
    assert_eq!(lengths[2] - lengths[1], attempt);
    let pending = world.begin(&alice, true).unwrap();
    let bits = [Some(false), Some(false)];
    let change = pending.compare(&mut world.policy, &bits, world.host);
    assert_eq!(
        change.unwrap().snapshot().unwrap().len(),
        agreement + 3 * attempt
    );
}

#[test]
fn withdrawal_between_counting_and_opening_prevents_the_verdict() {
    let mut world = World::new(1, false);
    let alice = world.alice();
    let pending = world.begin(&alice, true).unwrap();
    let withdrawal = jws(
        &alice.device,
        &world.withdrawal(&alice.subject, alice.consent.id),
    );
    let change = world.policy.withdraw(&withdrawal, world.host).unwrap();
    let first = world.disk.settle(change).unwrap();
    assert_eq!(first.consent.state, ConsentState::Withdrawn);
    assert_eq!(first.erased.len(), 1, "nothing else covers the template");
    refused!(world.finish(pending), Refusal::NoConsent);
    refused!(world.ask(&alice), Refusal::NoConsent);

    world.host = world.host.plus(TOLERANCE * 100);
    let change = world.policy.withdraw(&withdrawal, world.host).unwrap();
    assert!(change.snapshot().is_none(), "a retry changes nothing");
    assert_eq!(change.commit(), first);
    refused!(world.give(&alice.consent_jws), Refusal::Stale);
    refused!(
        world.policy.register(
            &alice.enrolment_jws,
            None,
            &alice.checks,
            alice.enrolment.nonce,
            world.host
        ),
        Refusal::Stale
    );
}

#[test]
fn strangers_pin_nothing() {
    let mut world = World::new(1, false);
    let (mallory, bob) = (world.key(), world.key());
    let consent = world.consent(&bob.public().subject(), &Scope::Authentication, DAY);
    refused!(world.give(&jws(&mallory, &consent)), Refusal::Signature);
    let web = world.consent(
        &"did:web:example.org".parse().unwrap(),
        &Scope::Authentication,
        DAY,
    );
    refused!(world.give(&jws(&mallory, &web)), Refusal::Signature);
    refused!(world.issue_nonce(&bob.public().subject()), Refusal::Unknown);
    assert!(world.policy.registry().is_empty());
}

#[test]
fn an_enclave_that_recomputes_wants_the_exact_ciphertexts_and_its_own_bit() {
    let mut world = World::new(1, true);
    let mut alice = world.alice();
    // The registered template is whatever the matcher said it was.
    let stored = Digest::of("template", alice.enrolment.submission.as_bytes());
    assert_ne!(stored, Digest::of("blindprint/template/v1", b"template"));
    let challenge = world.ask(&alice).unwrap();
    let probe = world.probe(&alice, challenge);
    let signed = jws(&alice.device, &probe);
    let comparison = Comparison {
        template: ByteBuf::from("template"),
        submission: ByteBuf::from("probe"),
    };
    let evaluations = world.evaluate(&probe, true);
    refused!(
        world
            .policy
            .begin_open(&signed, evaluations.clone(), None, world.host),
        Refusal::Evaluations
    );
    refused!(
        world
            .policy
            .begin_open(&signed, evaluations, Some(comparison.clone()), world.host),
        Refusal::Mismatch
    );

    let nonce = world.issue_nonce(&alice.subject).unwrap();
    let replaces = Some(alice.enrolment.enrolment);
    let consent = digest(&alice.consent_jws);
    let enrolment = world.enrolment(&alice.subject, consent, alice.paper.public().uri(), nonce);
    alice.enrolment = Enrolment {
        replaces,
        ..enrolment
    };
    let mut check = world.template_check(&alice.enrolment);
    check.template = Digest::of("blindprint/template/v1", b"template");
    let checks = world.checks(&check);
    let change = world
        .policy
        .register(
            &jws(&alice.device, &alice.enrolment),
            Some(&jws(&alice.paper, &alice.enrolment)),
            &checks,
            nonce,
            world.host,
        )
        .unwrap();
    world.disk.settle(change).unwrap();
    for (n, bits, refused) in [
        (1, vec![Some(true)], true),
        (2, vec![Some(true), Some(false)], true),
        (3, vec![Some(true), None], true),
        (4, vec![Some(true), Some(true)], false),
    ] {
        world.admit_as(0, 10 * n).unwrap();
        let challenge = world.ask(&alice).unwrap();
        let probe = Probe {
            template: check.template,
            ..world.probe(&alice, challenge)
        };
        let (signed, evaluations) = (jws(&alice.device, &probe), world.evaluate(&probe, true));
        let change = world
            .policy
            .begin_open(&signed, evaluations, Some(comparison.clone()), world.host)
            .unwrap();
        let pending = world.disk.settle(change).unwrap();
        assert_eq!(pending.comparison(), Some(&comparison));
        assert_eq!(world.compare(pending, &bits).is_err(), refused);
    }
}

#[test]
fn the_registry_decodes_to_what_was_encoded_and_nothing_else_decodes() {
    let mut world = World::new(1, false);
    for _ in 0..3 {
        world.alice();
    }
    let bytes = world.policy.registry().encode();
    assert_eq!(
        *bytes,
        world.disk.states.last().unwrap().bytes,
        "a snapshot is what is there after the commit"
    );
    assert_eq!(Registry::decode(&bytes).unwrap().encode(), bytes);
    for length in 0..bytes.len() {
        assert!(
            Registry::decode(&bytes[..length]).is_err(),
            "truncated to {length}"
        );
    }
    assert!(
        Registry::decode(&[bytes.as_slice(), &[0]].concat()).is_err(),
        "a leftover"
    );
    for count in [52, 56] {
        let mut many = bytes.clone();
        many[count..count + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(Registry::decode(&many).is_err());
    }
    let mut older = bytes.clone();
    older[6] = b'2';
    assert_eq!(Registry::decode(&older).err(), Some(RegistryError::Version));
}
