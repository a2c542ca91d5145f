use std::collections::BTreeSet;

use axum::{body::Body, http::Request};
use serde_json::Value;

use super::Fixture;

#[tokio::test]
async fn the_document_is_openapi_3_1_and_complete() {
    let fixture = Fixture::new().await;
    let reply = fixture.get("/openapi.json").await;
    assert_eq!(reply.status, 200);
    let document = reply.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(
        document,
        serde_json::to_value(crate::http::document()).unwrap()
    );
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(ids.insert(id), "{name}: the operation id is taken");
            assert!(operation["summary"].is_string(), "{name} says nothing");
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|status| status.starts_with('2')),
                "{name}"
            );
            let parameters = operation["parameters"].as_array();
            let keyed = parameters.is_some_and(|parameters| {
                parameters
                    .iter()
                    .any(|parameter| parameter["name"] == "Idempotency-Key")
            });
            let native = path.starts_with("/v1/");
            assert_eq!(keyed, native && method == "post", "{name}");
            for segment in path.split('/').filter_map(|part| part.strip_prefix('{')) {
                let segment = segment.trim_end_matches('}');
                let named = parameters.is_some_and(|parameters| {
                    parameters
                        .iter()
                        .any(|parameter| parameter["name"] == segment)
                });
                assert!(named, "{name}: {segment} is not documented");
            }
        }
    }
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} points nowhere"
        );
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(target) if key == "$ref" => vec![target.clone()],
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn the_readable_page_loads_from_this_server_alone() {
    let fixture = Fixture::new().await;
    let page = fixture.get("/docs/").await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self'"));
    let html = String::from_utf8(page.body).unwrap();
    let sources: Vec<&str> = html
        .split(['"', '\''])
        .filter(|part| {
            [".js", ".css", ".png"]
                .iter()
                .any(|end| part.ends_with(end))
        })
        .collect();
    assert!(sources.len() >= 3, "{sources:?}");
    let style = fixture.get("/docs/index.css").await;
    assert_eq!(style.headers["content-type"], "text/css");
    assert!(
        String::from_utf8(style.body)
            .unwrap()
            .contains(":focus-visible")
    );
    for source in sources {
        assert!(!source.contains("//"), "{source} comes from elsewhere");
        let path = format!("/docs/{}", source.trim_start_matches("./"));
        assert_eq!(fixture.get(&path).await.status, 200, "{path}");
    }
    let start = fixture.get("/docs/swagger-initializer.js").await;
    assert!(
        String::from_utf8(start.body)
            .unwrap()
            .contains("/openapi.json")
    );
}

#[tokio::test]
async fn errors_have_one_form_everywhere() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.get("/nowhere").await.problem(), "not-found");
    assert_eq!(
        fixture.get("/v1/notices/short").await.problem(),
        "not-found"
    );
    assert_eq!(
        fixture.get("/v1/attestation").await.problem(),
        "malformed-request"
    );
    assert_eq!(
        fixture.get("/v1/attestation?nonce=AAAA").await.problem(),
        "malformed-request"
    );
    let reply = fixture.get("/v1/attestation?nonce=AAAA&SECRET=1").await;
    assert!(!String::from_utf8(reply.body).unwrap().contains("SECRET"));
    let enough = "A".repeat(43);
    let path = format!("/v1/attestation?nonce={enough}");
    assert_eq!(fixture.get(&path).await.problem(), "unavailable");
    let delete = Request::delete("/v1/notices").body(Body::empty()).unwrap();
    let reply = fixture.send(delete).await;
    assert_eq!(reply.problem(), "method-not-allowed");
    assert_eq!(fixture.get("/readyz").await.problem(), "unavailable");
    assert_eq!(fixture.get("/v1/service").await.problem(), "unavailable");
}

#[tokio::test]
async fn every_response_carries_the_requests_id() {
    let fixture = Fixture::new().await;
    let request = Request::get("/nowhere")
        .header("x-request-id", "caller-1")
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .body(Body::empty())
        .unwrap();
    let reply = fixture.send(request).await;
    assert_eq!(reply.headers["x-request-id"], "caller-1");
    assert_eq!(reply.json()["instance"], "urn:blindprint:request:caller-1");
    let reply = fixture.get("/healthz").await;
    assert_eq!(reply.headers["x-request-id"].len(), 36);
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn a_notice_hashes_to_its_name() {
    let fixture = Fixture::new().await;
    let list = fixture.get("/v1/notices").await.json();
    for notice in list["notices"].as_array().unwrap() {
        let digest = notice["digest"].as_str().unwrap();
        let reply = fixture.get(&format!("/v1/notices/{digest}")).await;
        assert!(
            reply.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/markdown")
        );
        assert_eq!(
            reply.headers["content-language"],
            notice["language"].as_str().unwrap()
        );
        let hash = blindprint_core::Digest::of("blindprint/notice/v1", &reply.body);
        assert_eq!(hash.to_string(), digest);
    }
}

#[tokio::test]
async fn operators_invite_and_see_no_secret_again() {
    let fixture = Fixture::new().await;
    let body = r#"{"uses":3,"valid_for":3600,"note":"class of 2027"}"#;
    let path = "/v1/invitations";
    let first = fixture.operate("POST", path, body, Some("once")).await;
    assert_eq!(first.status, 201);
    let again = fixture.operate("POST", path, body, Some("once")).await;
    assert_eq!(
        again.json(),
        first.json(),
        "the same key makes the same invitation"
    );
    let other = r#"{"uses":4,"valid_for":3600,"note":null}"#;
    let reply = fixture.operate("POST", path, other, Some("once")).await;
    assert_eq!(reply.problem(), "idempotency-mismatch");
    let secret = first.json()["secret"].as_str().unwrap().to_owned();
    let list = fixture.operate("GET", path, "", None).await;
    let text = String::from_utf8(list.body.clone()).unwrap();
    assert!(!text.contains(&secret) && !text.contains(secret.split('.').nth(1).unwrap()));
    let invitations = list.json()["invitations"].as_array().unwrap().clone();
    assert_eq!(invitations.len(), 1);
    assert_eq!(
        (&invitations[0]["uses"], &invitations[0]["used"]),
        (&3.into(), &0.into())
    );
    let one = format!("{path}/{}", invitations[0]["id"].as_str().unwrap());
    assert_eq!(fixture.operate("DELETE", &one, "", None).await.status, 204);
    let gone = format!("{path}/2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51");
    assert_eq!(
        fixture.operate("DELETE", &gone, "", None).await.problem(),
        "not-found"
    );
    for bad in [
        r#"{"uses":0,"valid_for":1}"#,
        r#"{"uses":10001,"valid_for":1}"#,
        r#"{"uses":1,"valid_for":0}"#,
        r#"{"uses":1,"valid_for":99999999}"#,
    ] {
        let reply = fixture.operate("POST", path, bad, None).await;
        assert_eq!(reply.problem(), "malformed-request", "{bad}");
    }
    let metrics = fixture.operate("GET", "/metrics", "", None).await;
    assert!(
        String::from_utf8(metrics.body)
            .unwrap()
            .contains("blindprint_http_requests_total")
    );
}

#[tokio::test]
async fn a_made_up_method_is_not_repeated_in_the_metrics() {
    let fixture = Fixture::new().await;
    let request = Request::builder().method("BREW").uri("/healthz");
    let reply = fixture.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.problem(), "method-not-allowed");
    let metrics = fixture.operate("GET", "/metrics", "", None).await;
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(!text.contains("BREW"));
    assert!(text.contains(r#"method="other",route="/healthz""#));
}
