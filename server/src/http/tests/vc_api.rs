//! The VC API for machine clients.

use axum::{body::Body, http::Request};
use blindprint_core::{Clock as _, SystemEntropy};
use blindprint_credentials::CredentialType;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Fixture, fixture::Reply};
use crate::domain::{Scope, add_client};

/// An access token of a new client.
async fn token(fixture: &Fixture, scopes: &[Scope]) -> String {
    let scopes = scopes.iter().copied().collect();
    let now = fixture.clock.now();
    let name = "shop".to_owned();
    let added = add_client(&*fixture.store, name, scopes, &SystemEntropy, now).await;
    let (id, secret) = added.unwrap();
    let secret = secret.expose_secret();
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let request = Request::post("/oauth2/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body));
    let reply = fixture.send(request.unwrap()).await;
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

async fn post(fixture: &Fixture, token: &str, path: &str, body: &Value) -> Reply {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    fixture.send(request.unwrap()).await
}

fn ordinary() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51",
        "type": ["VerifiableCredential"],
        "issuer": "did:web:somebody.example",
        "credentialSubject": { "id": "did:example:alice", "name": "Alice" },
    })
}

#[tokio::test]
async fn what_is_issued_verifies_until_it_is_revoked() {
    let fixture = Fixture::new().await;
    let token = token(&fixture, &Scope::ALL).await;
    for suite in ["eddsa-jcs-2022", "eddsa-rdfc-2022", "vc+jwt"] {
        let body = json!({
            "credential": ordinary(),
            "options": { "cryptosuite": suite, "status": true, "credentialId": suite },
        });
        let reply = post(&fixture, &token, "/credentials/issue", &body).await;
        assert_eq!(reply.status, 201, "{suite}: {}", reply.json());
        let credential = &reply.json()["verifiableCredential"];
        let ask = json!({ "verifiableCredential": credential });
        let reply = post(&fixture, &token, "/credentials/verify", &ask).await;
        assert_eq!(reply.status, 200, "{suite}: {}", reply.json());
        assert_eq!(reply.json()["verified"], true);
        assert_eq!(reply.json()["issuer"], "did:web:id.example.org");

        let presentation = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "verifiableCredential": [if credential.is_string() {
                json!({
                    "@context": "https://www.w3.org/ns/credentials/v2",
                    "type": "EnvelopedVerifiableCredential",
                    "id": format!("data:application/vc+jwt,{}", credential.as_str().unwrap()),
                })
            } else {
                credential.clone()
            }],
        });
        let show = json!({ "verifiablePresentation": presentation });
        let reply = post(&fixture, &token, "/presentations/verify", &show).await;
        assert_eq!(reply.status, 200, "{suite}: {}", reply.json());
        assert_eq!(reply.json()["format"], "unsigned");
        let bound = json!({
            "verifiablePresentation": presentation,
            "options": { "challenge": "12345678", "domain": "https://shop.example" },
        });
        let reply = post(&fixture, &token, "/presentations/verify", &bound).await;
        assert_eq!(reply.problem(), "not-verified", "it is nobody's");
        assert_eq!(reply.json()["verified"], false);

        let change = json!({
            "credentialId": suite, "statusPurpose": "revocation", "status": true,
        });
        let reply = post(&fixture, &token, "/credentials/status", &change).await;
        assert_eq!(reply.json()["status"], "revoked");
        let reply = post(&fixture, &token, "/credentials/verify", &ask).await;
        assert_eq!(reply.status, 422);
        assert_eq!(
            reply.json()["problemDetails"][0]["type"],
            "urn:blindprint:verification:revoked"
        );
        let proof_only = json!({
            "verifiableCredential": credential, "options": { "checks": ["proof"] },
        });
        let reply = post(&fixture, &token, "/credentials/verify", &proof_only).await;
        assert_eq!(reply.status, 200, "its status was not asked for");
    }
}

#[tokio::test]
async fn blindprints_own_types_are_not_for_clients() {
    let fixture = Fixture::new().await;
    let token = token(&fixture, &[Scope::CredentialsIssue]).await;
    let names = CredentialType::ALL.map(CredentialType::name);
    for name in names
        .into_iter()
        .chain(["https://id.example.org/contexts/v1#BlindprintEnrolmentCredential"])
        .chain(["https://id.example.org/anything"])
    {
        for own_context in [false, true] {
            let mut credential = ordinary();
            credential["type"] = json!(["VerifiableCredential", name]);
            if own_context {
                credential["@context"] = json!([
                    "https://www.w3.org/ns/credentials/v2",
                    "https://id.example.org/contexts/v1",
                ]);
            }
            let body = json!({ "credential": credential });
            let reply = post(&fixture, &token, "/credentials/issue", &body).await;
            assert_eq!(reply.problem(), "credential-refused", "{name}");
        }
    }
    let mut credential = ordinary();
    credential["@context"] = json!([
        "https://www.w3.org/ns/credentials/v2",
        { "Mine": "https://id.example.org/contexts/v1#BlindprintEnrolmentCredential" },
    ]);
    credential["type"] = json!(["VerifiableCredential", "Mine"]);
    let body = json!({ "credential": credential });
    let reply = post(&fixture, &token, "/credentials/issue", &body).await;
    assert_eq!(reply.problem(), "credential-refused", "under another name");
}

#[tokio::test]
async fn what_cannot_be_issued_is_refused() {
    let fixture = Fixture::new().await;
    let token = token(&fixture, &[Scope::CredentialsIssue]).await;
    let with = |name: &str, value: Value| {
        let mut credential = ordinary();
        credential[name] = value;
        json!({ "credential": credential })
    };
    for (body, problem) in [
        (json!({ "credential": 1 }), "malformed-request"),
        (
            json!({ "credential": ordinary(), "option": {} }),
            "malformed-request",
        ),
        (
            json!({ "credential": ordinary(), "options": { "cryptosuite": "none" } }),
            "malformed-request",
        ),
        (with("proof", json!({})), "malformed-request"),
        (with("credentialStatus", json!({})), "malformed-request"),
        (with("undefinedTerm", json!(1)), "credential-refused"),
        (
            with("https://terms.example/absolute", json!(1)),
            "credential-refused",
        ),
        (
            with("@context", json!(["https://evil.example"])),
            "credential-refused",
        ),
        (with("credentialSubject", json!({})), "credential-refused"),
        (with("type", json!(["Something"])), "credential-refused"),
        (with("validFrom", json!("yesterday")), "credential-refused"),
    ] {
        let reply = post(&fixture, &token, "/credentials/issue", &body).await;
        assert_eq!(reply.problem(), problem, "{body}");
    }
    assert_eq!(
        fixture.get("/status-lists/1/revocation").await.status,
        404,
        "no index was taken"
    );
}

#[tokio::test]
async fn a_client_changes_its_own_and_with_its_scopes_only() {
    let fixture = Fixture::new().await;
    let ours = token(&fixture, &Scope::ALL).await;
    let theirs = token(&fixture, &[Scope::CredentialsStatus]).await;
    let body = json!({ "credential": ordinary(), "options": { "status": true } });
    let reply = post(&fixture, &ours, "/credentials/issue", &body).await;
    let credential = reply.json()["verifiableCredential"].clone();
    let entry = &credential["credentialStatus"][0];
    let change = json!({ "credentialStatus": entry, "status": true });
    let reply = post(&fixture, &theirs, "/credentials/status", &change).await;
    assert_eq!(reply.problem(), "not-found");
    let named = json!({
        "credentialId": ordinary()["id"], "statusPurpose": "suspension", "status": true,
    });
    let reply = post(&fixture, &theirs, "/credentials/status", &named).await;
    assert_eq!(reply.problem(), "not-found");
    let reply = post(&fixture, &ours, "/credentials/status", &named).await;
    assert_eq!(reply.json()["status"], "suspended");
    for (path, body) in [
        ("/credentials/issue", &body),
        (
            "/credentials/verify",
            &json!({ "verifiableCredential": credential }),
        ),
        (
            "/presentations/verify",
            &json!({ "verifiablePresentation": {} }),
        ),
    ] {
        let reply = post(&fixture, &theirs, path, body).await;
        assert_eq!(reply.problem(), "insufficient-scope", "{path}");
    }
    for body in [
        json!({ "status": true }),
        json!({ "credentialId": "x", "status": true }),
        json!({ "credentialId": "x", "credentialStatus": entry, "status": true }),
        json!({ "credentialStatus": entry, "statusPurpose": "suspension", "status": true }),
    ] {
        let reply = post(&fixture, &ours, "/credentials/status", &body).await;
        assert_eq!(reply.problem(), "malformed-request", "{body}");
    }
    let undo = json!({ "credentialStatus": entry, "status": false });
    let reply = post(&fixture, &ours, "/credentials/status", &undo).await;
    assert_eq!(reply.problem(), "conflict");
}

#[tokio::test]
async fn what_does_not_verify_says_why() {
    let fixture = Fixture::new().await;
    let token = token(&fixture, &Scope::ALL).await;
    let body = json!({ "credential": ordinary() });
    let reply = post(&fixture, &token, "/credentials/issue", &body).await;
    let good = reply.json()["verifiableCredential"].clone();
    let mut forged = good.clone();
    forged["credentialSubject"]["name"] = "Mallory".into();
    let mut stolen = good.clone();
    stolen["issuer"] = "did:web:victim.example".into();
    for (credential, reason) in [
        (json!({}), "malformed"),
        (ordinary(), "no_proof"),
        (forged, "invalid_signature"),
        (stolen, "not_the_issuers_key"),
        (json!("a.b.c"), "malformed"),
    ] {
        let ask = json!({ "verifiableCredential": credential });
        let reply = post(&fixture, &token, "/credentials/verify", &ask).await;
        assert_eq!(reply.status, 422);
        assert_eq!(reply.problem(), "not-verified");
        let kind = reply.json()["problemDetails"][0]["type"].clone();
        let kind = kind.as_str().unwrap().to_owned();
        let found = kind.strip_prefix("urn:blindprint:verification:").unwrap();
        if reason != "malformed" {
            assert_eq!(found, reason, "{}", reply.json());
        }
    }
}
