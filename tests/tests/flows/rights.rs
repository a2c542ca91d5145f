use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Entropy, SystemEntropy, problem::ProblemCode, statement::Right};
use blindprint_tests::{Person, Process, Service, block_on, insist};
use blindprint_wallet::{Asked, Erasing, Error, Materials, verify_erasure};
use serde_json::Value;

const REFUSALS: usize = 2;

/// What a relying party was sent.
#[derive(Default)]
struct Received {
    tries: usize,
    accepted: Vec<String>,
}

/// A relying party that cannot be reached well at first.
fn receive() -> (u16, Arc<Mutex<Received>>) {
    let received = Arc::new(Mutex::new(Received::default()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let state = Arc::clone(&received);
    thread::spawn(move || {
        block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let router = Router::new().route("/events", post(take)).with_state(state);
            axum::serve(listener, router).await.unwrap();
        });
    });
    (address.port(), received)
}

async fn take(State(received): State<Arc<Mutex<Received>>>, token: String) -> StatusCode {
    let mut received = received.lock().unwrap();
    received.tries += 1;
    if received.tries <= REFUSALS {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    received.accepted.push(token);
    StatusCode::ACCEPTED
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Kills processes at random until `done`.
fn kill_until(service: &mut Service, done: impl Fn() -> bool) -> u32 {
    let mut kills = 0;
    while !done() {
        let [wait, victim] = (&SystemEntropy as &dyn Entropy).bytes::<2>();
        thread::sleep(Duration::from_millis(10 * u64::from(wait)));
        if victim % 3 == 0 {
            service.kill(Process::Enclave);
        } else {
            service.kill(Process::Server);
            service.launch_again();
        }
        kills += 1;
    }
    service.wait();
    kills
}

/// That no file below a folder holds `text`.
fn nowhere(folder: &Path, text: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            nowhere(&path, text);
        } else if let Ok(bytes) = fs::read(&path) {
            let found = bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes());
            assert!(!found, "{} names {text}", path.display());
        }
    }
}

#[test]
fn an_erasure_is_proved_and_told_and_leaves_nothing_whatever_is_killed() {
    let (port, received) = receive();
    let allow = format!("egress.allow=[\"localhost:{port}\"]");
    let mut service = Service::start_with(None, &[&allow]);
    let materials = Arc::new(Materials::in_memory());
    let invitation = service.invitation(3);
    let webhook = format!("http://localhost:{port}/events");
    service.operate(&[
        "relying-party",
        "add",
        "Shop",
        "--audience",
        "https://shop.example",
        "--webhook",
        &webhook,
    ]);
    let mut person = block_on(Person::new("L001", &service, &materials));
    block_on(async {
        person.consent(&invitation).await.unwrap();
        person.enrol(&invitation).await.unwrap();
        assert!(person.show_themselves().await.unwrap().verdict.matched);
    });
    let subject = person.wallet.subject().to_string();

    let (mut person, kills) = thread::scope(|scope| {
        let erasing = scope.spawn(move || {
            let done = block_on(insist(&mut person, async |me| {
                match me.wallet.erase_everything().await? {
                    // It goes on by itself.
                    Erasing::Waiting { .. } | Erasing::CoolingOff { .. } => {
                        Err(Error::Busy { retry_after: 1 })
                    }
                    done @ Erasing::Done(_) => Ok(done),
                }
            }));
            assert!(matches!(&done, Erasing::Done(word)
                if word.notified == 1 && word.enrolments.len() == 1 && word.data_keys_destroyed > 0));
            person
        });
        let kills = kill_until(&mut service, || erasing.is_finished());
        (erasing.join().unwrap(), kills)
    });
    eprintln!("{kills} kills");

    // Proved to anybody, offline.
    let kept = person.wallet.erasure_proof().unwrap();
    verify_erasure(&kept.proof, &kept.keys).unwrap();
    let mut forged = kept.clone();
    forged.keys.subject = "did:key:z6MkSomebodyElse".parse().unwrap();
    assert!(verify_erasure(&forged.proof, &forged.keys).is_err());
    assert!(person.wallet.enrolments().is_empty());

    // Told, once it could be.
    let deadline = Instant::now() + Duration::from_mins(2);
    while received.lock().unwrap().accepted.is_empty() {
        assert!(
            Instant::now() < deadline,
            "nobody was told:\n{}",
            service.log()
        );
        thread::sleep(Duration::from_millis(200));
    }
    {
        let received = received.lock().unwrap();
        assert!(received.tries > REFUSALS);
        let token = &received.accepted[0];
        let (header, claims) = (part(token, 0), part(token, 1));
        assert_eq!(header["typ"], "secevent+jwt");
        assert_eq!(claims["aud"], "https://shop.example");
        assert_eq!(claims["sub_id"]["url"], subject.as_str());
        let event = "https://schemas.openid.net/secevent/risc/event-type/account-purged";
        assert!(claims["events"].get(event).is_some(), "{claims}");
        let document = block_on(service.client().did_document()).unwrap();
        let methods = document["verificationMethod"].as_array().unwrap();
        let own = |method: &Value| method["id"] == header["kid"];
        assert!(methods.iter().any(own), "{header} is not in {document}");
    }
    // The event has arrived: now nothing names the subject any more.
    thread::sleep(Duration::from_secs(2));
    service.kill(Process::Server);
    service.launch_again();
    service.wait();
    let data = service.trust_file();
    nowhere(data.parent().unwrap(), &subject);
    nowhere(data.parent().unwrap(), subject.rsplit(':').next().unwrap());
    assert!(!service.log().contains(&subject), "{}", service.log());
    assert!(!service.log().contains("panicked"), "{}", service.log());

    // For some minutes no consent brings the same subject back: it could be one from before. The person
    // may come again at once under another name.
    block_on(async {
        assert!(person.consent(&invitation).await.is_err());
        let mut again = Person::new("L001", &service, &materials).await;
        again.consent(&invitation).await.unwrap();
        again.enrol(&invitation).await.unwrap();
        assert!(again.show_themselves().await.unwrap().verdict.matched);
    });
}

#[test]
fn while_an_erasure_cools_off_nothing_is_compared_and_it_can_be_taken_back() {
    let service = Service::start_with(None, &["rights.cooling_off_hours=1"]);
    let materials = Arc::new(Materials::in_memory());
    let invitation = service.invitation(1);
    block_on(async {
        let mut person = Person::new("L001", &service, &materials).await;
        person.consent(&invitation).await.unwrap();
        person.enrol(&invitation).await.unwrap();
        let erasing = person.wallet.erase_everything().await.unwrap();
        let Erasing::CoolingOff { request, .. } = erasing else {
            panic!("{erasing:?}");
        };
        let restricted = person.show_themselves().await.unwrap_err();
        assert!(
            restricted.is(ProblemCode::ProcessingRestricted),
            "{restricted:?}"
        );
        let again = person.wallet.erase_everything().await.unwrap();
        assert_eq!(again, erasing, "asking again changes nothing");
        person.wallet.cancel_request(request).await.unwrap();
        assert!(person.show_themselves().await.unwrap().verdict.matched);

        let objection = Asked {
            right: Right::Objection,
            enrolment: None,
            challenge: None,
            text: Some("not this week".to_owned()),
        };
        let objection = person.wallet.ask(objection).await.unwrap();
        assert!(objection.restricts);
        assert!(person.show_themselves().await.is_err());
        let lifted = person.wallet.cancel_request(objection.id).await.unwrap();
        assert!(!lifted.restricts);

        let archive = person.folder.path().join("mine.zip");
        person
            .wallet
            .export_data(&archive, None, "de")
            .await
            .unwrap();
        let bytes = fs::read(&archive).unwrap();
        assert!(bytes.starts_with(b"PK"), "not a ZIP");
        let all = person.wallet.rights_requests().await.unwrap();
        assert_eq!(all.len(), 3);
    });
    let report = service.operate(&["retention", "--dry-run", "--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["dry_run"], true);
    assert!(
        report["lines"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["deleted"] == 0)
    );
}
