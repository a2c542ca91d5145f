//! A host that keeps every sealed state, has no hardware counter that stops it, holds the log's key,
//! and runs as many enclaves from whatever states it likes. Only the witness is honest: it cosigns
//! nothing that does not extend what it cosigned before.
//!
//! What must hold: once a tombstone stands under a witnessed checkpoint, no enclave that is started
//! afterwards opens for what it ends, and one that runs already does so for one period at most.

mod host;

use blindprint_core::statement::StateMark;
use blindprint_did::verify;
use blindprint_log::{Commitment, Entry, Kind, Salt};
use proptest::prelude::*;

use self::host::{Host, Lie, PERIOD};
use super::world::{DAY, jws};
use crate::message::Refusal;

#[test]
fn an_honest_host_is_served_from_the_first_round_on() {
    let mut host = Host::new(true);
    let enclave = host.boot(0, false);
    assert_eq!(host.enrol(enclave, 0), Err(Refusal::Unwitnessed));
    let seen = host.refresh(enclave, Lie::None).unwrap();
    assert_eq!(seen.fresh_until, Some(host.now().plus(PERIOD)));
    host.enrol(enclave, 0).unwrap();
    assert_eq!(host.challenge(enclave, 0), Ok(()));
    // It serves for a period, and again after each round.
    for _ in 0..3 {
        host.pass(PERIOD);
        assert_eq!(host.challenge(enclave, 0), Err(Refusal::Unwitnessed));
        host.refresh(enclave, Lie::None).unwrap();
        assert_eq!(host.challenge(enclave, 0), Ok(()));
    }
    // So it does after a restart from the last state.
    let again = host.boot(host.last_state(), false);
    assert_eq!(host.challenge(again, 0), Err(Refusal::Unwitnessed));
    host.refresh(again, Lie::None).unwrap();
    assert_eq!(host.challenge(again, 0), Ok(()));
}

#[test]
fn without_a_witness_the_log_is_needed_to_restore_only() {
    let mut host = Host::new(false);
    let enclave = host.boot(0, false);
    host.enrol(enclave, 0).unwrap();
    let before = host.last_state();
    host.erase_subject(enclave, 0).unwrap();
    let restored = host.boot(before, true);
    assert_eq!(host.challenge(restored, 0), Err(Refusal::Unwitnessed));
    assert!(!host.refresh(restored, Lie::None).unwrap().restoring);
    assert_eq!(host.challenge(restored, 0), Err(Refusal::Unknown));
    // Who was erased may come again, with a consent that is new.
    host.pass(PERIOD + 1);
    assert_eq!(host.enrol(restored, 0), Ok(()));
}

#[test]
fn what_was_ended_stays_ended_in_every_older_state() {
    type End = fn(&mut Host, usize, usize) -> Result<(), Refusal>;
    let ends: [(End, Refusal); 3] = [
        (Host::erase_subject, Refusal::Unknown),
        (Host::erase_enrolment, Refusal::Unknown),
        (Host::withdraw, Refusal::NoConsent),
    ];
    for (end, refusal) in ends {
        let mut host = Host::new(true);
        let enclave = host.boot(0, false);
        host.refresh(enclave, Lie::None).unwrap();
        host.enrol(enclave, 0).unwrap();
        host.enrol(enclave, 1).unwrap();
        let before = host.last_state();
        end(&mut host, enclave, 0).unwrap();
        host.publish();
        // Not even on purpose.
        let restored = host.boot(before, true);
        assert_eq!(host.challenge(restored, 0), Err(Refusal::Unwitnessed));
        assert!(!host.refresh(restored, Lie::None).unwrap().restoring);
        assert_eq!(host.challenge(restored, 0), Err(refusal));
        assert_eq!(host.challenge(restored, 1), Ok(()));
        // It is durable: started again from what was restored, nobody is back.
        let again = host.boot(host.last_state(), false);
        host.refresh(again, Lie::None).unwrap();
        assert_eq!(host.challenge(again, 0), Err(refusal));
        assert_eq!(host.challenge(again, 1), Ok(()));
        // And the enclave that went on from the original state learns of the other.
        assert_eq!(
            host.refresh(enclave, Lie::None).unwrap_err(),
            Refusal::RolledBack
        );
        assert_eq!(host.challenge(enclave, 1), Err(Refusal::RolledBack));
    }
}

#[test]
fn an_older_state_that_is_not_restored_never_serves() {
    let mut host = Host::new(true);
    let enclave = host.boot(0, false);
    host.refresh(enclave, Lie::None).unwrap();
    host.enrol(enclave, 0).unwrap();
    let before = host.last_state();
    host.pass(PERIOD);
    host.refresh(enclave, Lie::None).unwrap();
    let older = host.boot(before, false);
    assert_eq!(host.challenge(older, 0), Err(Refusal::Unwitnessed));
    assert_eq!(
        host.refresh(older, Lie::None).unwrap_err(),
        Refusal::RolledBack
    );
    // For good, whatever is asked of it; what it said would be believed.
    assert_eq!(
        host.refresh(older, Lie::None).unwrap_err(),
        Refusal::RolledBack
    );
    assert_eq!(host.challenge(older, 0), Err(Refusal::RolledBack));
    assert_eq!(host.withdraw(older, 0), Err(Refusal::RolledBack));
    assert_eq!(host.erase_subject(older, 0), Err(Refusal::RolledBack));
    assert!(host.seen(older).rolled_back);
}

#[test]
fn of_two_enclaves_from_one_state_one_goes_on_at_most() {
    let mut host = Host::new(true);
    let first = host.boot(0, false);
    host.refresh(first, Lie::None).unwrap();
    host.enrol(first, 0).unwrap();
    let state = host.last_state();
    let (left, right) = (host.boot(state, false), host.boot(state, false));
    host.refresh(left, Lie::None).unwrap();
    assert_eq!(host.challenge(left, 0), Ok(()));
    assert_eq!(
        host.refresh(right, Lie::None).unwrap_err(),
        Refusal::RolledBack
    );
    // Its mark is in the log nevertheless, and the witness has one history only.
    host.pass(PERIOD);
    assert_eq!(
        host.refresh(left, Lie::None).unwrap_err(),
        Refusal::RolledBack
    );
}

#[test]
fn no_lie_makes_an_enclave_fresh() {
    for lie in Lie::ALL {
        let mut host = Host::new(true);
        let enclave = host.boot(0, false);
        host.refresh(enclave, Lie::None).unwrap();
        host.enrol(enclave, 0).unwrap();
        host.erase_enrolment(enclave, 0).unwrap();
        host.publish();
        host.pass(PERIOD);
        let refused = host.refresh(enclave, lie);
        assert!(
            refused.is_err_and(|refusal| refusal != Refusal::RolledBack),
            "{lie:?}"
        );
        assert_eq!(host.enrol(enclave, 1), Err(Refusal::Unwitnessed));
        // A lie does no lasting harm.
        host.refresh(enclave, Lie::None).unwrap();
        host.enrol(enclave, 1).unwrap();
    }
}

#[test]
fn freshness_begins_when_the_mark_is_drawn() {
    let mut host = Host::new(true);
    let enclave = host.boot(0, false);
    let (mark, _) = host.mark(enclave).unwrap();
    host.log(Entry::public(Kind::EnclaveMark, host.now(), mark).unwrap());
    // The host sits on it, and shows it late.
    host.pass(PERIOD - 1);
    host.publish();
    let seen = host.show(enclave, Lie::None).unwrap();
    assert_eq!(seen.fresh_until, Some(host.now().plus(1)));
    host.pass(1);
    assert_eq!(host.enrol(enclave, 0), Err(Refusal::Unwitnessed));
}

#[test]
fn a_mark_is_the_same_for_a_quarter_of_a_period_and_belongs_to_its_boot() {
    let mut host = Host::new(true);
    let enclave = host.boot(0, false);
    let (mark, log_size) = host.mark(enclave).unwrap();
    assert_eq!(log_size, 0);
    host.pass(PERIOD / 4 - 1);
    assert_eq!(host.mark(enclave).unwrap().0, mark);
    host.pass(1);
    let (other, _) = host.mark(enclave).unwrap();
    assert_ne!(other, mark);
    // Another boot knows the marks before it, and is not made fresh by them.
    host.log(Entry::public(Kind::EnclaveMark, host.now(), mark.clone()).unwrap());
    host.log(Entry::public(Kind::EnclaveMark, host.now(), other).unwrap());
    host.publish();
    let again = host.boot(host.last_state(), false);
    let seen = host.show(again, Lie::None).unwrap();
    assert_eq!((seen.log_size, seen.fresh_until), (2, None));
    // The host may repeat a mark as it likes.
    host.log(Entry::public(Kind::EnclaveMark, host.now(), mark).unwrap());
    host.refresh(again, Lie::None).unwrap();
}

#[test]
fn a_restored_state_is_numbered_above_every_mark() {
    let mut host = Host::new(true);
    let enclave = host.boot(0, false);
    let mut highest = 0;
    for _ in 0..5 {
        host.refresh(enclave, Lie::None).unwrap();
        host.pass(PERIOD);
        let (mark, _) = host.mark(enclave).unwrap();
        highest = verify::<StateMark>(&mark).unwrap().statement().count;
    }
    host.refresh(enclave, Lie::None).unwrap();
    let restored = host.boot(0, true);
    host.refresh(restored, Lie::None).unwrap();
    assert_eq!(host.outran(), Some(highest));
}

#[test]
fn what_others_put_into_the_log_means_nothing() {
    let mut host = Host::new(true);
    let enclave = host.boot(0, false);
    host.refresh(enclave, Lie::None).unwrap();
    host.enrol(enclave, 0).unwrap();
    // A mark by another key, one that is none, and a tombstone that names nothing here.
    let stranger = host.stranger();
    let foreign = host.statement(999);
    host.log(Entry::public(Kind::EnclaveMark, host.now(), jws(&stranger, &foreign)).unwrap());
    let none = "eyJh.eyJi.c2ln".parse().unwrap();
    host.log(Entry::public(Kind::EnclaveMark, host.now(), none).unwrap());
    let nobody = vec![host.nonce()];
    host.log(Entry::tombstone(Kind::SubjectErased, host.now(), nobody, None).unwrap());
    let salt = Salt::from_bytes(&[1; 32]);
    let verdict = Commitment::to(&salt, b"event");
    host.log(Entry::committed(Kind::Verdict, host.now(), verdict).unwrap());
    host.refresh(enclave, Lie::None).unwrap();
    assert_eq!(host.challenge(enclave, 0), Ok(()));
}

#[test]
fn a_tombstone_of_another_kind_ends_what_it_names_and_no_more() {
    for (kind, refusal) in [
        (Kind::ConsentInvalidated, Refusal::NoConsent),
        (Kind::ConsentExpired, Refusal::NoConsent),
    ] {
        let mut host = Host::new(true);
        let enclave = host.boot(0, false);
        host.refresh(enclave, Lie::None).unwrap();
        host.enrol(enclave, 0).unwrap();
        let handle = host.consent_handle(0);
        host.log(Entry::tombstone(kind, host.now(), vec![handle], None).unwrap());
        host.refresh(enclave, Lie::None).unwrap();
        assert_eq!(host.challenge(enclave, 0), Err(refusal));
        // The template stays for the next consent.
        host.consent_again(enclave, 0).unwrap();
        assert_eq!(host.challenge(enclave, 0), Ok(()));
    }
}

/// What the host does next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Boot {
        state: prop::sample::Index,
        restore: bool,
    },
    Refresh {
        enclave: prop::sample::Index,
        lie: Lie,
    },
    Rewrite {
        entry: prop::sample::Index,
    },
    Publish,
    Pass(i64),
    Enrol {
        enclave: prop::sample::Index,
        subject: usize,
    },
    Withdraw {
        enclave: prop::sample::Index,
        subject: usize,
    },
    EraseEnrolment {
        enclave: prop::sample::Index,
        subject: usize,
    },
    EraseSubject {
        enclave: prop::sample::Index,
        subject: usize,
    },
    Challenge {
        enclave: prop::sample::Index,
        subject: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let enclave = any::<prop::sample::Index>;
    let subject = || 0..host::SUBJECTS;
    let at = move || (enclave(), subject());
    let lie = prop::sample::select(
        std::iter::repeat_n(Lie::None, 12)
            .chain(Lie::ALL)
            .collect::<Vec<_>>(),
    );
    let step = prop_oneof![
        3 => (any::<prop::sample::Index>(), any::<bool>())
            .prop_map(|(state, restore)| Step::Boot { state, restore }),
        8 => (enclave(), lie).prop_map(|(enclave, lie)| Step::Refresh { enclave, lie }),
        1 => any::<prop::sample::Index>().prop_map(|entry| Step::Rewrite { entry }),
        3 => Just(Step::Publish),
        3 => (1..PERIOD).prop_map(Step::Pass),
        1 => Just(Step::Pass(DAY)),
        6 => at().prop_map(|(enclave, subject)| Step::Enrol { enclave, subject }),
        2 => at().prop_map(|(enclave, subject)| Step::Withdraw { enclave, subject }),
        2 => at().prop_map(|(enclave, subject)| Step::EraseEnrolment { enclave, subject }),
        2 => at().prop_map(|(enclave, subject)| Step::EraseSubject { enclave, subject }),
        8 => at().prop_map(|(enclave, subject)| Step::Challenge { enclave, subject }),
    ];
    prop::collection::vec(step, 1..60)
}

/// Carries a step out, however it ends. Opening checks what must hold.
fn take(host: &mut Host, step: &Step) {
    match *step {
        Step::Boot { state, restore } => {
            let state = state.index(host.last_state() + 1);
            host.boot(state, restore);
        }
        Step::Refresh { enclave, lie } => {
            let _ = host.refresh(enclave.index(host.enclaves()), lie);
        }
        Step::Rewrite { entry } => host.rewrite(entry),
        Step::Publish => host.publish(),
        Step::Pass(seconds) => host.pass(seconds),
        Step::Enrol { enclave, subject } => {
            let _ = host.enrol(enclave.index(host.enclaves()), subject);
        }
        Step::Withdraw { enclave, subject } => {
            let _ = host.withdraw(enclave.index(host.enclaves()), subject);
        }
        Step::EraseEnrolment { enclave, subject } => {
            let _ = host.erase_enrolment(enclave.index(host.enclaves()), subject);
        }
        Step::EraseSubject { enclave, subject } => {
            let _ = host.erase_subject(enclave.index(host.enclaves()), subject);
        }
        Step::Challenge { enclave, subject } => {
            let _ = host.challenge(enclave.index(host.enclaves()), subject);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_enclave_opens_for_what_a_witnessed_tombstone_ended(steps in steps()) {
        let mut host = Host::new(true);
        let enclave = host.boot(0, false);
        host.refresh(enclave, Lie::None).unwrap();
        for step in &steps {
            take(&mut host, step);
        }
        // Whoever is still alive, or is started now, on whatever: nobody is back.
        host.publish();
        let states = host.last_state();
        for state in [0, states / 2, states] {
            for restore in [false, true] {
                let enclave = host.boot(state, restore);
                let _ = host.refresh(enclave, Lie::None);
                for subject in 0..host::SUBJECTS {
                    let _ = host.challenge(enclave, subject);
                }
            }
        }
    }
}
