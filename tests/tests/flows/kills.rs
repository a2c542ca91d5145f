use std::{
    sync::Arc,
    thread::{self, ScopedJoinHandle},
    time::Duration,
};

use blindprint_core::{Entropy, Jws, Nonce, SystemEntropy};
use blindprint_tests::{Person, Process, Service, block_on, capture, insist};
use blindprint_wallet::{Error, Materials, Result};

const PEOPLE: [&str; 3] = ["L001", "L002", "L003"];

/// Somebody, and the verdicts that they were told.
struct Told {
    person: Person,
    verdicts: Vec<(Nonce, Jws)>,
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kills_at_any_moment() {
    let mut service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    // Twice for everybody: a use that is lost stops one of them, a use that is doubled lets in the
    // newcomer.
    let invitation = service.invitation(6);
    let people = PEOPLE.map(|label| block_on(Person::new(label, &service, &materials)));
    let told = thread::scope(|scope| {
        let mut lives: Vec<_> = people
            .into_iter()
            .map(|person| scope.spawn(|| block_on(live(person, &invitation))))
            .collect();
        let kills = kill_until_over(&mut service, &lives);
        assert!(kills >= 3, "the lives were over after {kills} kills");
        lives
            .drain(..)
            .map(|life| life.join().unwrap())
            .collect::<Vec<_>>()
    });
    for told in told {
        block_on(holds(told));
    }
    let mut newcomer = block_on(Person::new("L004", &service, &materials));
    let refused = block_on(newcomer.consent(&invitation));
    assert!(
        matches!(refused, Err(Error::InvitationNeeded)),
        "{refused:?}"
    );
    assert!(!service.log().contains("panicked"), "{}", service.log());
}

/// Each process once, soon; then any of them at any time.
fn kill_until_over<T>(service: &mut Service, lives: &[ScopedJoinHandle<'_, T>]) -> u32 {
    let mut kills = 0;
    while !lives.iter().all(ScopedJoinHandle::is_finished) {
        let [wait, chance] = (&SystemEntropy as &dyn Entropy).bytes::<2>();
        // What takes a comparison gets through between two of the later ones on slow machines too.
        let (pause, victim) = if kills < 3 {
            (500, kills)
        } else {
            (3_000, u32::from(chance) % 3)
        };
        thread::sleep(Duration::from_millis(pause + 20 * u64::from(wait)));
        match victim {
            0 => {
                service.kill(Process::Server);
                service.launch_again();
            }
            1 => service.kill(Process::Enclave),
            _ => service.kill(Process::Matcher),
        }
        kills += 1;
    }
    service.wait();
    kills
}

/// Everything that a wallet does, each again and again until it is acknowledged.
async fn live(mut person: Person, invitation: &str) -> Told {
    let me = &mut person;
    insist(me, async |me| consents(me, invitation).await).await;
    insist(me, async |me| enrols(me, invitation).await).await;
    let other = insist(me, async |me| me.show(capture("L005_1")).await).await;
    assert!(!other.verdict.matched);
    let first = me.enrolled().unwrap();
    insist(me, async |me| me.wallet.erase(first).await).await;
    insist(me, async |me| enrols(me, invitation).await).await;
    insist(me, async |me| me.wallet.rotate().await).await;
    let same = insist(me, async |me| me.show_themselves().await).await;
    assert!(same.verdict.matched);
    let verdicts = [other, same].map(|shown| (shown.verdict.challenge, shown.jws));
    Told {
        person,
        verdicts: verdicts.into(),
    }
}

/// An earlier try may have arrived.
async fn consents(person: &mut Person, invitation: &str) -> Result<()> {
    person.wallet.reconcile().await?;
    if !person.wallet.consents().iter().any(|consent| consent.live) {
        person.consent(invitation).await?;
    }
    Ok(())
}

/// An earlier try may have arrived.
async fn enrols(person: &mut Person, invitation: &str) -> Result<()> {
    person.wallet.reconcile().await?;
    if person.enrolled().is_none() {
        person.enrol(invitation).await?;
    }
    Ok(())
}

/// All that was acknowledged is so, once.
async fn holds(told: Told) {
    let Told { person, verdicts } = told;
    let status = person.wallet.status().await.unwrap();
    let ids: Vec<_> = status
        .enrolments
        .iter()
        .map(|enrolment| enrolment.id)
        .collect();
    assert_eq!(
        ids,
        [person.enrolled().unwrap()],
        "one enrolment, and the second"
    );
    for (challenge, verdict) in verdicts {
        let again = person
            .wallet
            .client()
            .verdict(person.wallet.signer(), &challenge)
            .await;
        assert_eq!(again.unwrap(), verdict);
    }
    let same = person.show_themselves().await.unwrap();
    assert!(same.verdict.matched);
    is_logged(person).await;
}

/// Everything is in the log, once.
async fn is_logged(mut person: Person) {
    let verdicts = person.wallet.status().await.unwrap().verdicts;
    let report = person.wallet.verify_log(true, &[]).await.unwrap();
    let logged = |kind: &str| report.own.iter().filter(|event| event.kind == kind).count();
    for (kind, times) in [
        ("consent.given", 1),
        ("enrolment.registered", 2),
        ("enrolment.erased", 1),
        ("key.changed", 1),
    ] {
        assert_eq!(logged(kind), times, "{kind}: {:?}", report.own);
    }
    assert_eq!(logged("verdict") as u64, verdicts);
}
