//! Notices, and consents that say what the notice and the service say. The enclave does not answer here:
//! what passes every check is "unavailable".

use axum::{body::Body, http::Request};
use blindprint_consent::record;
use blindprint_core::{
    Clock as _, Digest, Jws, SystemEntropy,
    consent::Decision,
    statement::{Consent, Purpose},
    wire::Recipient,
};
use blindprint_did::{SigningKey, sign};
use serde_json::{Value, json};

use super::{
    Fixture,
    fixture::{OPERATOR, wallet},
    wallets::{consent, finish, met},
};
use crate::{
    domain::relying_parties::{NewRelyingParty, add_relying_party},
    domain::{Altered, Notices, PublishedFile, record::Effect},
    store::{NoticeStore as _, SubjectStore as _},
};

const SHOP: &str = "https://shop.example";

fn shop() -> Recipient {
    Recipient {
        audience: SHOP.parse().unwrap(),
        name: SHOP.to_owned(),
    }
}

/// Gives a consent with this record, as somebody whom the service knows.
async fn answer(fixture: &Fixture, key: &SigningKey, consent: &Consent, record: &Value) -> String {
    let jws = sign(key, consent).unwrap();
    let body = json!({ "consent": jws, "record": record }).to_string();
    let reply = fixture.signed(key, "POST", "/v1/consents", &body).await;
    reply.problem()
}

/// Signs for the record that belongs to this consent.
fn recorded(fixture: &Fixture, mut consent: Consent) -> (Consent, Value) {
    let record = fixture.record(&consent);
    consent.record = record::digest(&record).unwrap();
    (consent, record)
}

#[tokio::test]
async fn every_notice_is_listed_and_read_in_every_language() {
    let fixture = Fixture::new().await;
    for (query, expected) in [("", 8), ("?audience=https%3A%2F%2Fshop.example", 12)] {
        let list = fixture.get(&format!("/v1/notices{query}")).await.json();
        let notices = list["notices"].as_array().unwrap();
        assert_eq!(notices.len(), expected);
        for notice in notices {
            let digest = notice["digest"].as_str().unwrap();
            let reply = fixture.get(&format!("/v1/notices/{digest}{query}")).await;
            let text = String::from_utf8(reply.body).unwrap();
            let found = Digest::of("blindprint/notice/v1", text.as_bytes());
            assert_eq!(found.to_string(), digest);
            assert_eq!(
                reply.headers["content-language"],
                notice["language"].as_str().unwrap()
            );
            let sharing = notice["purpose"] == "sharing";
            assert_eq!(text.contains(SHOP), sharing, "{text}");
            assert_eq!(notice["offered"], notice["purpose"] != "uniqueness");
        }
    }
    let unknown = format!("/v1/notices/{}", "A".repeat(43));
    assert_eq!(fixture.get(&unknown).await.problem(), "not-found");
    let strange = fixture.get("/v1/notices?audience=").await;
    assert_eq!(strange.problem(), "malformed-request");
    assert_eq!(
        fixture.get("/v1/notices?nobody=1").await.problem(),
        "malformed-request"
    );
}

#[tokio::test]
async fn a_registered_relying_party_is_called_by_its_name() {
    let fixture = Fixture::new().await;
    let known = NewRelyingParty {
        name: "The Shop".to_owned(),
        audience: SHOP.parse().unwrap(),
        webhook: None,
        contact: None,
        notes: None,
    };
    add_relying_party(&*fixture.store, known, &SystemEntropy, fixture.clock.now())
        .await
        .unwrap();
    let list = fixture
        .get(&format!("/v1/notices?audience={SHOP}"))
        .await
        .json();
    let notices = list["notices"].as_array().unwrap();
    let sharing = notices
        .iter()
        .find(|it| it["purpose"] == "sharing")
        .unwrap();
    assert_eq!(sharing["recipient"]["name"], "The Shop");
    assert!(
        sharing["title"].as_str().unwrap().contains("The Shop"),
        "{sharing}"
    );
}

#[tokio::test]
async fn consents_and_refusals_of_what_is_offered_reach_the_enclave() {
    let fixture = Fixture::new().await;
    let key = wallet();
    met(&fixture, &key).await;
    let (mine, _) = consent(&fixture, &key);
    let refusal = Consent {
        decision: Decision::Refused,
        expires: mine.given,
        ..mine.clone()
    };
    let sharing = Consent {
        purpose: Purpose::Sharing,
        recipient: Some(SHOP.parse().unwrap()),
        notice: fixture.notice(Purpose::Sharing, "fr", Some(&shop())).digest,
        ..mine.clone()
    };
    for consent in [mine, refusal, sharing] {
        let (consent, record) = recorded(&fixture, consent);
        assert_eq!(
            answer(&fixture, &key, &consent, &record).await,
            "unavailable"
        );
    }
}

#[tokio::test]
async fn a_consent_that_says_other_than_its_notice_is_refused() {
    let fixture = Fixture::new().await;
    let key = wallet();
    met(&fixture, &key).await;
    let (mine, _) = consent(&fixture, &key);
    let longest = 730 * 86_400;
    let too_long = Consent {
        expires: mine.given.plus(longest + 1),
        ..mine.clone()
    };
    let not_offered = Consent {
        purpose: Purpose::Uniqueness,
        notice: fixture.notice(Purpose::Uniqueness, "en", None).digest,
        ..mine.clone()
    };
    for consent in [too_long, not_offered] {
        let (consent, record) = recorded(&fixture, consent);
        assert_eq!(answer(&fixture, &key, &consent, &record).await, "refused");
    }
    let (fine, record) = recorded(&fixture, mine.clone());
    let about_another = Consent {
        notice: fixture.notice(Purpose::Uniqueness, "en", None).digest,
        ..fine.clone()
    };
    let unknown = Consent {
        notice: Digest::of("test", b""),
        ..fine.clone()
    };
    let shared_with_nobody = Consent {
        purpose: Purpose::Sharing,
        ..fine.clone()
    };
    let with_somebody = Consent {
        recipient: Some(SHOP.parse().unwrap()),
        ..fine.clone()
    };
    let shared_with_another = Consent {
        purpose: Purpose::Sharing,
        recipient: Some("https://bank.example".parse().unwrap()),
        notice: fixture.notice(Purpose::Sharing, "en", Some(&shop())).digest,
        ..fine.clone()
    };
    for (consent, problem) in [
        (about_another, "refused"),
        (unknown, "refused"),
        (shared_with_nobody, "malformed-submission"),
        (with_somebody, "malformed-submission"),
        (shared_with_another, "refused"),
    ] {
        assert_eq!(answer(&fixture, &key, &consent, &record).await, problem);
    }
}

#[tokio::test]
async fn a_record_that_is_not_the_services_own_is_refused() {
    let fixture = Fixture::new().await;
    let key = wallet();
    met(&fixture, &key).await;
    let (mine, _) = consent(&fixture, &key);
    let (fine, record) = recorded(&fixture, mine);
    let with = |pointer: &str, value: Value| {
        let mut record = record.clone();
        *record.pointer_mut(pointer).unwrap() = value;
        record
    };
    let mut more = record.clone();
    more["dpv:hasConsequence"] = json!("none");
    let spoilt = [
        json!({}),
        json!(null),
        more,
        with("/dpv:hasDataController/dpv:hasName", json!("Somebody else")),
        with("/dpv:hasProcess/dpv:hasPurpose", json!(["dpv:Marketing"])),
        with("/dpv:hasNotice/dct:language", json!("de")),
        with(
            "/dpv:hasConsentStatus/dpv:isIndicatedAtTime",
            json!("2027-01-15T08:00:01Z"),
        ),
    ];
    for record in spoilt {
        // Whether or not the wallet signed for it.
        assert_eq!(answer(&fixture, &key, &fine, &record).await, "refused");
        let signed_for = Consent {
            record: record::digest(&record).unwrap(),
            ..fine.clone()
        };
        assert_eq!(
            answer(&fixture, &key, &signed_for, &record).await,
            "refused"
        );
    }
    let other = Consent {
        record: Digest::of("test", b""),
        ..fine
    };
    assert_eq!(answer(&fixture, &key, &other, &record).await, "refused");
}

#[tokio::test]
async fn a_record_is_served_with_its_proof_to_its_subject_alone() {
    let fixture = Fixture::new().await;
    let (key, stranger) = (wallet(), wallet());
    let (mine, jws) = consent(&fixture, &key);
    let record = fixture.record(&mine);
    let receipt: Jws = "a.b.c".parse().unwrap();
    let given = Effect::ConsentGiven {
        record: blindprint_did::jws_digest(&jws),
        key: key.public().uri(),
        document: record.to_string(),
        head: Digest::of("head", b""),
        handle: blindprint_core::Nonce::random(&SystemEntropy),
        receipt: receipt.clone(),
        jws: jws.clone(),
        consent: mine.clone(),
    };
    finish(&fixture, &key, given).await;
    met(&fixture, &stranger).await;
    let path = format!("/v1/consents/{}/record", mine.id);
    let reply = fixture.signed(&key, "GET", &path, "").await.json();
    assert_eq!(reply["record"], record);
    assert_eq!(reply["consent"], jws.as_str());
    assert_eq!(reply["consent_receipt"], receipt.as_str());
    assert_eq!(reply["withdrawal"], Value::Null);
    assert_eq!(reply["receipt"]["@type"], "dpv:ConsentReceipt");
    let states = |reply: &Value| {
        let events = reply["receipt"]["dpv:hasConsentStatus"]
            .as_array()
            .unwrap()
            .clone();
        events
            .iter()
            .map(|event| event["@type"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(&reply), ["dpv:ConsentGiven"]);
    let others = fixture.signed(&stranger, "GET", &path, "").await;
    assert_eq!(others.problem(), "not-found");

    fixture.clock.advance(86_400);
    let reply = fixture.signed(&key, "GET", &path, "").await.json();
    assert_eq!(states(&reply), ["dpv:ConsentGiven", "dpv:ConsentExpired"]);
    let list = fixture.signed(&key, "GET", "/v1/consents", "").await.json();
    assert_eq!(list["consents"][0]["state"], "expired");
    assert_eq!(list["consents"][0]["reconsent_by"], Value::Null);
}

#[tokio::test]
async fn what_lapses_is_written_down_without_the_enclave() {
    let fixture = Fixture::new().await;
    let key = wallet();
    met(&fixture, &key).await;
    let service = &fixture.app.service;
    assert_eq!(service.end_what_lapsed().await.unwrap(), 0);
    fixture.clock.advance(86_400);
    assert_eq!(service.end_what_lapsed().await.unwrap(), 1);
    assert_eq!(service.end_what_lapsed().await.unwrap(), 0);
    let known = fixture
        .store
        .consents_of(&key.public().subject())
        .await
        .unwrap();
    assert_eq!(known.len(), 1);
}

#[tokio::test]
async fn the_controller_is_named_to_everybody() {
    let fixture = Fixture::new().await;
    // The rest of the document is the enclave's to say.
    assert_eq!(fixture.get("/v1/service").await.problem(), "unavailable");
    let notices: &Notices = fixture.app.service.notices();
    assert_eq!(notices.controller().name, "id.example.org");
}

#[tokio::test]
async fn the_record_of_processing_is_for_operators_and_for_people() {
    let fixture = Fixture::new().await;
    let path = "/v1/processing-record";
    assert_eq!(fixture.get(path).await.problem(), "operator-only");
    let record = fixture.operate("GET", path, "", None).await;
    assert_eq!(record.headers["content-type"], "application/ld+json");
    assert_eq!(record.json()["@type"], "dpv:DataProcessingRecord");
    let request = Request::get(path)
        .header("authorization", format!("Bearer {OPERATOR}"))
        .header("accept", "text/markdown")
        .body(Body::empty())
        .unwrap();
    let reply = fixture.send(request).await;
    assert_eq!(
        reply.headers["content-type"],
        "text/markdown; charset=utf-8"
    );
    let text = String::from_utf8(reply.body).unwrap();
    assert!(
        text.starts_with("# Record of processing activities"),
        "{text}"
    );
}

#[tokio::test]
async fn a_notice_that_was_changed_after_its_publication_keeps_the_service_from_starting() {
    let fixture = Fixture::new().await;
    let service = &fixture.app.service;
    service.publish_notices().await.unwrap();
    service.publish_notices().await.unwrap();
    let removed = PublishedFile {
        name: "authentication-0.en".to_owned(),
        digest: Digest::of("test", b""),
        published: fixture.clock.now(),
    };
    let embedded = fixture
        .store
        .publish_notices(std::slice::from_ref(&removed))
        .await
        .unwrap();
    assert_eq!(embedded.len(), 12, "{embedded:?}");
    assert!(matches!(embedded[0], Altered::Removed(_)));

    let other = Fixture::new().await;
    other.store.publish_notices(&[removed]).await.unwrap();
    let error = other
        .app
        .service
        .publish_notices()
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("authentication-0.en is missing"), "{error}");
    assert!(error.contains("restore the file"), "{error}");
}
