use blindprint_core::{RightsRequestId, statement::Right};

use super::*;
use crate::{
    domain::{
        ledger::Draft,
        notifying::{Event, Job, JobState},
        relying_parties::{NewRelyingParty, RelyingParty, RelyingPartyId},
        retention::{Kept, Policy},
        rights::{About, Actor, Case, Proof, RightsState, SealedCertificate},
    },
    store::{CaseFilter, NotOpened},
};

const DAY: i64 = 86_400;

fn case(right: Right) -> Case {
    let id = RightsRequestId::random(&SystemEntropy);
    let opened = (Actor::Wallet, Proof::Subject);
    Case::open(id, alice(), right, opened, About::default(), NOW)
}

async fn open(store: &dyn Store, case: &Case) -> Result<(), NotOpened> {
    store.open_case(case, 2, &[], stamp()).await.unwrap()
}

fn party(audience: &str, webhook: Option<&str>) -> RelyingParty {
    let known = NewRelyingParty {
        name: "Shop".to_owned(),
        audience: audience.parse().unwrap(),
        webhook: webhook.map(str::to_owned),
        contact: None,
        notes: None,
    };
    RelyingParty::new(RelyingPartyId::random(&SystemEntropy), known, NOW).unwrap()
}

async fn verdict(store: &dyn Store, pending: &PendingEnrolment, at: UnixTime) -> VerdictRecord {
    let record = VerdictRecord {
        challenge: nonce(),
        subject: alice(),
        enrolment: pending.enrolment.enrolment,
        probe: random_digest(),
        audience: "https://shop.example".parse().unwrap(),
        matched: true,
        jws: jws("verdict"),
        given: at,
    };
    store.record_verdict(&record, &SystemEntropy).await.unwrap();
    record
}

#[tokio::test]
async fn of_two_moves_at_once_one_is_refused() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let first = case(Right::Access);
    open(store, &first).await.unwrap();
    assert_eq!(open(store, &first).await, Err(NotOpened::Taken));
    let known = store.case(first.id).await.unwrap().unwrap();
    assert_eq!(known, first);
    let moved = |case: Case| {
        case.go(RightsState::Accepted, Actor::Service, None, NOW)
            .unwrap()
    };
    let one = moved(known.clone());
    assert!(store.move_case(&one, &[], stamp()).await.unwrap());
    assert!(!store.move_case(&moved(known), &[], stamp()).await.unwrap());
    let again: &dyn Store = &fixture.reopened().await;
    let kept = again.case(first.id).await.unwrap().unwrap();
    assert_eq!((kept.state(), kept.version), (RightsState::Accepted, 1));
}

#[tokio::test]
async fn a_subject_has_so_many_open_requests_and_no_more() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let cases = [Right::Access, Right::Review, Right::Objection].map(case);
    assert_eq!(open(&**store, &cases[0]).await, Ok(()));
    assert_eq!(open(&**store, &cases[1]).await, Ok(()));
    assert_eq!(open(&**store, &cases[2]).await, Err(NotOpened::TooMany));
    let over = cases[0]
        .clone()
        .go(RightsState::Rejected, Actor::Service, None, NOW);
    assert!(store.move_case(&over.unwrap(), &[], stamp()).await.unwrap());
    assert_eq!(open(&**store, &cases[2]).await, Ok(()));
    assert_eq!(store.open_cases().await.unwrap().len(), 2);
    assert_eq!(store.cases_of(&alice()).await.unwrap().len(), 3);
    let filter = |right, open| CaseFilter {
        open,
        right,
        ..CaseFilter::default()
    };
    let found = async |filter: CaseFilter| {
        let (page, all) = store.cases(&filter, 0, 1).await.unwrap();
        (page.len(), all)
    };
    assert_eq!(found(filter(None, None)).await, (1, 3));
    assert_eq!(found(filter(None, Some(true))).await, (1, 2));
    assert_eq!(found(filter(Some(Right::Access), Some(true))).await, (0, 0));
}

#[tokio::test]
async fn whom_to_tell_follows_from_verdicts_and_each_is_told_once() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let pending = enrolled(&**store, &alice()).await;
    let shop = party("https://shop.example", Some("https://shop.example/events"));
    let silent = party("https://silent.example", None);
    let other = party(
        "https://other.example",
        Some("https://other.example/events"),
    );
    for party in [&shop, &silent, &other] {
        assert!(store.record_relying_party(party).await.unwrap());
    }
    assert!(
        !store
            .record_relying_party(&party("https://shop.example", None))
            .await
            .unwrap()
    );
    assert!(store.recipients(&alice()).await.unwrap().is_empty());
    verdict(&**store, &pending, NOW).await;
    assert_eq!(store.recipients(&alice()).await.unwrap(), [shop.id]);
    let job = Job::new(
        &jws("receipt"),
        shop.id,
        Event::AccountPurged,
        &alice(),
        NOW,
    );
    store.queue(&[job.clone(), job.clone()]).await.unwrap();
    let lease = async |at: UnixTime| store.lease_job(at, at.plus(60)).await.unwrap();
    let taken = lease(NOW).await.unwrap();
    assert_eq!((taken.id, taken.attempts), (job.id, 1));
    assert_eq!(lease(NOW).await, None, "somebody has it");
    assert_eq!(
        lease(NOW.plus(60)).await.unwrap().attempts,
        2,
        "the lease is over"
    );
    store
        .job_failed(job.id, "answered 500", Some(NOW.plus(100)), NOW)
        .await
        .unwrap();
    assert_eq!(lease(NOW.plus(99)).await, None);
    store
        .job_failed(job.id, "too old", None, NOW)
        .await
        .unwrap();
    let (dead, _) = store.jobs(Some(JobState::Dead), 0, 10).await.unwrap();
    assert_eq!(dead[0].error.as_deref(), Some("too old"));
    assert!(dead[0].payload.is_some(), "it can be revived");
    assert!(store.revive_job(job.id, NOW.plus(200)).await.unwrap());
    assert!(!store.revive_job(job.id, NOW).await.unwrap());
    assert!(lease(NOW.plus(200)).await.is_some());
    store.job_done(job.id, NOW.plus(201)).await.unwrap();
    let (all, count) = store.jobs(None, 0, 10).await.unwrap();
    assert_eq!((count, all[0].state), (1, JobState::Delivered));
    assert_eq!(
        all[0].payload, None,
        "what has arrived names nobody any more"
    );
    assert!(store.remove_relying_party(shop.id).await.unwrap());
    assert_eq!(store.jobs(None, 0, 10).await.unwrap().1, 0);
}

#[tokio::test]
async fn a_withdrawal_is_told_to_those_who_relied_on_the_consent() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let pending = enrolled(&**store, &alice()).await;
    let shop = party("https://shop.example", Some("https://shop.example/events"));
    store.record_relying_party(&shop).await.unwrap();
    verdict(&**store, &pending, NOW).await;
    let consent = store.consents_of(&alice()).await.unwrap()[0].id;
    let withdrawn = Effect::ConsentWithdrawn {
        subject: alice(),
        consent,
        at: NOW,
        withdrawal: Some(jws("withdrawal")),
        head: random_digest(),
        receipt: jws("withdrawn"),
    };
    apply(&**store, &alice(), withdrawn).await;
    let (jobs, _) = store.jobs(None, 0, 10).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(
        (jobs[0].recipient, jobs[0].event),
        (shop.id, Event::ConsentWithdrawn)
    );
}

/// No 32 bytes of it are in the database's files.
fn is_gone(fixture: &Fixture, what: &[u8]) {
    for file in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let size = what.len().min(32);
        for window in what.windows(size) {
            let found = bytes.windows(size).any(|at| at == window);
            assert!(
                !found,
                "{} in {}",
                String::from_utf8_lossy(window),
                path.display()
            );
        }
    }
}

#[tokio::test]
async fn nothing_in_the_database_names_who_was_forgotten() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let pending = enrolled(store, &alice()).await;
    verdict(store, &pending, NOW).await;
    store
        .append_entries(
            &[Draft::of(
                &alice(),
                blindprint_log::Kind::Verdict,
                "about Alice",
            )],
            stamp(),
        )
        .await
        .unwrap();
    store
        .claim_key(alice().as_str(), "key", random_digest(), NOW)
        .await
        .unwrap();
    let about = About {
        text: Some("I, Alice, want to know".to_owned()),
        ..About::default()
    };
    let id = RightsRequestId::random(&SystemEntropy);
    let other = Case::open(
        id,
        alice(),
        Right::Access,
        (Actor::Page, Proof::Subject),
        about,
        NOW,
    );
    open(store, &other).await.unwrap();
    let erasure = case(Right::Erasure)
        .go(RightsState::Accepted, Actor::Service, None, NOW)
        .unwrap();
    open(store, &erasure).await.unwrap();
    apply(store, &alice(), Effect::SubjectErased { subject: alice() }).await;
    assert!(store.forget_subject(&erasure, &[], stamp()).await.unwrap());
    let noted = store.case(erasure.id).await.unwrap().unwrap();
    let done = noted
        .forgotten()
        .go(RightsState::Fulfilled, Actor::Service, None, NOW);
    let certificate = SealedCertificate {
        name: random_digest(),
        sealed: vec![7; 100],
        expires: NOW.plus(DAY),
    };
    let kept = store
        .keep_certificate(&done.unwrap(), &certificate, &[], stamp())
        .await;
    assert!(kept.unwrap());
    store.purge().await.unwrap();
    is_gone(&fixture, alice().as_str().as_bytes());
    is_gone(&fixture, &pending.ciphertext[..64]);
    is_gone(&fixture, b"about Alice");
    is_gone(&fixture, b"I, Alice, want to know");
    assert_eq!(store.case(other.id).await.unwrap(), None);
    let kept = store.case(erasure.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.subject.clone(), kept.state()),
        (None, RightsState::Fulfilled)
    );
    assert_eq!(
        store.certificate(certificate.name).await.unwrap(),
        Some(certificate)
    );
}

fn policy() -> Policy {
    Policy {
        idle_enrolments: 30,
        erased_enrolments: 30,
        verdicts: 30,
        expired_consents: 30,
        rights_requests: 30,
        jobs: 30,
        invitations: 30,
    }
}

#[tokio::test]
async fn what_a_dry_run_counts_is_what_a_run_deletes() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let pending = enrolled(&**store, &alice()).await;
    verdict(&**store, &pending, NOW).await;
    let over = case(Right::Access);
    open(&**store, &over).await.unwrap();
    let over = over
        .go(RightsState::Rejected, Actor::Service, None, NOW)
        .unwrap();
    assert!(store.move_case(&over, &[], stamp()).await.unwrap());
    let soon = store.expired(&policy(), NOW.plus(29 * DAY)).await.unwrap();
    assert_eq!(soon.total(), 0);
    let later = NOW.plus(31 * DAY);
    let counted = store.expired(&policy(), later).await.unwrap();
    assert_eq!(counted.of(Kept::IdleEnrolments), 1);
    assert_eq!(counted.of(Kept::Verdicts), 1);
    assert_eq!(counted.of(Kept::RightsRequests), 1);
    assert_eq!(
        counted.of(Kept::ExpiredConsents),
        0,
        "the enrolment stands on it"
    );
    let idle = store.idle_enrolments(NOW.plus(DAY), 10).await.unwrap();
    assert_eq!(idle[0].id, pending.enrolment.enrolment);
    let at = Stamp {
        at: later,
        entropy: &SystemEntropy,
    };
    let reaped = store.reap(&policy(), at).await.unwrap();
    assert_eq!(
        (reaped.of(Kept::Verdicts), reaped.of(Kept::RightsRequests)),
        (1, 1)
    );
    assert_eq!(store.count_verdicts(&alice()).await.unwrap(), 0);
    assert!(
        store
            .enrolment(pending.enrolment.enrolment)
            .await
            .unwrap()
            .is_some()
    );
    // Once the enclave has ended it, what is left of it goes in its time, and the consent with it.
    let erased = Effect::Erased {
        enrolment: pending.enrolment.enrolment,
        receipt: Some(jws("erased")),
        at: later,
    };
    apply(&**store, &alice(), erased).await;
    let at = Stamp {
        at: later.plus(31 * DAY),
        entropy: &SystemEntropy,
    };
    let reaped = store.reap(&policy(), at).await.unwrap();
    assert_eq!(reaped.of(Kept::ErasedEnrolments), 1);
    assert_eq!(reaped.of(Kept::ExpiredConsents), 1);
    assert_eq!(store.reap(&policy(), at).await.unwrap().total(), 0);
}

#[test]
fn zero_days_mean_for_ever() {
    let forever = Policy {
        verdicts: 0,
        ..policy()
    };
    assert_eq!(forever.limit(Kept::Verdicts, NOW), None);
    assert!(forever.limit(Kept::Jobs, NOW).is_some());
}
