use std::collections::BTreeSet;

use axum::{body::Body, http::Request};

use super::{
    Fixture,
    fixture::{ENROLMENT_KEY, wallet},
};

/// Operations that anybody may call. Every other one answers 401 or 403 without credentials.
const PUBLIC: &[&str] = &[
    "GET /v1/service",
    "GET /v1/attestation",
    "GET /v1/keys/{key}/public-key",
    "GET /v1/keys/{key}/crs",
    "GET /v1/profiles",
    "GET /v1/notices",
    "GET /v1/notices/{digest}",
    // Who has the address has the secret: offers and requests are for whichever wallet gets the link.
    "GET /credential-offers/{offer}",
    "GET /credential-offers/{offer}/qr.svg",
    "GET /openid4vp/requests/{id}",
    "POST /openid4vp/requests/{id}",
    "POST /openid4vp/responses/{id}",
    "GET /.well-known/oauth-authorization-server",
    "GET /.well-known/openid-credential-issuer",
    "POST /openid4vci/nonce",
    // Asks for credentials in its body, and answers in OAuth's words.
    "POST /oauth2/token",
    // What strangers verify with.
    "GET /.well-known/did.json",
    "GET /.well-known/did.jsonl",
    "GET /.well-known/jwt-vc-issuer",
    "GET /dids/{name}/did.json",
    "GET /dids/{name}/did.jsonl",
    "GET /1.0/identifiers/{did}",
    "POST /1.0/identifiers/{did}",
    "GET /contexts/v1",
    "GET /schemas/{kind}/v1.json",
    "GET /credentials/types/{kind}/v1",
    "GET /status-lists/{list}",
    "GET /status-lists/{list}/{purpose}",
    // Whoever likes may watch the service.
    "GET /v1/log",
    "GET /log/checkpoint",
    "GET /log/tile/{level}/{tile}",
    "GET /v1/log/inclusion",
    "GET /v1/log/consistency",
    "GET /v1/log/proofs/{index}",
    // Who has the claim has the certificate: nobody is left who could sign for it.
    "GET /v1/erasure-certificates/{claim}",
    "GET /healthz",
    "GET /readyz",
];

struct Operation {
    name: String,
    method: String,
    path: String,
    secured: bool,
    operators: bool,
    /// What its body must be; `None` without one.
    media_type: Option<String>,
}

async fn operations(fixture: &Fixture) -> Vec<Operation> {
    let document = fixture.get("/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            let security = operation["security"].to_string();
            operations.push(Operation {
                name: format!("{method} {path}"),
                method,
                path: path
                    .replace("{id}", "2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51")
                    .replace("{challenge}", &"A".repeat(43))
                    .replace("{claim}", &"A".repeat(43))
                    .replace("{offer}", &"A".repeat(43))
                    .replace("{name}", "alice")
                    .replace("{did}", "did:key:z6Mk")
                    .replace("{kind}", "enrolment")
                    .replace("{list}", "1")
                    .replace("{level}", "0")
                    .replace("{tile}", "000")
                    .replace("{index}", "0")
                    .replace("{purpose}", "revocation")
                    .replace("{key}", &"A".repeat(43))
                    .replace("{digest}", &"A".repeat(43)),
                secured: ["wallet", "operator", "client"]
                    .iter()
                    .any(|scheme| security.contains(scheme)),
                operators: security.contains("operator"),
                media_type: operation["requestBody"]["content"]
                    .as_object()
                    .and_then(|content| content.keys().next().cloned()),
            });
        }
    }
    operations
}

async fn call(fixture: &Fixture, operation: &Operation, credential: Option<(&str, &str)>) -> u16 {
    let mut request = Request::builder()
        .method(operation.method.as_str())
        .uri(&operation.path);
    if let Some(media_type) = &operation.media_type {
        request = request.header("content-type", media_type);
    }
    if let Some((name, value)) = credential {
        request = request.header(name, value);
    }
    let body = if operation.media_type.is_some() {
        "{}"
    } else {
        ""
    };
    fixture
        .send(request.body(Body::from(body)).unwrap())
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn every_operation_is_public_on_purpose_or_wants_credentials() {
    let fixture = Fixture::new().await;
    let operations = operations(&fixture).await;
    assert!(operations.len() >= 23, "{} operations", operations.len());
    let mut public = BTreeSet::new();
    for operation in &operations {
        let status = call(&fixture, operation, None).await;
        if PUBLIC.contains(&operation.name.as_str()) {
            assert!(!operation.secured, "{}", operation.name);
            assert!(
                ![401, 403].contains(&status),
                "{}: {status}",
                operation.name
            );
            public.insert(operation.name.as_str());
        } else {
            assert!(
                operation.secured,
                "{} documents no security",
                operation.name
            );
            assert!([401, 403].contains(&status), "{}: {status}", operation.name);
        }
    }
    assert_eq!(
        public,
        PUBLIC.iter().copied().collect::<BTreeSet<_>>(),
        "PUBLIC names what is gone"
    );
}

#[tokio::test]
async fn wrong_credentials_are_no_credentials() {
    let fixture = Fixture::new().await;
    for operation in operations(&fixture)
        .await
        .iter()
        .filter(|operation| operation.secured)
    {
        for credential in [
            ("authorization", "Bearer wrong"),
            ("authorization", "Basic b3BlcmF0b3I6"),
            ("authorization", &format!("Bearer {ENROLMENT_KEY}")),
            ("blindprint-proof", "a.b.c"),
            ("blindprint-proof", "not a jws"),
        ] {
            let status = call(&fixture, operation, Some(credential)).await;
            assert_eq!(status, 401, "{} with {}", operation.name, credential.1);
        }
    }
}

#[tokio::test]
async fn a_wallet_is_no_operator() {
    let fixture = Fixture::new().await;
    let key = wallet();
    for operation in operations(&fixture)
        .await
        .iter()
        .filter(|operation| operation.operators)
    {
        let reply = fixture
            .signed(&key, &operation.method, &operation.path, "{}")
            .await;
        assert_eq!(reply.problem(), "operator-only", "{}", operation.name);
    }
}
