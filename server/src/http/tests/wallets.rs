use axum::{body::Body, http::Request};
use blindprint_consent::record;
use blindprint_core::{
    Clock as _, ConsentId, Digest, Jws, Nonce, SystemEntropy,
    consent::Decision,
    statement::{Consent, Purpose},
};
use blindprint_did::{SigningKey, jws_digest, sign};

use super::{
    Fixture,
    fixture::{ENROLMENT_KEY, Forgery, service, stamp, wallet},
};
use crate::{
    domain::record::{Effect, SubjectKeys},
    store::{OperationStore as _, RequestStore as _, Store as _},
};

const ME: &str = "/v1/subjects/me";

pub(super) fn consent(fixture: &Fixture, key: &SigningKey) -> (Consent, Jws) {
    let mut consent = Consent {
        id: ConsentId::random(&SystemEntropy),
        sub: key.public().subject(),
        service: service(),
        decision: Decision::Given,
        purpose: Purpose::Authentication,
        recipient: None,
        notice: fixture.notice(Purpose::Authentication, "en", None).digest,
        record: Digest::of("record", b""),
        previous: None,
        given: fixture.clock.now(),
        expires: fixture.clock.now().plus(86_400),
    };
    consent.record = record::digest(&fixture.record(&consent)).unwrap();
    let jws = sign(key, &consent).unwrap();
    (consent, jws)
}

/// What the store holds once the enclave took note of a first consent.
pub(super) async fn met(fixture: &Fixture, key: &SigningKey) {
    let (consent, jws) = consent(fixture, key);
    let effect = Effect::ConsentGiven {
        record: jws_digest(&jws),
        key: key.public().uri(),
        document: fixture.record(&consent).to_string(),
        head: Digest::of("head", b""),
        handle: Nonce::random(&SystemEntropy),
        receipt: jws.clone(),
        jws,
        consent,
    };
    finish(fixture, key, effect).await;
}

pub(super) async fn finish(fixture: &Fixture, key: &SigningKey, effect: Effect) {
    let store = &fixture.store;
    let subject = key.public().subject();
    let sequence = store
        .begin_operation(&subject, b"", fixture.clock.now())
        .await
        .unwrap();
    store
        .finish_operation(sequence, &[effect], &[], stamp())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_stranger_is_answered_like_anybody_else_with_nothing() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let reply = fixture.signed(&key, "GET", ME, "").await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    assert_eq!(body["subject"], key.public().subject().as_str());
    assert_eq!(body["pinned_key"], serde_json::Value::Null);
    assert_eq!(body["consents"], serde_json::json!([]));
}

#[tokio::test]
async fn a_proof_is_for_one_request_at_one_time_once() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let forgeries: [(&str, Forgery); 8] = [
        ("another service", |proof| {
            proof.aud = "https://evil.example".parse().unwrap();
        }),
        ("another method", |proof| proof.htm = "POST".to_owned()),
        ("another path", |proof| {
            proof.htu = "/v1/subjects/you".to_owned();
        }),
        ("another query", |proof| proof.htu = format!("{ME}?a=1")),
        ("another body", |proof| {
            proof.body = Digest::of("blindprint/body/v1", b"x");
        }),
        ("too old", |proof| proof.iat = proof.iat.plus(-61)),
        ("too new", |proof| proof.iat = proof.iat.plus(61)),
        ("another subject", |proof| {
            proof.sub = wallet().public().subject();
        }),
    ];
    for (name, forge) in forgeries {
        let reply = fixture.forged(&key, "GET", ME, "", forge).await;
        assert_eq!(reply.problem(), "unauthenticated", "{name}");
    }
    let proof = fixture.proof(&key, ("GET", ME, b""), |_| {});
    assert_eq!(fixture.proven(&proof, "GET", ME, "").await.status, 200);
    assert_eq!(
        fixture.proven(&proof, "GET", ME, "").await.status,
        401,
        "spent"
    );
    let late = fixture.proof(&key, ("GET", ME, b""), |proof| {
        proof.iat = proof.iat.plus(-60);
    });
    assert_eq!(fixture.proven(&late, "GET", ME, "").await.status, 200);
    assert_eq!(fixture.proven(&late, "GET", ME, "").await.status, 401);
    fixture.clock.advance(1);
    fixture
        .store
        .forget_expired(fixture.clock.now(), fixture.clock.now())
        .await
        .unwrap();
    assert_eq!(
        fixture.proven(&late, "GET", ME, "").await.status,
        401,
        "stale when forgotten"
    );
}

#[tokio::test]
async fn refusals_do_not_tell_whether_a_subject_exists() {
    let fixture = Fixture::new().await;
    let (known, unknown, intruder) = (wallet(), wallet(), wallet());
    met(&fixture, &known).await;
    let mut bodies = Vec::new();
    for victim in [&known, &unknown] {
        let mut proof = fixture.proof(&intruder, ("GET", ME, b""), |_| {});
        let statement = blindprint_did::verify(&proof).unwrap().into_statement();
        let statement = blindprint_core::statement::RequestProof {
            sub: victim.public().subject(),
            ..statement
        };
        proof = sign(&intruder, &statement).unwrap();
        let reply = fixture.proven(&proof, "GET", ME, "").await;
        assert_eq!(reply.status, 401);
        let mut body = reply.json();
        body["instance"].take();
        let mut names: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
        names.sort();
        bodies.push((body, names));
    }
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn the_pinned_key_speaks_and_the_one_before_does_not() {
    let fixture = Fixture::new().await;
    let (old, new, recovery) = (wallet(), wallet(), wallet());
    met(&fixture, &old).await;
    assert_eq!(fixture.signed(&old, "GET", ME, "").await.status, 200);
    let subject = old.public().subject();
    let keys = SubjectKeys {
        pinned: new.public().uri(),
        recovery: Some(recovery.public().uri()),
    };
    finish(&fixture, &old, Effect::KeysChanged { subject, keys }).await;
    let speak = async |key: &SigningKey, method: &str, path: &str| {
        let proof = fixture.proof(key, (method, path, b""), |_| {});
        let mut statement: blindprint_core::statement::RequestProof =
            blindprint_did::verify(&proof).unwrap().into_statement();
        statement.sub = old.public().subject();
        let proof = sign(key, &statement).unwrap();
        fixture
            .proven(&proof, method, path, "")
            .await
            .status
            .as_u16()
    };
    assert_eq!(speak(&old, "GET", ME).await, 401);
    assert_eq!(speak(&new, "GET", ME).await, 200);
    assert_eq!(speak(&recovery, "GET", ME).await, 401);
    assert_eq!(
        speak(&recovery, "POST", "/v1/nonces").await,
        503,
        "let in, but no enclave answers"
    );
}

#[tokio::test]
async fn a_consent_is_refused_before_the_enclave_is_asked() {
    let fixture = Fixture::new().await;
    let (key, other) = (wallet(), wallet());
    let (good, _) = consent(&fixture, &key);
    let send = async |jws: &Jws| {
        let body = serde_json::json!({ "consent": jws, "record": {} }).to_string();
        fixture.signed(&key, "POST", "/v1/consents", &body).await
    };
    let cases = [
        ("another's key", sign(&other, &good).unwrap()),
        (
            "another's name",
            sign(
                &key,
                &Consent {
                    sub: other.public().subject(),
                    ..good.clone()
                },
            )
            .unwrap(),
        ),
        (
            "another service",
            sign(
                &key,
                &Consent {
                    service: "https://evil.example".parse().unwrap(),
                    ..good.clone()
                },
            )
            .unwrap(),
        ),
        (
            "an unknown notice",
            sign(
                &key,
                &Consent {
                    notice: Digest::of("x", b""),
                    ..good.clone()
                },
            )
            .unwrap(),
        ),
        (
            "another purpose",
            sign(
                &key,
                &Consent {
                    purpose: Purpose::Uniqueness,
                    ..good.clone()
                },
            )
            .unwrap(),
        ),
        (
            "for ever",
            sign(
                &key,
                &Consent {
                    expires: good.given.plus(i64::from(u32::MAX)),
                    ..good.clone()
                },
            )
            .unwrap(),
        ),
    ];
    for (name, jws) in cases {
        assert_eq!(send(&jws).await.problem(), "refused", "{name}");
    }
    assert_eq!(
        send(&"a.b.c".parse().unwrap()).await.problem(),
        "malformed-submission"
    );
    assert!(
        fixture
            .store
            .unfinished_operations(None)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_the_enclave_was_not_there_for_is_kept_until_it_is() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let (_, jws) = consent(&fixture, &key);
    let bearer = format!("Bearer {ENROLMENT_KEY}");
    let headers = [("authorization", bearer.as_str())];
    let give = || fixture.give(&key, &jws, &headers);
    let reply = give().await;
    assert_eq!(reply.problem(), "unavailable");
    assert!(reply.headers.contains_key("retry-after"));
    assert_eq!(
        fixture
            .store
            .unfinished_operations(None)
            .await
            .unwrap()
            .len(),
        1
    );
    let again = give().await;
    assert_eq!(again.problem(), "unavailable");
    assert_eq!(
        fixture
            .store
            .unfinished_operations(None)
            .await
            .unwrap()
            .len(),
        1,
        "the first is asked again before a second is noted"
    );
    assert_eq!(fixture.app.service.settle_all().await.unwrap(), 1);
}

#[tokio::test]
async fn bodies_are_refused_in_one_form() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let post = async |body: &str| fixture.signed(&key, "POST", "/v1/consents", body).await;
    assert_eq!(post("{").await.problem(), "malformed-request");
    assert_eq!(post("{}").await.problem(), "malformed-request");
    let (_, jws) = consent(&fixture, &key);
    let list = serde_json::json!([jws]).to_string();
    assert_eq!(post(&list).await.problem(), "malformed-request");
    assert_eq!(
        post(r#"{"consent":"a.b.c","more":1}"#).await.problem(),
        "malformed-request"
    );
    assert_eq!(post(&" ".repeat(21 * 1024)).await.problem(), "too-large");
    let secret = "c2VjcmV0LXZhbHVl";
    let reply = post(&format!(r#"{{"consent":"{secret}"}}"#)).await;
    assert!(
        !String::from_utf8(reply.body).unwrap().contains(secret),
        "nothing is echoed"
    );

    let proof = fixture.proof(&key, ("POST", "/v1/consents", b"x"), |_| {});
    let request = Request::post("/v1/consents")
        .header("blindprint-proof", proof.as_str())
        .header("content-type", "text/plain")
        .body(Body::from("x"))
        .unwrap();
    assert_eq!(
        fixture.send(request).await.problem(),
        "unsupported-media-type"
    );
}

#[tokio::test]
async fn names_of_nothing_are_not_found() {
    let fixture = Fixture::new().await;
    let key = wallet();
    met(&fixture, &key).await;
    let challenge = Nonce::random(&SystemEntropy);
    let path = format!("/v1/authentications/{challenge}");
    assert_eq!(
        fixture.signed(&key, "GET", &path, "").await.problem(),
        "not-found"
    );
    let start = serde_json::json!({
        "enrolment": "2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51",
        "audience": "https://shop.example",
        "nonce": "12345678",
        "purpose": "authentication",
    });
    let path = "/v1/authentications";
    let reply = fixture.signed(&key, "POST", path, &start.to_string()).await;
    assert_eq!(reply.problem(), "not-found");
    let mut short = start.clone();
    short["nonce"] = "1234567".into();
    let reply = fixture.signed(&key, "POST", path, &short.to_string()).await;
    assert_eq!(reply.problem(), "malformed-request");
}

#[tokio::test]
async fn a_used_idempotency_key_is_bound_to_its_request() {
    let fixture = Fixture::new().await;
    let key = wallet();
    let subject = key.public().subject();
    let other = Digest::of("another", b"");
    let now = fixture.clock.now();
    let claim = fixture.store.claim_key(subject.as_str(), "k1", other, now);
    claim.await.unwrap();
    let (_, jws) = consent(&fixture, &key);
    let body = serde_json::json!({ "consent": jws, "record": {} }).to_string();
    let proof = fixture.proof(&key, ("POST", "/v1/consents", body.as_bytes()), |_| {});
    let request = Request::post("/v1/consents")
        .header("blindprint-proof", proof.as_str())
        .header("idempotency-key", "k1")
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    assert_eq!(
        fixture.send(request).await.problem(),
        "idempotency-mismatch"
    );
}
