//! Pre-authorised codes.

use super::*;

const ONE: &str = "consent-receipt_dc+sd-jwt";

async fn redeem(fixture: &Fixture, request: TokenRequest) -> Reply {
    form(fixture, TOKEN, request.to_form().expose_secret(), &[]).await
}

fn with_tx_code(made: &Made, tx_code: Option<&str>) -> TokenRequest {
    TokenRequest {
        grant: Grant::PreAuthorized {
            code: made.code().into(),
            tx_code: tx_code.map(Into::into),
        },
        ..made.request()
    }
}

#[tokio::test]
async fn a_code_redeemed_twice_is_good_for_nobody() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[ONE]).await;
    let token = redeemed(&fixture, &made).await;
    // Whoever has seen the code without the transaction code ends nothing.
    let reply = redeem(&fixture, with_tx_code(&made, None)).await;
    assert_eq!(reply.error(), "invalid_request");
    assert_eq!(
        ask(&fixture, &token, &json!({})).await.error(),
        "invalid_credential_request"
    );
    let reply = redeem(&fixture, made.request()).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (400, "invalid_grant".to_owned())
    );
    let reply = ask(&fixture, &token, &json!({})).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (401, "invalid_token".to_owned())
    );
}

#[tokio::test]
async fn two_at_once_get_one_token() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[ONE]).await;
    let (a, b) = tokio::join!(
        redeem(&fixture, made.request()),
        redeem(&fixture, made.request())
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn five_wrong_transaction_codes_end_an_offer() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[ONE]).await;
    let wrong = if made.wire.tx_code.as_deref() == Some("000000") {
        "000001"
    } else {
        "000000"
    };
    for _ in 0..5 {
        let reply = redeem(&fixture, with_tx_code(&made, Some(wrong))).await;
        assert_eq!(reply.error(), "invalid_grant");
    }
    assert_eq!(
        redeem(&fixture, made.request()).await.error(),
        "invalid_grant"
    );
}

#[tokio::test]
async fn an_offer_without_transaction_code_takes_none() {
    let fixture = Fixture::new().await;
    let (key, consent) = person(&fixture).await;
    let mut body = wanted(consent, &[ONE]);
    body["tx_code"] = false.into();
    let made = offer(&fixture, &key, &body).await;
    assert_eq!(made.wire.tx_code, None);
    assert_eq!(made.offer.pre_authorized().unwrap().tx_code, None);
    let reply = redeem(&fixture, with_tx_code(&made, Some("123456"))).await;
    assert_eq!(reply.error(), "invalid_request");
    assert_eq!(redeem(&fixture, made.request()).await.status, 200);
}

#[tokio::test]
async fn an_offer_for_one_wallet_is_redeemed_by_no_other() {
    let fixture = Fixture::new().await;
    let (key, consent) = person(&fixture).await;
    let mut body = wanted(consent, &[ONE]);
    body["client_id"] = "https://wallet.example".into();
    let made = offer(&fixture, &key, &body).await;
    let by = |client: Option<&str>| TokenRequest {
        client_id: client.map(str::to_owned),
        ..made.request()
    };
    assert_eq!(redeem(&fixture, by(None)).await.error(), "invalid_client");
    assert_eq!(
        redeem(&fixture, by(Some("https://evil.example")))
            .await
            .error(),
        "invalid_grant"
    );
    let reply = redeem(&fixture, by(Some("https://wallet.example"))).await;
    assert_eq!(reply.status, 200);
    // And its key proofs are its own.
    let token = format!("Bearer {}", reply.json()["access_token"].as_str().unwrap());
    let (holder, nonce) = (self::key(KeyType::Ed25519), nonce(&fixture).await);
    let proof = |client| {
        let now = fixture.clock.now();
        prove_key(&holder, SERVICE, Some(&nonce), Some(client), now).unwrap()
    };
    for (client, status) in [
        ("https://evil.example", 400),
        ("https://wallet.example", 200),
    ] {
        let body = json!({
            "credential_configuration_id": ONE,
            "proofs": { "jwt": [proof(client)] },
        });
        assert_eq!(ask(&fixture, &token, &body).await.status.as_u16(), status);
    }
}

#[tokio::test]
async fn what_is_no_code_is_refused_and_leaves_nothing_behind() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[ONE]).await;
    let request = |code: &str| TokenRequest {
        grant: Grant::PreAuthorized {
            code: code.into(),
            tx_code: None,
        },
        ..made.request()
    };
    for code in ["x", &"A".repeat(43), &made.code()[1..]] {
        assert_eq!(
            redeem(&fixture, request(code)).await.error(),
            "invalid_grant",
            "{code}"
        );
    }
    let secret = TokenRequest {
        client_secret: Some("s".into()),
        client_id: Some("w".to_owned()),
        ..made.request()
    };
    assert_eq!(
        redeem(&fixture, secret).await.error(),
        "unauthorized_client"
    );
    assert_eq!(redeem(&fixture, made.request()).await.status, 200);
}

#[tokio::test]
async fn details_are_answered_with_identifiers_that_work() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[ONE, "consent-receipt_ldp_vc"]).await;
    let detail = |id: &str| {
        json!([{ "type": "openid_credential", "credential_configuration_id": id }]).to_string()
    };
    let body = |id: &str| {
        let details =
            url::form_urlencoded::byte_serialize(detail(id).as_bytes()).collect::<String>();
        format!(
            "{}&authorization_details={details}",
            made.request().to_form().expose_secret()
        )
    };
    let reply = form(&fixture, TOKEN, &body("enrolment_ldp_vc"), &[]).await;
    assert_eq!(reply.error(), "invalid_request");
    let reply = form(&fixture, TOKEN, &body(ONE), &[]).await;
    assert_eq!(reply.status, 200, "a wrong detail has not spent the code");
    let identifier = reply.json()["authorization_details"][0]["credential_identifiers"][0].clone();
    let token = format!("Bearer {}", reply.json()["access_token"].as_str().unwrap());
    let (holder, nonce) = (self::key(KeyType::P256), nonce(&fixture).await);
    let ask_for = |identifier: Value| {
        json!({
            "credential_identifier": identifier,
            "proofs": { "jwt": [proof(&fixture, &holder, &nonce)] },
        })
    };
    let reply = ask(&fixture, &token, &ask_for("other".into())).await;
    assert_eq!(reply.error(), "unknown_credential_identifier");
    assert_eq!(
        ask(&fixture, &token, &ask_for(identifier)).await.status,
        200
    );
}
