//! The credential endpoint: what is issued, once, and what becomes of it.

mod refusals;

use blindprint_core::Digest;
use blindprint_credentials::{Check, CredentialChecks, UnverifiedCredential, VerifyError};
use blindprint_openid4vc::{
    jwe::{self, DecryptionKey, Encryption, Jwks, Parties, RecipientKey},
    vci::ResponseEncryption,
};

use super::*;
use crate::{
    domain::{
        issued::{Standing, StatusEntry, Whose},
        record::Effect,
    },
    http::tests::fixture::stamp,
    store::{CredentialStore as _, OperationStore as _},
};

const SD_JWT: &str = "consent-receipt_dc+sd-jwt";
const ALL: [&str; 5] = [
    "consent-receipt_ldp_vc",
    "consent-receipt_ldp_vc_rdfc",
    "consent-receipt_jwt_vc_json",
    "consent-receipt_dc+sd-jwt",
    "consent-receipt_dc+sd-jwt_es256",
];

fn issued(response: CredentialResponse) -> (Vec<Value>, String) {
    match response {
        CredentialResponse::Issued {
            credentials,
            notification_id,
        } => (credentials, notification_id.unwrap()),
        CredentialResponse::Deferred { .. } => panic!("nothing is deferred"),
    }
}

async fn verify(
    fixture: &Fixture,
    credential: &Value,
) -> Result<blindprint_credentials::VerifiedCredential, VerifyError> {
    let verifications = fixture.app.public.credentials.verifications();
    let credential = UnverifiedCredential::from_value(credential.clone())?;
    let checks = CredentialChecks::default();
    verifications.credential(credential, checks).await.unwrap()
}

fn body(configuration: &str, proofs: &[String]) -> Value {
    json!({ "credential_configuration_id": configuration, "proofs": { "jwt": proofs } })
}

#[tokio::test]
async fn every_format_is_issued_to_every_key_and_verifies() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &ALL).await;
    let token = redeemed(&fixture, &made).await;
    for configuration in ALL {
        let keys = [key(KeyType::Ed25519), key(KeyType::P256)];
        let response = receive(&fixture, &token, configuration, &keys.each_ref()).await;
        let (credentials, _) = issued(response);
        assert_eq!(credentials.len(), 2);
        for (credential, key) in credentials.iter().zip(&keys) {
            let verified = verify(&fixture, credential).await.unwrap();
            assert_eq!(
                verified.issuer(),
                fixture.app.public.credentials.issuer().now().did().as_str()
            );
            match verified.holder_key() {
                Some(holder) => assert_eq!(*holder, key.public(), "{configuration}"),
                None => assert_eq!(verified.holder(), Some(key.public().uri().as_str())),
            }
            let told = |check: &Check| matches!(check, Check::Status { .. });
            assert!(verified.checks().iter().any(told), "{configuration}");
        }
    }
}

#[tokio::test]
async fn each_configuration_comes_once() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[SD_JWT, "consent-receipt_ldp_vc"]).await;
    let token = redeemed(&fixture, &made).await;
    let holder = key(KeyType::Ed25519);
    receive(&fixture, &token, SD_JWT, &[&holder]).await;
    let proof = proof(&fixture, &holder, &nonce(&fixture).await);
    let reply = ask(&fixture, &token, &body(SD_JWT, &[proof])).await;
    assert_eq!(reply.error(), "credential_request_denied");
    receive(&fixture, &token, "consent-receipt_ldp_vc", &[&holder]).await;
}

#[tokio::test]
async fn two_at_once_are_issued_once() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[SD_JWT]).await;
    let token = redeemed(&fixture, &made).await;
    let holder = key(KeyType::Ed25519);
    let requests = [nonce(&fixture).await, nonce(&fixture).await]
        .map(|nonce| body(SD_JWT, &[proof(&fixture, &holder, &nonce)]));
    let (a, b) = tokio::join!(
        ask(&fixture, &token, &requests[0]),
        ask(&fixture, &token, &requests[1])
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn a_nonce_serves_one_request_within_five_minutes() {
    let fixture = Fixture::new().await;
    let holder = key(KeyType::Ed25519);
    let tokens = [
        redeemed(&fixture, &any_offer(&fixture, &[SD_JWT]).await).await,
        redeemed(&fixture, &any_offer(&fixture, &[SD_JWT]).await).await,
    ];
    let nonce = nonce(&fixture).await;
    let request = body(SD_JWT, &[proof(&fixture, &holder, &nonce)]);
    assert_eq!(ask(&fixture, &tokens[0], &request).await.status, 200);
    assert_eq!(
        ask(&fixture, &tokens[1], &request).await.error(),
        "invalid_nonce"
    );
    let nonce = super::nonce(&fixture).await;
    fixture.clock.advance(300);
    let late = body(SD_JWT, &[proof(&fixture, &holder, &nonce)]);
    assert_eq!(
        ask(&fixture, &tokens[1], &late).await.error(),
        "invalid_nonce"
    );
}

#[tokio::test]
async fn the_single_proof_of_older_wallets_is_taken() {
    let fixture = Fixture::new().await;
    let token = redeemed(&fixture, &any_offer(&fixture, &[SD_JWT]).await).await;
    let proof = proof(&fixture, &key(KeyType::P256), &nonce(&fixture).await);
    let body = json!({
        "credential_configuration_id": SD_JWT,
        "proof": { "proof_type": "jwt", "jwt": proof },
    });
    let reply = ask(&fixture, &token, &body).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        issued(CredentialResponse::parse(&reply.body).unwrap())
            .0
            .len(),
        1
    );
}

#[tokio::test]
async fn an_answer_is_encrypted_to_who_asks_for_that() {
    let fixture = Fixture::new().await;
    for enc in [Encryption::A128Gcm, Encryption::A256Gcm] {
        let token = redeemed(&fixture, &any_offer(&fixture, &[SD_JWT]).await).await;
        let recipient = DecryptionKey::generate(&SystemEntropy).named("mine");
        let wanted = ResponseEncryption {
            key: recipient.public(),
            enc,
        };
        let proof = proof(&fixture, &key(KeyType::Ed25519), &nonce(&fixture).await);
        let mut body = body(SD_JWT, &[proof]);
        body["credential_response_encryption"] =
            json!({ "jwk": wanted.key.to_jwk(), "enc": enc.name() });
        let reply = ask(&fixture, &token, &body).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["content-type"], "application/jwt");
        assert_eq!(reply.headers["cache-control"], "no-store");
        let jwe = String::from_utf8(reply.body).unwrap();
        let (credentials, _) = issued(CredentialResponse::open(&jwe, &recipient).unwrap());
        verify(&fixture, &credentials[0]).await.unwrap();
    }
}

#[tokio::test]
async fn a_request_may_be_encrypted_to_the_published_key() {
    let fixture = Fixture::new().await;
    let metadata = fixture
        .get("/.well-known/openid-credential-issuer")
        .await
        .json();
    let support = &metadata["credential_request_encryption"];
    let jwks: Jwks = serde_json::from_value(support["jwks"].clone()).unwrap();
    let published = jwks.recipient().unwrap();
    let token = redeemed(&fixture, &any_offer(&fixture, &[SD_JWT]).await).await;
    let send = async |to: &RecipientKey| {
        let proof = proof(&fixture, &key(KeyType::Ed25519), &nonce(&fixture).await);
        let clear = body(SD_JWT, &[proof]).to_string();
        let (enc, parties) = (Encryption::A256Gcm, Parties::default());
        let sealed = jwe::encrypt(clear.as_bytes(), to, enc, parties, &SystemEntropy);
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/jwt"),
        ];
        post(&fixture, "/openid4vci/credential", &sealed, &headers).await
    };
    let other = send(&DecryptionKey::generate(&SystemEntropy).public()).await;
    assert_eq!(other.error(), "invalid_encryption_parameters");
    let reply = send(&published).await;
    assert_eq!(reply.status, 200);
    let (credentials, _) = issued(CredentialResponse::parse(&reply.body).unwrap());
    verify(&fixture, &credentials[0]).await.unwrap();
}

#[tokio::test]
async fn what_is_withdrawn_between_offer_and_request_is_not_issued() {
    let fixture = Fixture::new().await;
    let (owner, consent) = person(&fixture).await;
    let made = offer(&fixture, &owner, &wanted(consent, &[SD_JWT, ALL[0]])).await;
    let token = redeemed(&fixture, &made).await;
    let holders = [key(KeyType::Ed25519), key(KeyType::P256)];
    let (credentials, _) = issued(receive(&fixture, &token, ALL[0], &holders.each_ref()).await);
    withdraw(&fixture, &owner, consent).await;
    let proof = proof(&fixture, &key(KeyType::Ed25519), &nonce(&fixture).await);
    let reply = ask(&fixture, &token, &body(SD_JWT, &[proof])).await;
    assert_eq!(reply.error(), "credential_request_denied");
    for credential in &credentials {
        let refused = verify(&fixture, credential).await.unwrap_err();
        assert_eq!(refused, VerifyError::Revoked, "all copies together");
    }
}

pub(super) async fn withdraw(fixture: &Fixture, owner: &SigningKey, consent: ConsentId) {
    let jws: blindprint_core::Jws = "a.e30.AA".parse().unwrap();
    let subject = owner.public().subject();
    let now = fixture.clock.now();
    let sequence = fixture
        .store
        .begin_operation(&subject, b"", now)
        .await
        .unwrap();
    let effect = Effect::ConsentWithdrawn {
        subject,
        consent,
        at: now,
        withdrawal: Some(jws.clone()),
        head: Digest::of("head", b""),
        receipt: jws,
    };
    fixture
        .store
        .finish_operation(sequence, &[effect], &[], stamp())
        .await
        .unwrap();
}

#[tokio::test]
async fn suspended_credentials_come_back() {
    let fixture = Fixture::new().await;
    let token = redeemed(&fixture, &any_offer(&fixture, &[SD_JWT]).await).await;
    let (credentials, _) =
        issued(receive(&fixture, &token, SD_JWT, &[&key(KeyType::Ed25519)]).await);
    let verified = verify(&fixture, &credentials[0]).await.unwrap();
    let status = &verified.claims()["status"]["status_list"];
    let list = status["uri"].as_str().unwrap().rsplit('/').next().unwrap();
    let entry = StatusEntry {
        list: list.parse().unwrap(),
        index: status["idx"].as_u64().unwrap().try_into().unwrap(),
    };
    let change = async |to| {
        let whose = Whose::Anybody(entry);
        fixture
            .store
            .change_standing(&whose, to, stamp())
            .await
            .unwrap();
        fixture.clock.advance(61);
    };
    change(Standing::Suspended).await;
    assert_eq!(
        verify(&fixture, &credentials[0]).await.unwrap_err(),
        VerifyError::Suspended
    );
    change(Standing::Valid).await;
    verify(&fixture, &credentials[0]).await.unwrap();
}

#[tokio::test]
async fn a_wallet_tells_what_became_of_its_credentials() {
    let fixture = Fixture::new().await;
    let token = redeemed(&fixture, &any_offer(&fixture, &[SD_JWT]).await).await;
    let other = redeemed(&fixture, &any_offer(&fixture, &[SD_JWT]).await).await;
    let (_, id) = issued(receive(&fixture, &token, SD_JWT, &[&key(KeyType::Ed25519)]).await);
    let tell = async |token: &str, body: Value| {
        let headers = [
            ("authorization", token),
            ("content-type", "application/json"),
        ];
        post(
            &fixture,
            "/openid4vci/notification",
            &body.to_string(),
            &headers,
        )
        .await
    };
    let event = |id: &str, event: &str| json!({ "notification_id": id, "event": event });
    for name in [
        "credential_accepted",
        "credential_accepted",
        "credential_failure",
        "credential_deleted",
    ] {
        let reply = tell(&token, event(&id, name)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.body.len()),
            (204, 0),
            "{name}"
        );
    }
    let reply = tell(&token, event("other", "credential_accepted")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (400, "invalid_notification_id".to_owned())
    );
    let reply = tell(&other, event(&id, "credential_accepted")).await;
    assert_eq!(reply.error(), "invalid_notification_id", "of another offer");
    for body in [
        event(&id, "credential_lost"),
        json!({ "event": "credential_accepted" }),
        json!([]),
    ] {
        let reply = tell(&token, body).await;
        assert_eq!(reply.error(), "invalid_notification_request");
    }
    let reply = tell("Bearer x", event(&id, "credential_accepted")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (401, "invalid_token".to_owned())
    );
}

#[tokio::test]
async fn a_wallets_token_ends() {
    let fixture = Fixture::new().await;
    let token = redeemed(&fixture, &any_offer(&fixture, &[SD_JWT]).await).await;
    fixture.clock.advance(599);
    assert_eq!(ask(&fixture, &token, &json!({})).await.status, 400);
    fixture.clock.advance(1);
    let reply = ask(&fixture, &token, &json!({})).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (401, "invalid_token".to_owned())
    );
    let reply = post(
        &fixture,
        CREDENTIAL,
        "{}",
        &[("content-type", "application/json")],
    )
    .await;
    assert_eq!(reply.status, 401);
    let challenge = reply.headers["www-authenticate"].to_str().unwrap();
    assert!(
        !challenge.contains("error") && challenge.contains("DPoP"),
        "{challenge}"
    );
}
