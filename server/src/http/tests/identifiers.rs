//! The resolver for anybody, as its specification says it answers.

use axum::{body::Body, http::Request};
use serde_json::Value;

use super::{
    Fixture,
    fixture::{Reply, wallet},
};
use crate::domain::Rate;

fn error(reply: &Reply) -> String {
    assert_eq!(
        reply.headers["content-type"], "application/did-resolution",
        "{}",
        reply.status
    );
    let body = reply.json();
    assert_eq!(body["didDocument"], Value::Null);
    let kind = body["didResolutionMetadata"]["error"]["type"].as_str();
    kind.unwrap()
        .strip_prefix("https://www.w3.org/ns/did#")
        .unwrap()
        .to_owned()
}

async fn asked(fixture: &Fixture, path: &str, accept: &str) -> Reply {
    let request = Request::get(format!("/1.0/identifiers/{path}")).header("accept", accept);
    fixture.send(request.body(Body::empty()).unwrap()).await
}

async fn posted(fixture: &Fixture, path: &str, body: &str) -> Reply {
    let request = Request::post(format!("/1.0/identifiers/{path}"))
        .header("content-type", "application/json");
    fixture
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

#[tokio::test]
async fn every_error_has_its_status_and_type() {
    let fixture = Fixture::new().await;
    for (path, status, kind) in [
        ("nonsense", 400, "INVALID_DID"),
        ("did:key:z6Mk%2Fpath%20", 400, "INVALID_DID"),
        ("did%3Akey%3Az6Mk%23%20", 400, "INVALID_DID_URL"),
        ("did:key:z6Mk?versionNumber=x", 400, "INVALID_OPTIONS"),
        ("did:key:z6Mk?unknown=1", 400, "INVALID_OPTIONS"),
        ("did:web:id.example.org:nobody", 404, "NOT_FOUND"),
        ("did:web:id.example.org:dids:nobody", 404, "NOT_FOUND"),
        ("did:unknown:abc", 501, "METHOD_NOT_SUPPORTED"),
        ("did:ion:abc", 501, "METHOD_NOT_SUPPORTED"),
        // Private addresses and names that are none are not fetched from.
        ("did:web:localhost%3A8443", 500, "INTERNAL_ERROR"),
    ] {
        let reply = asked(&fixture, path, "application/did-resolution").await;
        assert_eq!(reply.status, status, "{path}: {}", reply.json());
        assert_eq!(error(&reply), kind, "{path}");
        assert_eq!(reply.headers["access-control-allow-origin"], "*");
    }
    let key = wallet().public().subject();
    let reply = asked(&fixture, key.as_str(), "image/png").await;
    assert_eq!(reply.status, 406);
    assert_eq!(error(&reply), "REPRESENTATION_NOT_SUPPORTED");
}

#[tokio::test]
async fn a_result_or_a_document_is_answered() {
    let fixture = Fixture::new().await;
    let key = wallet().public().subject();
    let did = key.as_str();
    let escaped = did.replace(':', "%3A");
    for (path, accept) in [
        (did, "application/did-resolution"),
        (&escaped, "*/*"),
        (
            did,
            "application/ld+json;profile=\"https://w3id.org/did-resolution\"",
        ),
    ] {
        let reply = asked(&fixture, path, accept).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["content-type"], "application/did-resolution");
        let body = reply.json();
        assert_eq!(body["didDocument"]["id"], did);
        assert!(body["didResolutionMetadata"]["contentType"].is_string());
    }
    let reply = asked(&fixture, did, "application/did").await;
    assert_eq!(reply.headers["content-type"], "application/did");
    assert_eq!(reply.json()["id"], did);

    let reply = posted(&fixture, did, r#"{"accept":"application/did"}"#).await;
    assert_eq!(reply.json()["id"], did);
    let reply = posted(&fixture, did, r#"{"nonsense":1}"#).await;
    assert_eq!(
        (reply.status.as_u16(), error(&reply)),
        (400, "INVALID_OPTIONS".to_owned())
    );
    let reply = posted(&fixture, did, "nonsense").await;
    assert_eq!(error(&reply), "INVALID_OPTIONS");
}

#[tokio::test]
async fn a_did_url_names_a_part() {
    let fixture = Fixture::new().await;
    let issuer = fixture.app.public.credentials.issuer().now();
    let method = issuer.jose_method(issuer.authentication_key());
    let escaped = method.replace(':', "%3A").replace('#', "%23");
    let reply = asked(&fixture, &escaped, "*/*").await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(
        reply.headers["content-type"],
        "application/did-url-dereferencing"
    );
    assert_eq!(reply.json()["content"]["id"], method.as_str());
    let reply = asked(&fixture, &escaped, "application/did").await;
    assert_eq!(reply.json()["id"], method.as_str());
    let reply = asked(&fixture, "did%3Aweb%3Aid.example.org%23nothing", "*/*").await;
    assert_eq!(reply.status, 404);
    let kind = &reply.json()["dereferencingMetadata"]["error"]["type"];
    assert_eq!(kind, "https://www.w3.org/ns/did#NOT_FOUND");
}

#[tokio::test]
async fn the_services_own_dids_are_served_and_resolve_without_a_fetch() {
    let fixture = Fixture::new().await;
    let issuer = fixture.app.public.credentials.issuer().now();
    let document = fixture.get("/.well-known/did.json").await;
    assert_eq!(document.json(), issuer.document().to_value());
    assert_eq!(document.json()["id"], "did:web:id.example.org");
    let log = fixture.get("/.well-known/did.jsonl").await;
    assert_eq!(log.body, issuer.log().into_bytes());
    for did in [issuer.web(), issuer.webvh()] {
        let reply = asked(&fixture, did.as_str(), "application/did").await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        assert_eq!(reply.json()["id"], did.as_str());
    }
    let keys = fixture.get("/.well-known/jwt-vc-issuer").await.json();
    assert_eq!(keys["issuer"], "https://id.example.org");
    assert_eq!(keys["jwks"]["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_published_is_told_by_its_tag() {
    let fixture = Fixture::new().await;
    let first = fixture.get("/.well-known/did.json").await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let request = Request::get("/.well-known/did.json").header("if-none-match", tag);
    let again = fixture.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(again.status, 304);
    assert!(again.body.is_empty());
    assert_eq!(first.headers["cache-control"], "public, no-cache");
}

#[tokio::test]
async fn one_address_resolves_so_often() {
    let few = Rate {
        per_minute: 1,
        burst: 3,
    };
    let many = Rate {
        per_minute: 1_000_000,
        burst: 1_000_000,
    };
    let fixture = Fixture::with_resolutions(many, few).await;
    let key = wallet().public().subject();
    for _ in 0..3 {
        let reply = asked(&fixture, key.as_str(), "*/*").await;
        assert_eq!(reply.status, 200);
    }
    let reply = asked(&fixture, key.as_str(), "*/*").await;
    assert_eq!(reply.problem(), "rate-limited");
    assert!(reply.headers.contains_key("retry-after"));
}
