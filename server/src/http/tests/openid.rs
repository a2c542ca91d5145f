//! OAuth 2.0, `OpenID4VCI` and `OpenID4VP` as clients and wallets meet them.

mod clients;
mod dpop;
mod issuing;
mod offers;
mod presenting;
mod redeeming;

use axum::{body::Body, http::Request};
use blindprint_core::{ConsentId, SystemEntropy, wire::CredentialOffer};
use blindprint_did::{KeyType, SigningKey};
use blindprint_openid4vc::vci::{
    CredentialResponse, Grant, Offer, OfferLink, TokenRequest, prove_key,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{
    Fixture,
    fixture::{Reply, SERVICE},
    wallets,
};
use crate::{
    domain::{ClientId, Scope, add_client},
    store::SubjectStore as _,
};
use blindprint_core::Clock as _;

const TOKEN: &str = "/oauth2/token";
const CREDENTIAL: &str = "/openid4vci/credential";

impl Reply {
    /// The code of an error in the form of OAuth.
    pub fn error(&self) -> String {
        let body = self.json();
        assert!(self.status.is_client_error(), "{}: {body}", self.status);
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.headers["cache-control"], "no-store");
        assert!(body["error_description"].is_string(), "{body}");
        body["error"].as_str().unwrap().to_owned()
    }
}

/// A POST with these headers.
async fn post(fixture: &Fixture, path: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    fixture
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

async fn form(fixture: &Fixture, path: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/x-www-form-urlencoded"));
    post(fixture, path, body, &headers).await
}

/// A machine client.
async fn client(fixture: &Fixture, scopes: &[Scope]) -> (ClientId, SecretString) {
    add_client(
        &*fixture.store,
        "shop".to_owned(),
        scopes.iter().copied().collect(),
        &SystemEntropy,
        fixture.clock.now(),
    )
    .await
    .unwrap()
}

/// A machine client's `Authorization`.
async fn bearer(fixture: &Fixture, scopes: &[Scope]) -> String {
    let (id, secret) = client(fixture, scopes).await;
    let body = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={}",
        secret.expose_secret()
    );
    let reply = form(fixture, TOKEN, &body, &[]).await;
    assert_eq!(reply.status, 200);
    format!("Bearer {}", reply.json()["access_token"].as_str().unwrap())
}

/// Somebody who consented, and the consent.
async fn person(fixture: &Fixture) -> (SigningKey, ConsentId) {
    let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
    wallets::met(fixture, &key).await;
    let consents = fixture.store.consents_of(&key.public().subject()).await;
    let consent = consents.unwrap().remove(0).id;
    (key, consent)
}

fn wanted(consent: ConsentId, configurations: &[&str]) -> Value {
    json!({
        "configurations": configurations,
        "basis": { "kind": "consent", "id": consent },
    })
}

/// An offer that was made, as its wallet and its owner see it.
struct Made {
    wire: CredentialOffer,
    offer: Offer,
}

impl Made {
    fn code(&self) -> &str {
        &self.offer.pre_authorized().unwrap().code
    }

    fn request(&self) -> TokenRequest {
        TokenRequest {
            grant: Grant::PreAuthorized {
                code: self.code().into(),
                tx_code: self.wire.tx_code.as_deref().map(Into::into),
            },
            client_id: None,
            client_secret: None,
            scope: None,
            authorization_details: Vec::new(),
        }
    }
}

async fn offer(fixture: &Fixture, key: &SigningKey, wanted: &Value) -> Made {
    let path = "/v1/credential-offers";
    let reply = fixture.signed(key, "POST", path, &wanted.to_string()).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    let wire: CredentialOffer = serde_json::from_slice(&reply.body).unwrap();
    let OfferLink::Value(offer) = OfferLink::parse(&wire.by_value).unwrap() else {
        panic!("not by value");
    };
    Made { wire, offer }
}

/// An offer of these configurations of a consent receipt, to somebody new.
async fn any_offer(fixture: &Fixture, configurations: &[&str]) -> Made {
    let (key, consent) = person(fixture).await;
    offer(fixture, &key, &wanted(consent, configurations)).await
}

/// A wallet's `Authorization` for an offer.
async fn redeemed(fixture: &Fixture, offer: &Made) -> String {
    let body = offer.request().to_form();
    let reply = form(fixture, TOKEN, body.expose_secret(), &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    format!("Bearer {}", reply.json()["access_token"].as_str().unwrap())
}

async fn nonce(fixture: &Fixture) -> String {
    let reply = post(fixture, "/openid4vci/nonce", "", &[]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["cache-control"], "no-store");
    reply.json()["c_nonce"].as_str().unwrap().to_owned()
}

fn key(key_type: KeyType) -> SigningKey {
    SigningKey::generate(key_type, &SystemEntropy)
}

fn proof(fixture: &Fixture, key: &SigningKey, nonce: &str) -> String {
    prove_key(key, SERVICE, Some(nonce), None, fixture.clock.now()).unwrap()
}

async fn ask(fixture: &Fixture, authorization: &str, body: &Value) -> Reply {
    let headers = [
        ("authorization", authorization),
        ("content-type", "application/json"),
    ];
    post(fixture, CREDENTIAL, &body.to_string(), &headers).await
}

/// One copy for each of these keys.
async fn receive(
    fixture: &Fixture,
    authorization: &str,
    configuration: &str,
    keys: &[&SigningKey],
) -> CredentialResponse {
    let nonce = nonce(fixture).await;
    let proofs: Vec<_> = keys.iter().map(|key| proof(fixture, key, &nonce)).collect();
    let body = json!({
        "credential_configuration_id": configuration,
        "proofs": { "jwt": proofs },
    });
    let reply = ask(fixture, authorization, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(reply.headers["cache-control"], "no-store");
    CredentialResponse::parse(&reply.body).unwrap()
}
