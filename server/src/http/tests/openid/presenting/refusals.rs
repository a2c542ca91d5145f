//! What a verifier does not take, and what its client learns of it.

use blindprint_credentials::{Credential, sd_jwt::SdJwt};

use super::*;

#[tokio::test]
async fn what_does_not_hold_is_told_to_the_client_and_ends_the_request() {
    let fixture = Fixture::new().await;
    for (configuration, format) in [
        ("consent-receipt_ldp_vc", "ldp_vc"),
        ("consent-receipt_jwt_vc_json", "jwt_vc_json"),
        (SD_JWT, "dc+sd-jwt"),
    ] {
        let holder = Holder::of(&fixture, configuration).await;
        type Change = fn(&mut Binding, &mut i64);
        let changes: [(Change, &[&str]); 3] = [
            (
                |binding, _| binding.challenge = "another".to_owned(),
                &["wrong_challenge"],
            ),
            (
                |binding, _| binding.domain = "https://evil.example".to_owned(),
                &["wrong_domain"],
            ),
            (|_, age| *age = 1000, &["proof_expired"]),
        ];
        for (change, errors) in changes {
            let asked = Asked::of(&fixture, &json!({ "query": query(format) })).await;
            let request = asked.request(&fixture).await;
            let (mut bound, mut age) = (binding(&request), 0);
            change(&mut bound, &mut age);
            let shown = holder.show(&bound, fixture.clock.now().plus(-age));
            let reply = answer(&fixture, &request, vec![shown]).await;
            assert_eq!(
                (reply.status.as_u16(), reply.error()),
                (400, "invalid_request".to_owned())
            );
            let standing = asked.standing(&fixture).await;
            assert_eq!(standing["state"], "failed");
            assert_eq!(standing["query"], "receipt");
            let error = standing["error"].as_str().unwrap();
            assert!(errors.contains(&error), "{configuration}: {standing}");
        }
    }
}

#[tokio::test]
async fn a_thief_cannot_show_what_is_anothers() {
    let fixture = Fixture::new().await;
    let thief = key(KeyType::Ed25519);
    for (configuration, format) in [
        ("consent-receipt_ldp_vc", "ldp_vc"),
        ("consent-receipt_jwt_vc_json", "jwt_vc_json"),
    ] {
        let holder = Holder::of(&fixture, configuration).await;
        let asked = Asked::of(&fixture, &json!({ "query": query(format) })).await;
        let request = asked.request(&fixture).await;
        let shown = holder.show_by(&thief, &binding(&request), fixture.clock.now());
        assert_eq!(answer(&fixture, &request, vec![shown]).await.status, 400);
        assert_eq!(asked.standing(&fixture).await["error"], "not_the_subject");
    }
    // An SD-JWT without key binding.
    let holder = Holder::of(&fixture, SD_JWT).await;
    let asked = Asked::of(&fixture, &json!({ "query": query("dc+sd-jwt") })).await;
    let request = asked.request(&fixture).await;
    let bare = SdJwt::parse(holder.credential.as_str().unwrap())
        .unwrap()
        .to_text();
    assert_eq!(
        answer(&fixture, &request, vec![Shown::Text(bare)])
            .await
            .status,
        400
    );
    assert_eq!(asked.standing(&fixture).await["error"], "no_key_binding");
}

#[tokio::test]
async fn a_revoked_credential_is_refused() {
    let fixture = Fixture::new().await;
    let holder = Holder::of(&fixture, "consent-receipt_ldp_vc").await;
    withdraw(&fixture, &holder.owner, holder.consent).await;
    let asked = Asked::of(&fixture, &json!({ "query": query("ldp_vc") })).await;
    let request = asked.request(&fixture).await;
    let shown = holder.show(&binding(&request), fixture.clock.now());
    assert_eq!(answer(&fixture, &request, vec![shown]).await.status, 400);
    assert_eq!(asked.standing(&fixture).await["error"], "revoked");
}

#[tokio::test]
async fn only_trusted_issuers_count() {
    let fixture = Fixture::new().await;
    let mine = Holder::of(&fixture, "consent-receipt_ldp_vc").await;
    let show = async |holder: &Holder, issuers: Option<Value>| {
        let mut body = json!({ "query": query("ldp_vc") });
        if let Some(issuers) = issuers {
            body["trusted_issuers"] = issuers;
        }
        let asked = Asked::of(&fixture, &body).await;
        let request = asked.request(&fixture).await;
        let shown = holder.show(&binding(&request), fixture.clock.now());
        answer(&fixture, &request, vec![shown]).await;
        asked.standing(&fixture).await
    };
    let other = json!(["did:web:other.example"]);
    assert_eq!(show(&mine, Some(other)).await["error"], "untrusted_issuer");
    // The same words, signed by somebody else.
    let foreign_key = key(KeyType::Ed25519);
    let foreign = foreign_key.public().uri();
    let method = format!(
        "{foreign}#{}",
        foreign.as_str().strip_prefix("did:key:").unwrap()
    );
    let contexts = Contexts::standard().with(&Deployment::new(&service()));
    let mut words = mine.credential.clone();
    for member in ["proof", "credentialStatus"] {
        words.as_object_mut().unwrap().remove(member);
    }
    let words = Credential::parse(words.try_into().unwrap()).unwrap();
    let signed = Signer::new(&foreign_key, &method, &contexts)
        .unwrap()
        .credential(
            words.issued_by(foreign.as_str()).unwrap(),
            Suite::EddsaJcs2022,
            fixture.clock.now(),
        )
        .unwrap();
    let forged = Holder {
        credential: signed,
        ..mine
    };
    assert_eq!(show(&forged, None).await["error"], "untrusted_issuer");
    let trusted = json!([foreign]);
    assert_eq!(show(&forged, Some(trusted)).await["state"], "answered");
}

#[tokio::test]
async fn an_answer_answers_what_was_asked() {
    let fixture = Fixture::new().await;
    let holder = Holder::of(&fixture, SD_JWT).await;
    let mut other_type = query("dc+sd-jwt");
    other_type["credentials"][0]["meta"]["vct_values"] = json!(["https://other.example/vct"]);
    let mut other_claim = query("dc+sd-jwt");
    other_claim["credentials"][0]["claims"] = json!([{ "path": ["family_name"] }]);
    let mut other_value = query("dc+sd-jwt");
    other_value["credentials"][0]["claims"] =
        json!([{ "path": ["controller"], "values": ["https://other.example"] }]);
    for query in [other_type, other_claim, other_value, query("jwt_vc_json")] {
        let asked = Asked::of(&fixture, &json!({ "query": query })).await;
        let request = asked.request(&fixture).await;
        let shown = holder.show(&binding(&request), fixture.clock.now());
        assert_eq!(answer(&fixture, &request, vec![shown]).await.status, 400);
        let standing = asked.standing(&fixture).await;
        assert_eq!(standing["error"], "not_an_answer", "{standing}");
    }
    let mut value = query("dc+sd-jwt");
    value["credentials"][0]["claims"] = json!([{ "path": ["controller"], "values": [SERVICE] }]);
    let asked = Asked::of(&fixture, &json!({ "query": value })).await;
    let request = asked.request(&fixture).await;
    let shown = holder.show(&binding(&request), fixture.clock.now());
    // Two where one was asked for; none at all; another query's.
    let bad = Asked::of(&fixture, &json!({ "query": query("dc+sd-jwt") })).await;
    let bad_request = bad.request(&fixture).await;
    let two = vec![shown.clone(), shown.clone()];
    assert_eq!(answer(&fixture, &bad_request, two).await.status, 400);
    assert_eq!(bad.standing(&fixture).await["error"], "not_an_answer");
    assert_eq!(answer(&fixture, &request, vec![shown]).await.status, 200);
}

#[tokio::test]
async fn what_is_no_answer_leaves_the_request_open() {
    let fixture = Fixture::new().await;
    let holder = Holder::of(&fixture, SD_JWT).await;
    let asked = Asked::of(&fixture, &json!({ "query": query("dc+sd-jwt") })).await;
    let request = asked.request(&fixture).await;
    let clear = Asked::of(
        &fixture,
        &json!({ "query": query("dc+sd-jwt"), "response_mode": "direct_post" }),
    )
    .await;
    let clear_request = clear.request(&fixture).await;
    let shown = holder.show(&binding(&request), fixture.clock.now());
    let token: VpToken = [("receipt".to_owned(), vec![shown.clone()])]
        .into_iter()
        .collect();
    let direct = |request: &AuthorizationRequest, state: Option<&str>| {
        let request = AuthorizationRequest {
            state: state.map(str::to_owned),
            ..request.clone()
        };
        let direct = DirectPost::answer(&request, token.clone(), &SystemEntropy).unwrap();
        direct.to_form().unwrap()
    };
    let state = request.state.as_deref();
    let unencrypted = direct(&clear_request, state);
    for body in [
        "",
        "vp_token=x",
        "response=a.b.c.d.e",
        "response=x&error=access_denied",
        "error=access_denied",
        "error=access_denied&state=x",
        &unencrypted,
        &direct(&request, None),
        &direct(&request, Some("another")),
        &direct(&other_key(&request), state),
    ] {
        let reply = respond(&fixture, &request, body).await;
        assert_eq!(
            (reply.status.as_u16(), reply.error()),
            (400, "invalid_request".to_owned()),
            "{body}"
        );
    }
    let encrypted = direct(&request, clear_request.state.as_deref());
    assert_eq!(
        respond(&fixture, &clear_request, &encrypted).await.error(),
        "invalid_request"
    );
    assert_eq!(asked.standing(&fixture).await["state"], "waiting");
    assert_eq!(clear.standing(&fixture).await["state"], "waiting");
    assert_eq!(
        respond(&fixture, &request, &direct(&request, state))
            .await
            .status,
        200
    );
}

/// The same request, as if it had named another key to encrypt to.
fn other_key(request: &AuthorizationRequest) -> AuthorizationRequest {
    use blindprint_openid4vc::jwe::{DecryptionKey, Jwks};
    let mut request = request.clone();
    let key = DecryptionKey::generate(&SystemEntropy).public();
    request.client_metadata.as_mut().unwrap().jwks = Some(Jwks::from(&key));
    request
}
