//! Requests for which nothing is issued.

use blindprint_did::{Jwk, jwt};

use super::*;

#[tokio::test]
async fn what_is_asked_wrongly_is_told_precisely() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[SD_JWT]).await;
    let token = redeemed(&fixture, &made).await;
    let holder = key(KeyType::Ed25519);
    let nonce = nonce(&fixture).await;
    let good = proof(&fixture, &holder, &nonce);
    let with = |name: &str, value: Value| {
        let mut body = body(SD_JWT, std::slice::from_ref(&good));
        body[name] = value;
        body
    };
    let encryption = |jwk: Value, enc: &str| json!({ "jwk": jwk, "enc": enc });
    let recipient = DecryptionKey::generate(&SystemEntropy).public().to_jwk();
    let ed25519 = serde_json::to_value(Jwk::from(&holder.public())).unwrap();
    let many: Vec<_> = (0..17)
        .map(|_| proof(&fixture, &key(KeyType::Ed25519), &nonce))
        .collect();
    for (body, error) in [
        (json!({}), "invalid_credential_request"),
        (
            with("credential_identifier", "x".into()),
            "invalid_credential_request",
        ),
        (
            with("proof", json!({ "proof_type": "jwt", "jwt": good })),
            "invalid_credential_request",
        ),
        (
            body("mso_mdoc", std::slice::from_ref(&good)),
            "unknown_credential_configuration",
        ),
        (
            body("enrolment_ldp_vc", std::slice::from_ref(&good)),
            "credential_request_denied",
        ),
        (
            json!({ "credential_identifier": "x", "proofs": { "jwt": [good] } }),
            "unknown_credential_identifier",
        ),
        (
            json!({ "credential_configuration_id": SD_JWT }),
            "invalid_proof",
        ),
        (with("proofs", json!({ "jwt": [] })), "invalid_proof"),
        (
            with("proofs", json!({ "attestation": [good] })),
            "invalid_proof",
        ),
        (
            with("proofs", json!({ "jwt": [good, good] })),
            "invalid_proof",
        ),
        (with("proofs", json!({ "jwt": ["a.b.c"] })), "invalid_proof"),
        (body(SD_JWT, &many), "invalid_credential_request"),
        (
            with("credential_response_encryption", json!({})),
            "invalid_encryption_parameters",
        ),
        (
            with(
                "credential_response_encryption",
                encryption(ed25519, "A128GCM"),
            ),
            "invalid_encryption_parameters",
        ),
        (
            with(
                "credential_response_encryption",
                encryption(recipient, "A128CBC-HS256"),
            ),
            "invalid_encryption_parameters",
        ),
    ] {
        let reply = ask(&fixture, &token, &body).await;
        assert_eq!(
            (reply.status.as_u16(), reply.error()),
            (400, error.to_owned()),
            "{body}"
        );
    }
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    for text in ["", "[]", "{"] {
        let reply = post(&fixture, CREDENTIAL, text, &headers).await;
        assert_eq!(reply.error(), "invalid_credential_request");
    }
    let reply = post(&fixture, CREDENTIAL, "{}", &[headers[0]]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.error()),
        (415, "invalid_request".to_owned())
    );
    // None of that has used the offer or the nonce up.
    assert_eq!(
        ask(&fixture, &token, &body(SD_JWT, &[good])).await.status,
        200
    );
}

#[tokio::test]
async fn one_bad_proof_among_good_ones_issues_nothing() {
    let fixture = Fixture::new().await;
    let made = any_offer(&fixture, &[SD_JWT]).await;
    let token = redeemed(&fixture, &made).await;
    let (first, second) = (key(KeyType::Ed25519), key(KeyType::P256));
    let nonce = nonce(&fixture).await;
    let good = proof(&fixture, &first, &nonce);
    let now = fixture.clock.now();
    let forged = |typ: &str, claims: Value| {
        let mut header = serde_json::Map::new();
        header.insert("typ".to_owned(), typ.into());
        header.insert(
            "jwk".to_owned(),
            serde_json::to_value(Jwk::from(&second.public())).unwrap(),
        );
        jwt::sign(&second, header, &claims).unwrap()
    };
    let typ = "openid4vci-proof+jwt";
    let mut swapped = prove_key(&second, SERVICE, Some(&nonce), None, now).unwrap();
    swapped.replace_range(swapped.len() - 8.., "AAAAAAAA");
    for (bad, error) in [
        (
            forged("jwt", json!({ "aud": SERVICE, "iat": now, "nonce": nonce })),
            "invalid_proof",
        ),
        (
            forged(
                typ,
                json!({ "aud": "https://evil.example", "iat": now, "nonce": nonce }),
            ),
            "invalid_proof",
        ),
        (
            forged(
                typ,
                json!({ "aud": SERVICE, "iat": now.plus(-301), "nonce": nonce }),
            ),
            "invalid_proof",
        ),
        (
            forged(
                typ,
                json!({ "aud": SERVICE, "iat": now.plus(61), "nonce": nonce }),
            ),
            "invalid_proof",
        ),
        (
            forged(typ, json!({ "aud": SERVICE, "iat": now })),
            "invalid_proof",
        ),
        (
            forged(
                typ,
                json!({ "aud": SERVICE, "iat": now, "nonce": nonce, "iss": "w" }),
            ),
            "invalid_proof",
        ),
        (swapped, "invalid_proof"),
        (proof(&fixture, &second, "made-up"), "invalid_nonce"),
        (
            proof(&fixture, &second, &fixture.app.openid.dpop_nonce()),
            "invalid_nonce",
        ),
    ] {
        let reply = ask(&fixture, &token, &body(SD_JWT, &[good.clone(), bad])).await;
        assert_eq!(
            (reply.status.as_u16(), reply.error()),
            (400, error.to_owned())
        );
    }
    assert_eq!(
        ask(&fixture, &token, &body(SD_JWT, &[good])).await.status,
        200
    );
}
