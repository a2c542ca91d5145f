//! Machine clients: secrets, scopes, limits.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use blindprint_core::Nonce;

use super::*;
use crate::store::OpenIdStore as _;

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

const GRANT: &str = "grant_type=client_credentials";
const REQUESTS: &str = "/v1/presentation-requests";

#[tokio::test]
async fn a_client_gets_a_token_by_either_way_and_no_more_scopes_than_it_has() {
    let fixture = Fixture::new().await;
    let scopes = [Scope::CredentialsVerify, Scope::PresentationsRequest];
    let (id, secret) = client(&fixture, &scopes).await;
    let (id, secret) = (id.to_string(), secret.expose_secret());
    let authorization = basic(&id, secret);
    let reply = form(&fixture, TOKEN, GRANT, &[("authorization", &authorization)]).await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["scope"], "credentials:verify presentations:request");
    assert_eq!(reply.headers["cache-control"], "no-store");
    let post = format!("{GRANT}&client_id={id}&client_secret={secret}");
    let narrow = format!("{post}&scope=credentials:verify");
    let reply = form(&fixture, TOKEN, &narrow, &[]).await;
    assert_eq!(reply.json()["scope"], "credentials:verify");
    for (scope, error) in [
        ("credentials:verify+credentials:issue", "invalid_scope"),
        ("everything", "invalid_scope"),
        ("+", "invalid_scope"),
    ] {
        let body = format!("{post}&scope={scope}");
        let reply = form(&fixture, TOKEN, &body, &[]).await;
        assert_eq!(
            (reply.status.as_u16(), reply.error()),
            (400, error.to_owned())
        );
    }
}

#[tokio::test]
async fn who_is_not_a_client_is_told_nothing_more() {
    let fixture = Fixture::new().await;
    let (id, secret) = client(&fixture, &[Scope::CredentialsVerify]).await;
    let (id, secret) = (id.to_string(), secret.expose_secret());
    let (_, other) = client(&fixture, &[Scope::CredentialsVerify]).await;
    let unknown = "2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51";
    for authorization in [
        basic(&id, "wrong"),
        basic(&id, other.expose_secret()),
        basic(unknown, secret),
        basic("not-a-uuid", secret),
        basic(&id, ""),
        "Basic ???".to_owned(),
        "Bearer x".to_owned(),
    ] {
        let reply = form(&fixture, TOKEN, GRANT, &[("authorization", &authorization)]).await;
        assert_eq!(reply.error(), "invalid_client", "{authorization}");
        assert_eq!(reply.status, 401);
        let challenge = reply.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Basic "), "{challenge}");
    }
    let reply = form(&fixture, TOKEN, GRANT, &[]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (401, "invalid_client".to_owned())
    );
    // Twice at once.
    let authorization = basic(&id, secret);
    for body in [
        format!("{GRANT}&client_secret={secret}"),
        format!("{GRANT}&client_id={unknown}"),
    ] {
        let reply = form(&fixture, TOKEN, &body, &[("authorization", &authorization)]).await;
        assert_eq!(reply.error(), "invalid_request", "{body}");
    }
}

#[tokio::test]
async fn malformed_token_requests_are_refused_in_oauths_words() {
    let fixture = Fixture::new().await;
    for (body, error) in [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        (
            "grant_type=client_credentials&grant_type=client_credentials",
            "invalid_request",
        ),
        ("grant_type=client_credentials&tx_code=1", "invalid_request"),
        (
            "grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code",
            "invalid_request",
        ),
    ] {
        let reply = form(&fixture, TOKEN, body, &[]).await;
        assert_eq!(
            (reply.status.as_u16(), reply.error()),
            (400, error.to_owned()),
            "{body}"
        );
    }
    let reply = post(
        &fixture,
        TOKEN,
        "{}",
        &[("content-type", "application/json")],
    )
    .await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (415, "invalid_request".to_owned())
    );
    let long = format!("{GRANT}&scope={}", "a".repeat(20_000));
    let reply = form(&fixture, TOKEN, &long, &[]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (413, "invalid_request".to_owned())
    );
}

#[tokio::test]
async fn guesses_from_one_address_are_counted() {
    let fixture = Fixture::new().await;
    let (id, secret) = client(&fixture, &[Scope::CredentialsVerify]).await;
    let wrong = basic(&id.to_string(), "wrong");
    let attempt = async |authorization: &str| {
        form(&fixture, TOKEN, GRANT, &[("authorization", authorization)]).await
    };
    for _ in 0..60 {
        assert_eq!(attempt(&wrong).await.status, 401);
    }
    let right = basic(&id.to_string(), secret.expose_secret());
    let reply = attempt(&right).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (429, "temporarily_unavailable".to_owned())
    );
    assert!(reply.headers.contains_key("retry-after"));
    // Another client behind the same address is not held up by it.
    let (id, secret) = client(&fixture, &[Scope::CredentialsVerify]).await;
    let other = basic(&id.to_string(), secret.expose_secret());
    assert_eq!(attempt(&other).await.status, 200);
}

#[tokio::test]
async fn a_token_opens_what_its_scope_says_until_it_ends_or_its_client_does() {
    let fixture = Fixture::new().await;
    let asked = async |authorization: &str| {
        let path = format!("{REQUESTS}/{}", Nonce::random(&SystemEntropy));
        let request = Request::get(path).header("authorization", authorization);
        fixture.send(request.body(Body::empty()).unwrap()).await
    };
    let narrow = bearer(&fixture, &[Scope::CredentialsVerify]).await;
    let reply = asked(&narrow).await;
    assert_eq!(reply.problem(), "insufficient-scope");
    assert_eq!(
        reply.headers["www-authenticate"],
        "Bearer error=\"insufficient_scope\", scope=\"presentations:request\""
    );
    let wide = bearer(&fixture, &[Scope::PresentationsRequest]).await;
    assert_eq!(asked(&wide).await.problem(), "not-found");
    for wrong in [
        wide.to_uppercase(),
        wide.replace("Bearer", "DPoP"),
        "Bearer ".to_owned(),
    ] {
        let reply = asked(&wrong).await;
        assert_eq!(reply.problem(), "client-only", "{wrong}");
        assert!(
            reply.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .contains("invalid_token")
        );
    }
    fixture.clock.advance(599);
    assert_eq!(asked(&wide).await.status, 404);
    fixture.clock.advance(1);
    assert_eq!(asked(&wide).await.problem(), "client-only");
}

#[tokio::test]
async fn revoking_a_client_takes_effect_at_once() {
    let fixture = Fixture::new().await;
    let (id, secret) = client(&fixture, &[Scope::PresentationsRequest]).await;
    let authorization = basic(&id.to_string(), secret.expose_secret());
    let reply = form(&fixture, TOKEN, GRANT, &[("authorization", &authorization)]).await;
    let token = format!("Bearer {}", reply.json()["access_token"].as_str().unwrap());
    fixture
        .store
        .revoke_client(id, fixture.clock.now())
        .await
        .unwrap();
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    assert_eq!(
        post(&fixture, REQUESTS, "{}", &headers).await.problem(),
        "client-only"
    );
    let reply = form(&fixture, TOKEN, GRANT, &[("authorization", &authorization)]).await;
    assert_eq!(reply.error(), "invalid_client");
}

#[tokio::test]
async fn a_wallets_token_is_no_clients() {
    let fixture = Fixture::new().await;
    let offer = any_offer(&fixture, &["consent-receipt_jwt_vc_json"]).await;
    let wallet = redeemed(&fixture, &offer).await;
    let headers = [
        ("authorization", wallet.as_str()),
        ("content-type", "application/json"),
    ];
    assert_eq!(
        post(&fixture, REQUESTS, "{}", &headers).await.problem(),
        "client-only"
    );
    let client = bearer(&fixture, &Scope::ALL).await;
    let reply = ask(&fixture, &client, &json!({})).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (401, "invalid_token".to_owned())
    );
}

#[tokio::test]
async fn wallets_in_pages_of_other_origins_may_speak_the_protocols_and_nothing_else() {
    let fixture = Fixture::new().await;
    let preflight = async |path: &str| {
        let request = Request::builder()
            .method("OPTIONS")
            .uri(path)
            .header("origin", "https://wallet.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization, dpop");
        fixture.send(request.body(Body::empty()).unwrap()).await
    };
    for path in [TOKEN, CREDENTIAL, "/openid4vci/nonce"] {
        let reply = preflight(path).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["access-control-allow-origin"], "*");
        let allowed = reply.headers["access-control-allow-headers"]
            .to_str()
            .unwrap();
        assert!(allowed.contains("dpop"), "{allowed}");
        assert!(
            !reply
                .headers
                .contains_key("access-control-allow-credentials")
        );
    }
    for path in ["/v1/credential-offers", "/v1/presentation-requests"] {
        let reply = preflight(path).await;
        assert!(
            !reply.headers.contains_key("access-control-allow-origin"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_metadata_name_what_there_is() {
    let fixture = Fixture::new().await;
    let server = fixture
        .get("/.well-known/oauth-authorization-server")
        .await
        .json();
    assert_eq!(server["issuer"], SERVICE);
    assert_eq!(server["token_endpoint"], format!("{SERVICE}{TOKEN}"));
    assert_eq!(
        server["pre-authorized_grant_anonymous_access_supported"],
        true
    );
    let issuer = fixture
        .get("/.well-known/openid-credential-issuer")
        .await
        .json();
    assert_eq!(issuer["credential_issuer"], SERVICE);
    assert!(
        issuer.get("deferred_credential_endpoint").is_none(),
        "nothing is deferred"
    );
    assert_eq!(issuer["batch_credential_issuance"]["batch_size"], 16);
    let configurations = issuer["credential_configurations_supported"]
        .as_object()
        .unwrap();
    assert_eq!(configurations.len(), 15);
    let sd_jwt = &configurations["enrolment_dc+sd-jwt_es256"];
    assert_eq!(
        sd_jwt["vct"],
        format!("{SERVICE}/credentials/types/enrolment/v1")
    );
    assert_eq!(
        sd_jwt["credential_signing_alg_values_supported"],
        json!(["ES256"])
    );
    let definition = &configurations["consent-receipt_ldp_vc"]["credential_definition"];
    assert_eq!(
        definition["type"],
        json!(["VerifiableCredential", "BlindprintConsentReceipt"])
    );
    assert_eq!(definition["@context"][1], format!("{SERVICE}/contexts/v1"));
}
