//! Wallets show what they have, and verifiers learn what holds.

mod refusals;

use blindprint_core::UnixTime;
use blindprint_credentials::{
    Binding, Contexts, Deployment, Presentation, Signer, Suite, UnverifiedCredential,
};
use blindprint_openid4vc::{
    ErrorBody,
    vp::{
        AuthorizationRequest, ClientId as Asker, DirectPost, Expected, Invocation,
        Presentation as Shown, SELF_ISSUED, UnverifiedRequest, VpToken,
    },
};

use super::{issuing::withdraw, *};
use crate::http::tests::fixture::service;

const REQUESTS: &str = "/v1/presentation-requests";
const SD_JWT: &str = "consent-receipt_dc+sd-jwt";

/// A holder with a credential of one configuration.
struct Holder {
    owner: SigningKey,
    consent: ConsentId,
    key: SigningKey,
    credential: Value,
}

impl Holder {
    async fn of(fixture: &Fixture, configuration: &str) -> Self {
        let (owner, consent) = person(fixture).await;
        let made = offer(fixture, &owner, &wanted(consent, &[configuration])).await;
        let token = redeemed(fixture, &made).await;
        let key = key(KeyType::Ed25519);
        let response = receive(fixture, &token, configuration, &[&key]).await;
        let CredentialResponse::Issued { credentials, .. } = response else {
            panic!("deferred");
        };
        Self {
            owner,
            consent,
            key,
            credential: credentials[0].clone(),
        }
    }

    /// The credential, shown as a wallet shows it.
    fn show(&self, binding: &Binding, now: UnixTime) -> Shown {
        self.show_by(&self.key, binding, now)
    }

    fn show_by(&self, key: &SigningKey, binding: &Binding, now: UnixTime) -> Shown {
        let contexts = Contexts::standard().with(&Deployment::new(&service()));
        let did = key.public().uri();
        let method = format!("{did}#{}", did.as_str().strip_prefix("did:key:").unwrap());
        let signer = Signer::new(key, &method, &contexts).unwrap();
        let credential = UnverifiedCredential::from_value(self.credential.clone()).unwrap();
        if let UnverifiedCredential::SdJwt(sd_jwt) = credential {
            return Shown::Text(sd_jwt.bound(key, binding, now).unwrap().to_text());
        }
        let is_jwt = matches!(credential, UnverifiedCredential::Jwt(_));
        let presentation = Presentation::of(did.as_str(), &[credential]).unwrap();
        if is_jwt {
            let jwt = signer.presentation_jwt(&presentation, binding, now, now.plus(60));
            return Shown::Text(jwt.unwrap());
        }
        let signed = signer.presentation(presentation, Suite::EddsaJcs2022, binding, now);
        match signed.unwrap() {
            Value::Object(members) => Shown::Object(members),
            _ => panic!("no object"),
        }
    }
}

fn query(format: &str) -> Value {
    let meta = match format {
        "dc+sd-jwt" => {
            json!({ "vct_values": [format!("{SERVICE}/credentials/types/consent-receipt/v1")] })
        }
        _ => json!({ "type_values": [["BlindprintConsentReceipt"]] }),
    };
    json!({ "credentials": [{ "id": "receipt", "format": format, "meta": meta }] })
}

/// A machine client and a request of its.
struct Asked {
    authorization: String,
    id: String,
    uri: String,
}

impl Asked {
    async fn of(fixture: &Fixture, body: &Value) -> Self {
        let authorization = bearer(fixture, &[Scope::PresentationsRequest]).await;
        let reply = asked(fixture, &authorization, body).await;
        assert_eq!(reply.status, 201, "{}", reply.json());
        let body = reply.json();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Self {
            authorization,
            id: text("id"),
            uri: text("uri"),
        }
    }

    /// What the wallet learns from the link, once it has checked the signature.
    async fn request(&self, fixture: &Fixture) -> AuthorizationRequest {
        match Invocation::parse(&self.uri).unwrap() {
            Invocation::Unsigned(request) => *request,
            Invocation::Reference {
                client_id,
                request_uri,
                ..
            } => {
                let path = request_uri.strip_prefix(SERVICE).unwrap();
                let reply = form(fixture, path, "wallet_nonce=abc", &[]).await;
                assert_eq!(reply.status, 200);
                assert_eq!(
                    reply.headers["content-type"],
                    "application/oauth-authz-req+jwt"
                );
                let object = String::from_utf8(reply.body).unwrap();
                let object = UnverifiedRequest::parse(&object).unwrap();
                let issuer = fixture.app.public.credentials.issuer().now();
                let signer = issuer.authentication_key();
                assert_eq!(object.kid(), issuer.jose_method(signer));
                let expected = Expected {
                    client_id: &client_id,
                    wallet_nonce: Some("abc"),
                    audience: &[SELF_ISSUED],
                    now: fixture.clock.now(),
                };
                object.verify(&signer.public(), &expected).unwrap()
            }
            Invocation::Signed { .. } => panic!("signed by value"),
        }
    }

    async fn standing(&self, fixture: &Fixture) -> Value {
        let reply = self.read(fixture, "").await;
        assert_eq!(reply.status, 200);
        reply.json()
    }

    async fn read(&self, fixture: &Fixture, more: &str) -> Reply {
        let request = Request::get(format!("{REQUESTS}/{}{more}", self.id))
            .header("authorization", &self.authorization);
        fixture.send(request.body(Body::empty()).unwrap()).await
    }
}

async fn asked(fixture: &Fixture, authorization: &str, body: &Value) -> Reply {
    let headers = [
        ("authorization", authorization),
        ("content-type", "application/json"),
    ];
    post(fixture, REQUESTS, &body.to_string(), &headers).await
}

fn binding(request: &AuthorizationRequest) -> Binding {
    Binding {
        challenge: request.nonce.clone(),
        domain: request.client_id.to_string(),
    }
}

async fn answer(fixture: &Fixture, request: &AuthorizationRequest, shown: Vec<Shown>) -> Reply {
    let token: VpToken = [("receipt".to_owned(), shown)].into_iter().collect();
    let direct = DirectPost::answer(request, token, &SystemEntropy).unwrap();
    respond(fixture, request, &direct.to_form().unwrap()).await
}

async fn respond(fixture: &Fixture, request: &AuthorizationRequest, body: &str) -> Reply {
    let path = request.response_uri.strip_prefix(SERVICE).unwrap();
    form(fixture, path, body, &[]).await
}

#[tokio::test]
async fn every_format_is_shown_by_every_way_and_holds() {
    let fixture = Fixture::new().await;
    for (configuration, format) in [
        ("consent-receipt_ldp_vc", "ldp_vc"),
        ("consent-receipt_ldp_vc_rdfc", "ldp_vc"),
        ("consent-receipt_jwt_vc_json", "jwt_vc_json"),
        ("consent-receipt_dc+sd-jwt", "dc+sd-jwt"),
        ("consent-receipt_dc+sd-jwt_es256", "dc+sd-jwt"),
    ] {
        let holder = Holder::of(&fixture, configuration).await;
        for (prefix, mode) in [
            ("decentralized_identifier", "direct_post"),
            ("decentralized_identifier", "direct_post.jwt"),
            ("redirect_uri", "direct_post"),
            ("redirect_uri", "direct_post.jwt"),
        ] {
            let body = json!({
                "query": query(format),
                "response_mode": mode,
                "client_id_prefix": prefix,
            });
            let asked = Asked::of(&fixture, &body).await;
            assert_eq!(
                asked.standing(&fixture).await,
                json!({ "state": "waiting" })
            );
            let request = asked.request(&fixture).await;
            let signed = matches!(request.client_id, Asker::Did(_));
            assert_eq!(signed, prefix == "decentralized_identifier");
            let shown = holder.show(&binding(&request), fixture.clock.now());
            let reply = answer(&fixture, &request, vec![shown]).await;
            let standing = asked.standing(&fixture).await;
            assert_eq!(
                (reply.status.as_u16(), reply.json()),
                (200, json!({})),
                "{standing}"
            );
            assert_eq!(standing["state"], "answered", "{configuration}");
            let one = &standing["credentials"]["receipt"][0];
            assert_eq!(one["format"], format);
            assert_eq!(one["holder"], holder.key.public().uri().as_str());
            assert!(one["claims"].to_string().contains("controller"), "{one}");
        }
    }
}

#[tokio::test]
async fn an_answer_is_taken_once() {
    let fixture = Fixture::new().await;
    let holder = Holder::of(&fixture, SD_JWT).await;
    let asked = Asked::of(&fixture, &json!({ "query": query("dc+sd-jwt") })).await;
    let request = asked.request(&fixture).await;
    let shown = holder.show(&binding(&request), fixture.clock.now());
    assert_eq!(
        answer(&fixture, &request, vec![shown.clone()]).await.status,
        200
    );
    let again = answer(&fixture, &request, vec![shown.clone()]).await;
    assert_eq!(
        (again.status.as_u16(), again.error()),
        (404, "invalid_request".to_owned())
    );
    let path = format!("/openid4vp/requests/{}", asked.id);
    let reply = form(&fixture, &path, "", &[]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (404, "invalid_request".to_owned())
    );
    assert_eq!(asked.standing(&fixture).await["state"], "answered");
    // The same presentation answers nobody else's question.
    let other = Asked::of(&fixture, &json!({ "query": query("dc+sd-jwt") })).await;
    let request = other.request(&fixture).await;
    assert_eq!(
        answer(&fixture, &request, vec![shown]).await.error(),
        "invalid_request"
    );
    assert_eq!(other.standing(&fixture).await["error"], "wrong_challenge");
    // What was shown is forgotten soon.
    fixture.clock.advance(300);
    assert_eq!(asked.read(&fixture, "").await.problem(), "not-found");
}

#[tokio::test]
async fn a_refusal_is_told_and_ends_the_request() {
    let fixture = Fixture::new().await;
    for (error, told) in [("access_denied", "access_denied"), ("<script>", "other")] {
        let asked = Asked::of(&fixture, &json!({ "query": query("dc+sd-jwt") })).await;
        let request = asked.request(&fixture).await;
        let refusal = DirectPost::Refusal {
            error: ErrorBody {
                error: error.to_owned(),
                error_description: None,
            },
            state: request.state.clone(),
        };
        let reply = respond(&fixture, &request, &refusal.to_form().unwrap()).await;
        assert_eq!(reply.status, 200);
        let standing = asked.standing(&fixture).await;
        assert_eq!(standing, json!({ "state": "refused", "error": told }));
        let again = respond(&fixture, &request, &refusal.to_form().unwrap()).await;
        assert_eq!(again.status, 404);
    }
}

#[tokio::test]
async fn a_request_ends_unanswered() {
    let fixture = Fixture::new().await;
    let holder = Holder::of(&fixture, SD_JWT).await;
    let body = json!({ "query": query("dc+sd-jwt"), "valid_for": 100 });
    let asked = Asked::of(&fixture, &body).await;
    let request = asked.request(&fixture).await;
    fixture.clock.advance(100);
    let shown = holder.show(&binding(&request), fixture.clock.now());
    assert_eq!(answer(&fixture, &request, vec![shown]).await.status, 404);
    assert_eq!(
        asked.standing(&fixture).await,
        json!({ "state": "expired" })
    );
    fixture.clock.advance(300);
    assert_eq!(asked.read(&fixture, "").await.problem(), "not-found");
}

#[tokio::test]
async fn a_result_is_for_the_client_that_asked() {
    let fixture = Fixture::new().await;
    let asked = Asked::of(&fixture, &json!({ "query": query("dc+sd-jwt") })).await;
    let other = Asked {
        authorization: bearer(&fixture, &[Scope::PresentationsRequest]).await,
        ..Asked::of(&fixture, &json!({ "query": query("ldp_vc") })).await
    };
    let theirs = Asked {
        id: asked.id,
        authorization: other.authorization,
        uri: asked.uri,
    };
    assert_eq!(theirs.read(&fixture, "").await.problem(), "not-found");
}

#[tokio::test]
async fn who_comes_back_to_the_page_is_who_answered() {
    let fixture = Fixture::new().await;
    let holder = Holder::of(&fixture, SD_JWT).await;
    let body = json!({ "query": query("dc+sd-jwt"), "redirect_uri": "https://shop.example/back" });
    let asked = Asked::of(&fixture, &body).await;
    let request = asked.request(&fixture).await;
    let shown = holder.show(&binding(&request), fixture.clock.now());
    let reply = answer(&fixture, &request, vec![shown]).await.json();
    let back = reply["redirect_uri"].as_str().unwrap();
    let code = back
        .strip_prefix("https://shop.example/back#response_code=")
        .unwrap();
    for wrong in ["", "?response_code=", "?response_code=x"] {
        assert_eq!(asked.read(&fixture, wrong).await.problem(), "refused");
    }
    let reply = asked
        .read(&fixture, &format!("?response_code={code}"))
        .await;
    assert_eq!(reply.json()["state"], "answered");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let fixture = Fixture::new().await;
    let authorization = bearer(&fixture, &[Scope::PresentationsRequest]).await;
    let mut unbound = query("dc+sd-jwt");
    unbound["credentials"][0]["require_cryptographic_holder_binding"] = false.into();
    let good = query("dc+sd-jwt");
    for body in [
        json!({}),
        json!({ "query": {} }),
        json!({ "query": unbound }),
        json!({ "query": query("mso_mdoc") }),
        json!({ "query": good, "response_mode": "fragment" }),
        json!({ "query": good, "client_id_prefix": "x509_san_dns" }),
        json!({ "query": good, "trusted_issuers": ["https://issuer.example"] }),
        json!({ "query": good, "trusted_issuers": vec!["did:web:a.example"; 33] }),
        json!({ "query": good, "valid_for": 0 }),
        json!({ "query": good, "valid_for": 601 }),
        json!({ "query": good, "redirect_uri": "http://shop.example" }),
        json!({ "query": good, "redirect_uri": "javascript:alert(1)" }),
        json!({ "query": good, "redirect_uri": "https://shop.example/#a" }),
        json!({ "query": good, "transaction_data": [] }),
    ] {
        let reply = asked(&fixture, &authorization, &body).await;
        assert_eq!(reply.problem(), "malformed-request", "{body}");
    }
}

#[tokio::test]
async fn a_client_has_so_many_requests_at_once() {
    let fixture = Fixture::new().await;
    let authorization = bearer(&fixture, &[Scope::PresentationsRequest]).await;
    let body = json!({ "query": query("dc+sd-jwt") });
    for _ in 0..256 {
        assert_eq!(asked(&fixture, &authorization, &body).await.status, 201);
    }
    assert_eq!(
        asked(&fixture, &authorization, &body).await.problem(),
        "rate-limited"
    );
    let other = bearer(&fixture, &[Scope::PresentationsRequest]).await;
    assert_eq!(asked(&fixture, &other, &body).await.status, 201);
    fixture.clock.advance(600);
    let authorization = bearer(&fixture, &[Scope::PresentationsRequest]).await;
    assert_eq!(asked(&fixture, &authorization, &body).await.status, 201);
}

#[tokio::test]
async fn a_repeated_request_is_the_same_request() {
    let fixture = Fixture::new().await;
    let authorization = bearer(&fixture, &[Scope::PresentationsRequest]).await;
    let body = json!({ "query": query("dc+sd-jwt") }).to_string();
    let ask = async |key: &str| {
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        post(&fixture, REQUESTS, &body, &headers).await.json()
    };
    let first = ask("one").await;
    assert_eq!(ask("one").await, first);
    assert_ne!(ask("two").await["id"], first["id"]);
}
