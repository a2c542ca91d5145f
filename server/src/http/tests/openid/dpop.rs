//! Tokens bound to a key of the wallet's (RFC 9449).

use blindprint_openid4vc::dpop::{Request as Target, prove};

use super::*;

const ONE: &str = "consent-receipt_dc+sd-jwt";

fn shown(
    fixture: &Fixture,
    key: &SigningKey,
    path: &str,
    token: Option<&str>,
    nonce: Option<&str>,
) -> String {
    let target = Target {
        method: "POST",
        url: &format!("{SERVICE}{path}"),
        access_token: token,
    };
    prove(key, &target, nonce, fixture.clock.now(), &SystemEntropy).unwrap()
}

async fn redeem(fixture: &Fixture, made: &Made, proof: &str) -> Reply {
    let body = made.request().to_form();
    form(fixture, TOKEN, body.expose_secret(), &[("dpop", proof)]).await
}

fn next_nonce(reply: &Reply) -> String {
    reply.headers["dpop-nonce"].to_str().unwrap().to_owned()
}

/// A bound token, and the nonce for the next proof.
async fn bound(fixture: &Fixture, key: &SigningKey) -> (String, String) {
    let made = any_offer(fixture, &[ONE]).await;
    let refused = redeem(fixture, &made, &shown(fixture, key, TOKEN, None, None)).await;
    assert_eq!(
        (refused.status.as_u16(), refused.error()),
        (400, "use_dpop_nonce".to_owned())
    );
    let proof = shown(fixture, key, TOKEN, None, Some(&next_nonce(&refused)));
    let reply = redeem(fixture, &made, &proof).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(reply.json()["token_type"], "DPoP");
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    (token, next_nonce(&reply))
}

async fn use_token(fixture: &Fixture, scheme: &str, token: &str, proofs: &[&str]) -> Reply {
    let authorization = format!("{scheme} {token}");
    let mut headers = vec![
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
    post(fixture, CREDENTIAL, "{}", &headers).await
}

#[tokio::test]
async fn a_bound_token_needs_its_key_every_time() {
    let fixture = Fixture::new().await;
    for key_type in [KeyType::Ed25519, KeyType::P256] {
        let (mine, other) = (key(key_type), key(key_type));
        let (token, nonce) = bound(&fixture, &mine).await;
        let at = |key: &SigningKey, path: &str, token: Option<&str>, nonce: Option<&str>| {
            shown(&fixture, key, path, token, nonce)
        };
        let good = || at(&mine, CREDENTIAL, Some(&token), Some(&nonce));
        // What is refused at this point has passed the token.
        let passed = |reply: Reply| reply.error() == "invalid_credential_request";
        assert!(passed(
            use_token(&fixture, "DPoP", &token, &[&good()]).await
        ));
        let refused: [(&str, Vec<String>, &str); 8] = [
            ("DPoP", vec![], "invalid_dpop_proof"),
            ("Bearer", vec![], "invalid_token"),
            ("Bearer", vec![good()], "invalid_token"),
            (
                "DPoP",
                vec![at(&other, CREDENTIAL, Some(&token), Some(&nonce))],
                "invalid_token",
            ),
            (
                "DPoP",
                vec![at(&mine, TOKEN, Some(&token), Some(&nonce))],
                "invalid_dpop_proof",
            ),
            (
                "DPoP",
                vec![at(&mine, CREDENTIAL, Some("other"), Some(&nonce))],
                "invalid_dpop_proof",
            ),
            (
                "DPoP",
                vec![at(&mine, CREDENTIAL, None, Some(&nonce))],
                "invalid_dpop_proof",
            ),
            ("DPoP", vec![good(), good()], "invalid_dpop_proof"),
        ];
        for (scheme, proofs, error) in refused {
            let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
            let reply = use_token(&fixture, scheme, &token, &proofs).await;
            assert_eq!(
                (reply.status.as_u16(), reply.error()),
                (401, error.to_owned()),
                "{scheme}"
            );
            let challenge = reply.headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with(scheme), "{challenge}");
        }
    }
}

#[tokio::test]
async fn a_proof_is_taken_once_and_with_a_fresh_nonce_only() {
    let fixture = Fixture::new().await;
    let mine = key(KeyType::Ed25519);
    let (token, nonce) = bound(&fixture, &mine).await;
    let proof = shown(&fixture, &mine, CREDENTIAL, Some(&token), Some(&nonce));
    let reply = use_token(&fixture, "DPoP", &token, &[&proof]).await;
    assert_eq!(reply.error(), "invalid_credential_request");
    let reply = use_token(&fixture, "DPoP", &token, &[&proof]).await;
    assert_eq!(reply.error(), "invalid_dpop_proof", "replayed");
    let c_nonce = super::nonce(&fixture).await;
    for stale in [None, Some("x"), Some(c_nonce.as_str())] {
        let proof = shown(&fixture, &mine, CREDENTIAL, Some(&token), stale);
        let reply = use_token(&fixture, "DPoP", &token, &[&proof]).await;
        assert_eq!(
            (reply.status.as_u16(), reply.error()),
            (401, "use_dpop_nonce".to_owned())
        );
        let proof = shown(
            &fixture,
            &mine,
            CREDENTIAL,
            Some(&token),
            Some(&next_nonce(&reply)),
        );
        let reply = use_token(&fixture, "DPoP", &token, &[&proof]).await;
        assert_eq!(reply.error(), "invalid_credential_request");
    }
    fixture.clock.advance(300);
    let proof = shown(&fixture, &mine, CREDENTIAL, Some(&token), Some(&nonce));
    let reply = use_token(&fixture, "DPoP", &token, &[&proof]).await;
    assert_eq!(reply.error(), "use_dpop_nonce", "the nonce has ended");
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_no_dpop_token() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[ONE]).await;
    let token = redeemed(&fixture, &made).await;
    let token = token.strip_prefix("Bearer ").unwrap();
    let reply = use_token(&fixture, "DPoP", token, &[]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (401, "invalid_token".to_owned())
    );
}

#[tokio::test]
async fn a_bad_proof_does_not_spend_the_code() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[ONE]).await;
    assert_eq!(
        redeem(&fixture, &made, "a.b.c").await.error(),
        "invalid_dpop_proof"
    );
    redeemed(&fixture, &made).await;
}
