//! Consent from the notice to its end, with real processes: what is refused, shared, over or outdated makes
//! no verdict.

use std::{fs, path::Path, sync::Arc, thread, time::Duration};

use blindprint_core::{
    Audience, Clock as _, SystemClock,
    statement::{ConsentState, Purpose},
    wire::ConsentSummary,
};
use blindprint_tests::{Person, Process, Service, block_on};
use blindprint_wallet::{Error, LinkKind, Materials, Result};

const DAY: i64 = 86_400;

#[test]
fn only_what_was_agreed_to_is_done() {
    let service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    let invitation = service.invitation(3);
    let mut bob = block_on(Person::new("L002", &service, &materials));
    block_on(async {
        bob.consent_for(25, &invitation).await.unwrap();
        bob.enrol(&invitation).await.unwrap();
    });
    let mut alice = block_on(Person::new("L001", &service, &materials));
    block_on(a_refusal_is_recorded_and_binds(&mut alice, &invitation));
    block_on(what_is_agreed_to_is_on_record(&mut alice, &invitation));
    block_on(sharing_takes_a_consent_for_that_party(&mut alice));
    block_on(a_withdrawal_ends_it(&mut alice));
    block_on(time_ends_it(&bob));
}

async fn a_refusal_is_recorded_and_binds(alice: &mut Person, invitation: &str) {
    let notice = alice
        .wallet
        .notice(Purpose::Authentication, "es")
        .await
        .unwrap();
    assert_eq!(notice.summary.language, "es");
    let refused = alice
        .wallet
        .refuse_consent(&notice, Some(invitation))
        .await
        .unwrap();
    assert_eq!(refused.state, ConsentState::Refused);
    let known = consents(alice).await;
    assert_eq!(known[0].state, ConsentState::Refused);
    let enrolled = alice.enrol(invitation).await;
    assert!(matches!(enrolled, Err(Error::NoConsent)), "{enrolled:?}");
}

async fn what_is_agreed_to_is_on_record(alice: &mut Person, invitation: &str) {
    let notice = alice
        .wallet
        .notice(Purpose::Authentication, "de")
        .await
        .unwrap();
    let given = alice
        .wallet
        .give_consent(&notice, 30 * DAY, Some(invitation))
        .await
        .unwrap();
    alice.enrol(invitation).await.unwrap();
    assert!(alice.show_themselves().await.unwrap().verdict.matched);
    let kept = alice.wallet.consent_record(given.id).await.unwrap();
    assert_eq!(kept.record["dpv:hasNotice"]["dct:language"], "de");
    assert_eq!(
        kept.record["dpv:hasDataSubject"]["@id"],
        alice.wallet.subject().as_str()
    );
    let history = alice.wallet.consent_history().await.unwrap();
    let kinds: Vec<LinkKind> = history.links.iter().map(|link| link.kind).collect();
    assert_eq!(kinds, [LinkKind::Refused, LinkKind::Given]);
    assert!(history.from_the_beginning && history.links.iter().all(|link| link.own));
}

async fn sharing_takes_a_consent_for_that_party(alice: &mut Person) {
    let shop: Audience = "https://shop.example".parse().unwrap();
    assert_no_consent(&share(alice, &shop).await);
    let notice = alice.wallet.sharing_notice(&shop, "fr").await.unwrap();
    assert!(
        notice.text.contains("https://shop.example"),
        "{}",
        notice.text
    );
    let given = alice.wallet.give_consent(&notice, DAY, None).await.unwrap();
    assert!(share(alice, &shop).await.unwrap());
    assert_no_consent(&share(alice, &"https://bank.example".parse().unwrap()).await);
    alice.wallet.withdraw(given.id).await.unwrap();
    assert_no_consent(&share(alice, &shop).await);
    assert!(alice.show_themselves().await.unwrap().verdict.matched);
}

async fn a_withdrawal_ends_it(alice: &mut Person) {
    let consent = alice
        .wallet
        .consents()
        .into_iter()
        .find(|consent| consent.live)
        .unwrap();
    let enrolment = alice.enrolled().unwrap();
    let audience = "https://shop.example".parse().unwrap();
    let nonce = "81f3a2c4e5".to_owned();
    let challenged = alice
        .wallet
        .challenge(enrolment, audience, nonce)
        .await
        .unwrap();
    let capture = alice.capture(2);
    let probe = alice
        .wallet
        .prepare_probe(&challenged, capture, &())
        .await
        .unwrap();
    alice.wallet.withdraw(consent.id).await.unwrap();
    let client = alice.wallet.client();
    let challenge = &challenged.challenge.challenge;
    let sent = client.submit_probe(
        alice.wallet.signer(),
        challenge,
        &probe.statement,
        probe.submission,
    );
    assert!(sent.await.is_err(), "a verdict after the withdrawal");
    let history = alice.wallet.consent_history().await.unwrap();
    let kinds: Vec<LinkKind> = history.links.iter().map(|link| link.kind).collect();
    let (given, withdrawn) = (LinkKind::Given, LinkKind::Withdrawn);
    assert_eq!(
        kinds,
        [LinkKind::Refused, given, given, withdrawn, withdrawn]
    );
}

async fn time_ends_it(bob: &Person) {
    let consent = bob.wallet.consents().remove(0);
    while SystemClock.now() < consent.expires {
        thread::sleep(Duration::from_millis(200));
    }
    let refused = bob.show_themselves().await;
    assert!(matches!(refused, Err(Error::NoConsent)), "{refused:?}");
    assert_eq!(consents(bob).await[0].state, ConsentState::Expired);
}

#[test]
fn a_notice_that_changed_materially_has_to_be_agreed_to_again() {
    let mut service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    let invitation = service.invitation(1);
    let mut alice = block_on(Person::new("L001", &service, &materials));
    block_on(async {
        alice.consent(&invitation).await.unwrap();
        alice.enrol(&invitation).await.unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    write_second_version(folder.path(), "You are asked once more.");
    let notices = format!("controller.notices={}", folder.path().display());

    service.restart_with(&[&notices]);
    block_on(async {
        let consent = consents(&alice).await.remove(0);
        let by = consent.reconsent_by.unwrap();
        assert_eq!(consent.state, ConsentState::Given);
        assert!(alice.show_themselves().await.unwrap().verdict.matched);
        // A month after the second version, which came on 2026-11-02.
        assert_eq!(by.0, 1_793_577_600 + 30 * DAY);
    });

    service.restart_with(&["controller.reconsent_days=0"]);
    block_on(async {
        while consents(&alice).await[0].state != ConsentState::Invalidated {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let refused = alice.show_themselves().await;
        assert!(matches!(refused, Err(Error::NoConsent)), "{refused:?}");
        let notice = alice
            .wallet
            .notice(Purpose::Authentication, "en")
            .await
            .unwrap();
        assert_eq!(notice.summary.version, 2);
        alice.wallet.give_consent(&notice, DAY, None).await.unwrap();
        let again = alice.show_themselves().await.unwrap();
        assert!(again.verdict.matched, "the template waited");
    });

    write_second_version(folder.path(), "You are asked something else.");
    service.kill(Process::Server);
    service.launch_again();
    let log = service.fails_to_start();
    assert!(
        log.contains("authentication-2.de was changed after it was published"),
        "{log}"
    );
}

async fn share(person: &Person, audience: &Audience) -> Result<bool> {
    let nonce = "81f3a2c4e5".to_owned();
    let capture = person.capture(2);
    let shared = person
        .wallet
        .authenticate_to_share(capture, None, audience.clone(), nonce, &())
        .await?;
    assert_eq!(shared.verdict.purpose, Purpose::Sharing);
    Ok(shared.verdict.matched)
}

fn assert_no_consent<T: std::fmt::Debug>(outcome: &Result<T>) {
    assert!(matches!(outcome, Err(Error::NoConsent)), "{outcome:?}");
}

/// What the service says of a person's consents, newest first.
async fn consents(person: &Person) -> Vec<ConsentSummary> {
    person.wallet.status().await.unwrap().consents
}

/// The second version of the notice about authentication, in every language.
fn write_second_version(folder: &Path, says: &str) {
    let first = Path::new(env!("CARGO_MANIFEST_DIR")).join("../consent/notices");
    for language in ["en", "de", "fr", "es"] {
        let text =
            fs::read_to_string(first.join(format!("authentication-1.{language}.md"))).unwrap();
        let second = text
            .replace("version: 1", "version: 2")
            .replace("published: 2026-11-01", "published: 2026-11-02")
            .replace("supersedes: none", "supersedes: 1");
        let file = folder.join(format!("authentication-2.{language}.md"));
        fs::write(file, format!("{second}\n{says}\n")).unwrap();
    }
}
