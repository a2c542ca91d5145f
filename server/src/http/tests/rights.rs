//! Rights of subjects: who may ask for what, what happens at once, and what an officer decides.

use std::io::{Cursor, Read as _};

use blindprint_core::{
    EnrolmentId, Nonce, RightsRequestId, SystemEntropy,
    statement::{Right, RightsDecision, RightsRequest},
    wire::{RightsRequestView, RightsState},
};
use blindprint_did::{SigningKey, sign, verify};
use serde_json::{Value, json};

use super::{
    Fixture,
    credentials::{enrolled, verdict},
    fixture::{Reply, service, wallet},
    wallets::met,
};
use crate::{
    domain::rights::{IdentityProof, Officer, OpenedBy, Wanted},
    store::CaseFilter,
};

const PATH: &str = "/v1/rights-requests";

fn request(key: &SigningKey, right: Right) -> RightsRequest {
    RightsRequest {
        sub: key.public().subject(),
        service: service(),
        id: RightsRequestId::random(&SystemEntropy),
        right,
        enrolment: None,
        challenge: None,
        text: None,
        iat: blindprint_core::UnixTime(1_800_000_000),
    }
}

async fn send(fixture: &Fixture, key: &SigningKey, request: &RightsRequest) -> Reply {
    let body = json!({ "request": sign(key, request).unwrap(), "erasure": null }).to_string();
    fixture.signed(key, "POST", PATH, &body).await
}

async fn open(fixture: &Fixture, key: &SigningKey, request: &RightsRequest) -> RightsRequestView {
    let reply = send(fixture, key, request).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    view(&reply)
}

fn view(reply: &Reply) -> RightsRequestView {
    serde_json::from_slice(&reply.body).unwrap()
}

async fn cancel(fixture: &Fixture, key: &SigningKey, id: RightsRequestId) -> Reply {
    let path = format!("{PATH}/{id}/cancellation");
    fixture.signed(key, "POST", &path, "").await
}

async fn authenticate(fixture: &Fixture, key: &SigningKey, enrolment: EnrolmentId) -> Reply {
    let body = json!({
        "enrolment": enrolment,
        "audience": "https://shop.example",
        "nonce": "12345678",
        "purpose": "authentication",
    });
    fixture
        .signed(key, "POST", "/v1/authentications", &body.to_string())
        .await
}

fn eve() -> Officer {
    Officer {
        name: "eve".to_owned(),
    }
}

#[tokio::test]
async fn a_restriction_holds_at_once_and_until_its_subject_lifts_it() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    assert_ne!(
        authenticate(&fixture, &key, enrolment).await.problem(),
        "processing-restricted"
    );
    let asked = request(&key, Right::Restriction);
    let opened = open(&fixture, &key, &asked).await;
    assert_eq!(
        (opened.state, opened.restricts),
        (RightsState::Fulfilled, true)
    );
    let again = send(&fixture, &key, &asked).await;
    assert_eq!(view(&again), opened, "the same statement opens one request");
    assert_eq!(
        authenticate(&fixture, &key, enrolment).await.problem(),
        "processing-restricted"
    );
    let lifted = view(&cancel(&fixture, &key, opened.id).await);
    assert_eq!(
        (lifted.state, lifted.restricts),
        (RightsState::Fulfilled, false)
    );
    assert_ne!(
        authenticate(&fixture, &key, enrolment).await.problem(),
        "processing-restricted"
    );
}

#[tokio::test]
async fn an_objection_is_lifted_by_an_officer_with_reasons() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let opened = open(&fixture, &key, &request(&key, Right::Objection)).await;
    assert_eq!(
        authenticate(&fixture, &key, enrolment).await.problem(),
        "processing-restricted"
    );
    let rights = &fixture.app.rights;
    assert!(
        rights.lift(&eve(), opened.id, String::new()).await.is_err(),
        "without reasons"
    );
    let lifted = rights
        .lift(&eve(), opened.id, "agreed on the phone".to_owned())
        .await
        .unwrap();
    assert!(!lifted.restricts());
    let told = lifted.view().history.pop().unwrap();
    assert_eq!(told.note.as_deref(), Some("agreed on the phone"));
}

#[tokio::test]
async fn requests_are_their_subjects_own() {
    let fixture = Fixture::new().await;
    let (alice, bob) = (wallet(), wallet());
    met(&fixture, &alice).await;
    met(&fixture, &bob).await;
    let asked = request(&alice, Right::Access);
    let opened = open(&fixture, &alice, &asked).await;
    for path in [
        format!("{PATH}/{}", opened.id),
        format!("{PATH}/{}/export", opened.id),
    ] {
        assert_eq!(
            fixture.signed(&bob, "GET", &path, "").await.problem(),
            "not-found",
            "{path}"
        );
        assert_eq!(
            fixture.signed(&alice, "GET", &path, "").await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(
        cancel(&fixture, &bob, opened.id).await.problem(),
        "not-found"
    );
    let theirs = fixture.signed(&bob, "GET", PATH, "").await.json();
    assert_eq!(theirs["requests"], json!([]));
    let body = json!({ "request": sign(&alice, &asked).unwrap() }).to_string();
    assert_eq!(
        fixture.signed(&bob, "POST", PATH, &body).await.problem(),
        "refused"
    );
    let stolen = RightsRequest {
        id: opened.id,
        ..request(&bob, Right::Access)
    };
    assert_eq!(send(&fixture, &bob, &stolen).await.problem(), "conflict");
    let stranger = wallet();
    let refused = send(&fixture, &stranger, &request(&stranger, Right::Access)).await;
    assert_eq!(refused.problem(), "not-found");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let positive = verdict(&fixture, &key, enrolment, true).await;
    let with = |right, enrolment, challenge, text: Option<&str>| RightsRequest {
        enrolment,
        challenge,
        text: text.map(str::to_owned),
        ..request(&key, right)
    };
    let nobodys = Some(EnrolmentId::random(&SystemEntropy));
    for (asked, problem) in [
        (with(Right::Review, None, None, None), "refused"),
        (with(Right::Review, None, Some(positive), None), "refused"),
        (
            with(
                Right::Review,
                None,
                Some(Nonce::random(&SystemEntropy)),
                None,
            ),
            "not-found",
        ),
        (with(Right::Access, None, Some(positive), None), "refused"),
        (with(Right::Access, Some(enrolment), None, None), "refused"),
        (with(Right::Rectification, None, None, None), "refused"),
        (with(Right::Rectification, nobodys, None, None), "not-found"),
        (with(Right::Erasure, nobodys, None, None), "not-found"),
        (with(Right::Access, None, None, Some("\u{7}")), "refused"),
        (
            with(Right::Access, None, None, Some(&"x".repeat(2001))),
            "refused",
        ),
    ] {
        assert_eq!(
            send(&fixture, &key, &asked).await.problem(),
            problem,
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn a_review_ends_in_a_signed_decision() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let challenge = verdict(&fixture, &key, enrolment, false).await;
    let asked = RightsRequest {
        challenge: Some(challenge),
        text: Some("It was me.".to_owned()),
        ..request(&key, Right::Review)
    };
    let opened = open(&fixture, &key, &asked).await;
    assert_eq!(
        opened.state,
        RightsState::Acknowledged,
        "nothing decides it but a person"
    );
    let rights = &fixture.app.rights;
    let extended = rights
        .extend(&eve(), opened.id, "the camera is looked at".to_owned())
        .await;
    assert!(extended.unwrap().due() > opened.due);
    assert!(
        rights
            .extend(&eve(), opened.id, "again".to_owned())
            .await
            .is_err()
    );
    let reasons = "the photographs show the same person".to_owned();
    rights
        .decide_review(&eve(), opened.id, true, reasons.clone())
        .await
        .unwrap();
    let path = format!("{PATH}/{}", opened.id);
    let decided = view(&fixture.signed(&key, "GET", &path, "").await);
    assert_eq!(decided.state, RightsState::Fulfilled);
    let decision = verify::<RightsDecision>(&decided.decision.unwrap()).unwrap();
    let issuer = fixture.app.public.credentials.issuer().now();
    let signer = issuer
        .credential_key(blindprint_did::KeyType::Ed25519)
        .public()
        .uri();
    assert_eq!(*decision.key(), signer);
    let word = decision.statement();
    assert_eq!(
        (word.granted, word.challenge, &word.reasons),
        (true, Some(challenge), &reasons)
    );
}

#[tokio::test]
async fn an_erasure_that_has_begun_goes_on_and_nothing_is_compared_meanwhile() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    // Without an enclave it is accepted and waits.
    let opened = open(&fixture, &key, &request(&key, Right::Erasure)).await;
    assert_eq!(
        (opened.state, opened.restricts),
        (RightsState::Accepted, true)
    );
    assert_eq!(
        authenticate(&fixture, &key, enrolment).await.problem(),
        "processing-restricted"
    );
    assert_eq!(
        cancel(&fixture, &key, opened.id).await.problem(),
        "conflict",
        "it has begun"
    );
    fixture.app.rights.tick().await.unwrap();
    let path = format!("{PATH}/{}", opened.id);
    let still = view(&fixture.signed(&key, "GET", &path, "").await);
    assert_eq!(
        still.state,
        RightsState::Accepted,
        "it is tried again until the enclave answers"
    );
}

#[tokio::test]
async fn an_officer_opens_requests_only_for_whom_they_know() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let negative = verdict(&fixture, &key, enrolment, false).await;
    let positive = verdict(&fixture, &key, enrolment, true).await;
    let rights = &fixture.app.rights;
    let subject = key.public().subject();
    let open = async |proof| {
        let wanted = Wanted {
            right: Right::Access,
            enrolment: None,
            challenge: None,
            text: None,
        };
        let by = OpenedBy::Officer {
            officer: eve(),
            proof,
        };
        rights.open(&subject, wanted, by).await
    };
    assert!(open(IdentityProof::Verdict(negative)).await.is_err());
    assert!(open(IdentityProof::Presentation(negative)).await.is_err());
    assert!(open(IdentityProof::OutOfBand(String::new())).await.is_err());
    let seen = IdentityProof::OutOfBand("showed a passport at the counter".to_owned());
    assert!(open(seen).await.is_ok());
    assert!(open(IdentityProof::Verdict(positive)).await.is_ok());
    fixture.clock.advance(86_401);
    assert!(
        open(IdentityProof::Verdict(positive)).await.is_err(),
        "a day old at most"
    );
    let (all, count) = rights.cases(&CaseFilter::default(), 0, 10).await.unwrap();
    assert_eq!((all.len(), count), (2, 2));
}

#[tokio::test]
async fn officers_are_reminded_once_at_each_time() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    let challenge = verdict(&fixture, &key, enrolment, false).await;
    let asked = RightsRequest {
        challenge: Some(challenge),
        ..request(&key, Right::Review)
    };
    let opened = open(&fixture, &key, &asked).await;
    let rights = &fixture.app.rights;
    let reminders = async || {
        rights.tick().await.unwrap();
        rights.tick().await.unwrap();
        let history = rights.case(opened.id).await.unwrap().view().history;
        let of = |note: &Option<String>| {
            note.as_ref()
                .is_some_and(|note| note.starts_with("reminder"))
        };
        history.iter().filter(|moment| of(&moment.note)).count()
    };
    assert_eq!(reminders().await, 0);
    fixture.clock.advance(20 * 86_400);
    assert_eq!(reminders().await, 1);
    fixture.clock.advance(9 * 86_400);
    assert_eq!(reminders().await, 2);
    fixture.clock.advance(86_400);
    assert_eq!(reminders().await, 2);
    fixture.clock.advance(5 * 86_400);
    assert_eq!(reminders().await, 2, "those that were missed are one");
    assert!(
        rights
            .case(opened.id)
            .await
            .unwrap()
            .is_overdue(blindprint_core::Clock::now(&*fixture.clock))
    );
}

fn files(archive: &[u8]) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[tokio::test]
async fn an_export_holds_everything_and_escapes_what_people_wrote() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let enrolment = enrolled(&fixture, &key).await;
    // More than one page of them.
    for _ in 0..501 {
        verdict(&fixture, &key, enrolment, true).await;
    }
    let asked = RightsRequest {
        text: Some("<script>alert(1)</script>".to_owned()),
        ..request(&key, Right::Portability)
    };
    let opened = open(&fixture, &key, &asked).await;
    assert!(opened.exportable);
    for language in ["en", "de", "fr", "es"] {
        let path = format!("{PATH}/{}/export?language={language}", opened.id);
        let reply = fixture.signed(&key, "GET", &path, "").await;
        assert_eq!(reply.headers["content-type"], "application/zip");
        let files = files(&reply.body);
        let file = |name: &str| &files.iter().find(|(known, _)| known == name).unwrap().1;
        assert_eq!(file("verdicts.jsonl").lines().count(), 501);
        let export: Value = serde_json::from_str(file("export.json")).unwrap();
        assert_eq!(export["subject"], json!(key.public().subject()));
        assert_eq!(export["verdicts"], 501);
        assert_eq!(export["enrolments"][0]["id"], json!(enrolment));
        let schema: Value = serde_json::from_str(file("export.schema.json")).unwrap();
        for required in schema["required"].as_array().unwrap() {
            assert!(
                export.get(required.as_str().unwrap()).is_some(),
                "{required}"
            );
        }
        for member in export.as_object().unwrap().keys() {
            assert!(
                schema["properties"].get(member).is_some(),
                "{member} is not described"
            );
        }
        let page = file("index.html");
        assert!(page.contains(&format!("lang=\"{language}\"")));
        assert!(
            !page.contains("<script") && page.contains("script"),
            "{page}"
        );
        let stem = export["consents"][0]["files"].as_str().unwrap();
        for ending in ["consent.jws", "record.jsonld", "receipt.jws"] {
            assert!(!file(&format!("{stem}.{ending}")).is_empty());
        }
        for line in file("log.jsonl").lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            assert!(
                entry["proof"]
                    .as_str()
                    .unwrap()
                    .starts_with("c2sp.org/tlog-proof@v1")
            );
        }
        assert!(file("log.jsonl").lines().count() > 0);
    }
}
