use blindprint_core::SystemEntropy;
use blindprint_did::KeyType;

use super::*;
use crate::{
    Format,
    jwe::DecryptionKey,
    vp::{Invocation, RequestUriMethod, RequestUriPost, dcql::CredentialQuery},
};

const DID: &str = "did:web:id.example.org";
const KID: &str = "did:web:id.example.org#auth-1";
const RESPONSE: &str = "https://id.example.org/presentations/1/response";
const NOW: UnixTime = UnixTime(1_790_000_000);

fn request(client_id: ClientId) -> AuthorizationRequest {
    let key = DecryptionKey::generate(&SystemEntropy).named("k");
    AuthorizationRequest {
        client_id,
        response_uri: RESPONSE.to_owned(),
        response_mode: ResponseMode::DirectPostJwt,
        nonce: "n-0S6_WzA2Mj".to_owned(),
        state: Some("eyJhb.6-sVA~".to_owned()),
        query: Query::new(vec![CredentialQuery::new("q", Format::LdpVc)], Vec::new()).unwrap(),
        client_metadata: Some(ClientMetadata {
            jwks: Some(Jwks::from(&key.public())),
            encrypted_response_enc_values_supported: vec!["A256GCM".to_owned()],
            vp_formats_supported: Map::new(),
        }),
    }
}

fn by_did() -> ClientId {
    ClientId::Did(DID.to_owned())
}

fn key() -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
}

fn expected<'a>(client_id: &'a ClientId, wallet_nonce: Option<&'a str>) -> Expected<'a> {
    Expected {
        client_id,
        wallet_nonce,
        audience: &[SELF_ISSUED],
        now: NOW,
    }
}

/// The parameters of a good request, changed and signed as they are.
fn signed(key: &SigningKey, header: Value, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = Value::Object(request(by_did()).to_parameters().unwrap());
    claims["aud"] = SELF_ISSUED.into();
    claims["wallet_nonce"] = "w".into();
    change(&mut claims);
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let Value::Object(header) = header else {
        panic!("a header")
    };
    jwt::sign(key, header, &claims).unwrap()
}

fn good_header() -> Value {
    json!({"typ": TYP, "kid": KID})
}

#[test]
fn a_signed_request_comes_back() {
    let key = key();
    let request = request(by_did());
    let jwt = request.sign(&key, KID, Some("w"), NOW, 300).unwrap();
    let unverified = UnverifiedRequest::parse(&jwt).unwrap();
    assert_eq!(unverified.client_id(), &by_did());
    assert_eq!(unverified.kid(), KID);
    let expected = expected(&request.client_id, Some("w"));
    assert_eq!(
        unverified.clone().verify(&key.public(), &expected),
        Ok(request.clone())
    );
    assert!(
        unverified
            .clone()
            .verify(&self::key().public(), &expected)
            .is_err()
    );
    let late = Expected {
        now: NOW.plus(300 + SKEW),
        ..expected
    };
    assert_eq!(
        unverified
            .verify(&key.public(), &late)
            .unwrap_err()
            .description(),
        "the request object has expired"
    );
}

#[test]
fn a_request_is_signed_by_its_did() {
    let request = request(by_did());
    for kid in [
        DID,
        "did:web:id.example.org#",
        "did:web:other.example#auth-1",
        "auth-1",
    ] {
        assert!(request.sign(&key(), kid, None, NOW, 300).is_err(), "{kid}");
        let jwt = signed(&key(), json!({"typ": TYP, "kid": kid}), |_| ());
        assert!(UnverifiedRequest::parse(&jwt).is_err(), "{kid}");
    }
    let relative = signed(&key(), json!({"typ": TYP, "kid": "#auth-1"}), |_| ());
    assert_eq!(UnverifiedRequest::parse(&relative).unwrap().kid(), KID);
    let unsigned = self::request(ClientId::RedirectUri(RESPONSE.to_owned()));
    assert!(unsigned.sign(&key(), KID, None, NOW, 300).is_err());
    for bad in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert!(UnverifiedRequest::parse(bad).is_err());
    }
}

#[test]
fn each_fault_of_a_request_has_its_code() {
    let key = key();
    let client_id = by_did();
    let verify = |jwt: &str| {
        UnverifiedRequest::parse(jwt)?.verify(&key.public(), &expected(&client_id, Some("w")))
    };
    assert!(verify(&signed(&key, good_header(), |_| ())).is_ok());
    for (code, member, value) in [
        ("unsupported_response_type", "response_type", json!("code")),
        ("unsupported_response_type", "response_type", json!(null)),
        (
            "invalid_transaction_data",
            "transaction_data",
            json!(["e30"]),
        ),
        ("invalid_scope", "scope", json!("com.example.IDCard")),
        (
            "invalid_request",
            "client_id",
            json!("decentralized_identifier:did:web:other.example"),
        ),
        (
            "invalid_request",
            "client_id",
            json!("x509_san_dns:id.example.org"),
        ),
        (
            "invalid_request",
            "client_id",
            json!("https://id.example.org"),
        ),
        (
            "invalid_request",
            "client_id",
            json!(format!("redirect_uri:{RESPONSE}")),
        ),
        ("invalid_request", "client_id", json!(null)),
        ("invalid_request", "response_mode", json!("fragment")),
        ("invalid_request", "response_mode", json!(null)),
        ("invalid_request", "redirect_uri", json!(RESPONSE)),
        (
            "invalid_request",
            "response_uri",
            json!("file:///etc/passwd"),
        ),
        (
            "invalid_request",
            "response_uri",
            json!("https://id.example.org/#a"),
        ),
        ("invalid_request", "response_uri", json!(null)),
        ("invalid_request", "nonce", json!(null)),
        ("invalid_request", "nonce", json!("")),
        ("invalid_request", "nonce", json!("with space")),
        ("invalid_request", "nonce", json!("n".repeat(513))),
        ("invalid_request", "nonce", json!(7)),
        ("invalid_request", "state", json!("ü")),
        ("invalid_request", "dcql_query", json!(null)),
        ("invalid_request", "dcql_query", json!({"credentials": []})),
        ("invalid_request", "client_metadata", json!("x")),
        ("invalid_request", "client_metadata", json!(null)),
        (
            "invalid_request",
            "client_metadata",
            json!({"vp_formats_supported": {}}),
        ),
        (
            "invalid_request",
            "aud",
            json!("https://other-wallet.example"),
        ),
        (
            "invalid_request",
            "aud",
            json!(["https://other-wallet.example"]),
        ),
        ("invalid_request", "aud", json!(null)),
        ("invalid_request", "wallet_nonce", json!("v")),
        ("invalid_request", "wallet_nonce", json!(null)),
        ("invalid_request", "exp", json!(NOW.plus(-SKEW))),
        ("invalid_request", "exp", json!("never")),
        ("invalid_request", "iat", json!(NOW.plus(SKEW + 1))),
        ("invalid_request", "nbf", json!(NOW.plus(SKEW + 1))),
    ] {
        let jwt = signed(&key, good_header(), |claims| claims[member] = value.clone());
        assert_eq!(verify(&jwt).unwrap_err().code(), code, "{member} {value}");
    }
    let typ = signed(&key, json!({"typ": "JWT", "kid": KID}), |_| ());
    assert_eq!(verify(&typ).unwrap_err().code(), "invalid_request");
    let both = signed(&key, good_header(), |claims| {
        claims["aud"] = json!(["https://other-wallet.example", SELF_ISSUED]);
        claims["verifier_info"] = json!([{"format": "jwt", "data": "x"}]);
    });
    assert!(verify(&both).is_ok());
    let unbound = signed(&key, good_header(), |claims| {
        claims["state"] = json!(null);
        claims["dcql_query"]["credentials"][0]["require_cryptographic_holder_binding"] =
            false.into();
    });
    assert_eq!(
        verify(&unbound).unwrap_err().description(),
        "without holder binding there has to be a state"
    );
}

#[test]
fn the_response_is_encrypted_as_the_request_says() {
    let mut request = request(by_did());
    let (key, enc) = request.response_encryption().unwrap();
    assert_eq!((key.kid(), enc), (Some("k"), Encryption::A256Gcm));
    let metadata = request.client_metadata.as_mut().unwrap();
    metadata.encrypted_response_enc_values_supported.clear();
    assert_eq!(
        request.response_encryption().unwrap().1,
        Encryption::A128Gcm
    );
    let metadata = request.client_metadata.as_mut().unwrap();
    metadata.encrypted_response_enc_values_supported = vec!["A128CBC-HS256".to_owned()];
    assert!(request.response_encryption().is_err());
    assert!(request.sign(&self::key(), KID, None, NOW, 300).is_err());
}

#[test]
fn links_come_back() {
    let unsigned = request(ClientId::RedirectUri(RESPONSE.to_owned()));
    for invocation in [
        Invocation::Unsigned(Box::new(unsigned)),
        Invocation::Signed {
            client_id: by_did(),
            request: "a.b.c".to_owned(),
        },
        Invocation::Reference {
            client_id: by_did(),
            request_uri: "https://id.example.org/r?a=b&c".to_owned(),
            method: RequestUriMethod::Get,
        },
        Invocation::Reference {
            client_id: by_did(),
            request_uri: "https://id.example.org/r".to_owned(),
            method: RequestUriMethod::Post,
        },
    ] {
        let link = invocation.to_uri().unwrap();
        assert!(link.starts_with("openid4vp://?"));
        assert_eq!(Invocation::parse(&link), Ok(invocation.clone()));
        let query = link.split_once('?').unwrap().1;
        assert_eq!(
            Invocation::parse(&format!("https://wallet.example/authorize?{query}")),
            Ok(invocation)
        );
    }
}

/// Sections 5.9.3 and 8.2.
#[test]
fn the_specifications_unsigned_request() {
    let link = "openid4vp://?response_type=vp_token&client_id=redirect_uri%3Ahttps%3A%2F%2Fclient.example.org%2Fpost&response_mode=direct_post&dcql_query=%7B%22credentials%22%3A%5B%7B%22id%22%3A%22some_identity_credential%22%2C%22format%22%3A%22dc%2Bsd-jwt%22%2C%22meta%22%3A%7B%22vct_values%22%3A%5B%22https%3A%2F%2Fcredentials.example.com%2Fidentity_credential%22%5D%7D%2C%22claims%22%3A%5B%7B%22path%22%3A%5B%22last_name%22%5D%7D%2C%7B%22path%22%3A%5B%22first_name%22%5D%7D%5D%7D%5D%7D&nonce=n-0S6_WzA2Mj&client_metadata=%7B%22vp_formats_supported%22%3A%7B%22dc%2Bsd-jwt%22%3A%7B%22sd-jwt_alg_values%22%3A%20%5B%22ES256%22%5D%2C%22kb-jwt_alg_values%22%3A%20%5B%22ES256%22%5D%7D%7D%7D";
    let Ok(Invocation::Unsigned(request)) = Invocation::parse(link) else {
        panic!("a request by value")
    };
    assert_eq!(request.response_uri, "https://client.example.org/post");
    assert_eq!(
        request.client_id.to_string(),
        "redirect_uri:https://client.example.org/post"
    );
    assert_eq!(request.query.credentials()[0].claims.len(), 2);
    assert!(
        request
            .client_metadata
            .unwrap()
            .vp_formats_supported
            .contains_key("dc+sd-jwt")
    );
}

/// A person is shown the client id before agreeing: it must not move the cursor, hide what follows it, or be
/// read otherwise by a URL's parser.
#[test]
fn a_client_id_is_visible_text() {
    for text in [
        "redirect_uri:https://client.example.org/\u{1b}[2Kpost",
        "redirect_uri:https://client.example.org/\u{202e}tsop",
        "redirect_uri:https://client.example.org/\npost",
        "redirect_uri:https://client.example.org\\post",
        " redirect_uri:https://client.example.org/post",
        "decentralized_identifier:did:web:id.example.org\u{1b}[8m",
    ] {
        assert!(ClientId::parse(text).is_err(), "{text:?}");
    }
    let mut sent = request(ClientId::RedirectUri(RESPONSE.to_owned()));
    sent.response_uri = RESPONSE.to_owned();
    let link = Invocation::Unsigned(Box::new(sent)).to_uri().unwrap();
    assert!(Invocation::parse(&link).is_ok());
    let driving = link.replace("response&", "%1B%5B8m&");
    assert_ne!(driving, link);
    assert!(Invocation::parse(&driving).is_err());
}

#[test]
fn what_is_no_invocation_is_refused() {
    let did = "client_id=decentralized_identifier%3Adid%3Aweb%3Aid.example.org";
    let good = Invocation::Unsigned(Box::new(request(ClientId::RedirectUri(
        RESPONSE.to_owned(),
    ))));
    let good = good.to_uri().unwrap();
    for (code, link) in [
        ("invalid_request", String::new()),
        ("unsupported_response_type", "openid4vp://".to_owned()),
        (
            "invalid_request",
            format!("openid4vp://?{did}&request=a&request_uri=https%3A%2F%2Fa.example"),
        ),
        (
            "invalid_request",
            format!("openid4vp://?{did}&request_uri=file%3A%2F%2F%2Fa"),
        ),
        (
            "invalid_request",
            "openid4vp://?request_uri=https%3A%2F%2Fa.example".to_owned(),
        ),
        (
            "invalid_request",
            format!("openid4vp://?{did}&{did}&request=a"),
        ),
        (
            "invalid_request",
            format!("openid4vp://?{did}&request=a&request_uri_method=post"),
        ),
        (
            "invalid_request_uri_method",
            format!(
                "openid4vp://?{did}&request_uri=https%3A%2F%2Fa.example&request_uri_method=POST"
            ),
        ),
        (
            "invalid_request",
            "openid4vp://?client_id=a&request=b".to_owned(),
        ),
        (
            "invalid_request",
            format!("{good}&redirect_uri=https%3A%2F%2Fa.example"),
        ),
        (
            "invalid_transaction_data",
            format!("{good}&transaction_data=%5B%5D"),
        ),
        (
            "invalid_request",
            good.replace("dcql_query=", "dcql_query=x"),
        ),
        (
            "invalid_request",
            good.replace("response_uri=https", "response_uri=http"),
        ),
        (
            "invalid_request",
            format!("openid4vp://?x={}", "a".repeat(Invocation::MAX_LEN)),
        ),
    ] {
        assert_eq!(Invocation::parse(&link).unwrap_err().code(), code, "{link}");
    }
    // A DID's request has to be signed.
    let mut unsigned = request(by_did());
    unsigned.response_mode = ResponseMode::DirectPost;
    let link = Invocation::Unsigned(Box::new(unsigned)).to_uri().unwrap();
    assert_eq!(
        Invocation::parse(&link).unwrap_err().description(),
        "requests of this client have to be signed"
    );
}

#[test]
fn what_a_wallet_posts_for_a_request_comes_back() {
    let post = RequestUriPost {
        wallet_nonce: Some("qPmxiNFCR3QTm19POc8u".to_owned()),
        wallet_metadata: Some(r#"{"vp_formats_supported":{"dc+sd-jwt":{}}}"#.to_owned()),
    };
    assert_eq!(RequestUriPost::parse(post.to_form().as_bytes()), Ok(post));
    assert_eq!(RequestUriPost::parse(b""), Ok(RequestUriPost::default()));
    assert!(RequestUriPost::parse(b"wallet_nonce=a%20b").is_err());
}
