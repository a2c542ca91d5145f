use blindprint_core::SystemEntropy;
use serde_json::json;

use super::*;
use crate::{
    Format,
    jwe::Jwks,
    vp::{
        ClientId, ClientMetadata,
        dcql::{CredentialQuery, Query},
    },
};

fn request(response_mode: ResponseMode) -> (AuthorizationRequest, DecryptionKey) {
    let key = DecryptionKey::generate(&SystemEntropy).named("k");
    let request = AuthorizationRequest {
        client_id: ClientId::Did("did:web:id.example.org".to_owned()),
        response_uri: "https://id.example.org/response".to_owned(),
        response_mode,
        nonce: "n".to_owned(),
        state: Some("s".to_owned()),
        query: Query::new(vec![CredentialQuery::new("q", Format::SdJwtVc)], Vec::new()).unwrap(),
        client_metadata: Some(ClientMetadata {
            jwks: Some(Jwks::from(&key.public())),
            ..ClientMetadata::default()
        }),
    };
    (request, key)
}

fn token() -> VpToken {
    let object = json!({"type": "VerifiablePresentation"});
    [
        ("q".to_owned(), vec![Presentation::Text("a~b~c".to_owned())]),
        (
            "r".to_owned(),
            vec![Presentation::Object(object.as_object().unwrap().clone())],
        ),
    ]
    .into_iter()
    .collect()
}

#[test]
fn an_answer_comes_back() {
    let (request, _) = request(ResponseMode::DirectPost);
    let post = DirectPost::answer(&request, token(), &SystemEntropy).unwrap();
    let read = DirectPost::parse(post.to_form().unwrap().as_bytes()).unwrap();
    assert_eq!(read, post);
    assert!(matches!(
        read,
        DirectPost::Answer(AuthorizationResponse { state: Some(_), .. })
    ));
}

#[test]
fn an_encrypted_answer_opens_for_the_verifier() {
    let (request, key) = request(ResponseMode::DirectPostJwt);
    let post = DirectPost::answer(&request, token(), &SystemEntropy).unwrap();
    let body = post.to_form().unwrap();
    assert!(!body.contains("vp_token"));
    let DirectPost::Encrypted(jwe) = DirectPost::parse(body.as_bytes()).unwrap() else {
        panic!("encrypted")
    };
    let sealed = SealedJwe::parse(&jwe, DirectPost::MAX_LEN).unwrap();
    assert_eq!(sealed.kid(), Some("k"));
    let response = DirectPost::open(&sealed, &key).unwrap();
    assert_eq!(response.vp_token, token());
    assert_eq!(response.state.as_deref(), Some("s"));
    let other = DecryptionKey::generate(&SystemEntropy);
    assert!(DirectPost::open(&sealed, &other).is_err());
    let nothing = jwe::encrypt(
        b"{}",
        &key.public(),
        jwe::Encryption::A128Gcm,
        Parties::default(),
        &SystemEntropy,
    );
    let nothing = SealedJwe::parse(&nothing, 4096).unwrap();
    assert_eq!(
        DirectPost::open(&nothing, &key).unwrap_err().kind(),
        Code::InvalidRequest
    );
}

#[test]
fn a_refusal_says_why() {
    let error = Error::new(Code::AccessDenied, "the person has said no");
    let post = DirectPost::refusal(error, Some("s".to_owned()));
    let body = post.to_form().unwrap();
    assert_eq!(
        body,
        "error=access_denied&error_description=the+person+has+said+no&state=s"
    );
    assert_eq!(DirectPost::parse(body.as_bytes()), Ok(post));
    // Section 8.2.
    let read = DirectPost::parse(b"error=invalid_request&error_description=unsupported%20client_id_prefix&state=eyJhb...6-sVA");
    let Ok(DirectPost::Refusal { error, .. }) = read else {
        panic!("a refusal")
    };
    assert_eq!(error.code(), Some(Code::InvalidRequest));
}

#[test]
fn what_is_no_answer_is_refused() {
    for bad in [
        "",
        "state=s",
        "vp_token=",
        "vp_token=x",
        "vp_token=%5B%5D",
        "vp_token=%7B%22q%22%3A%22a%22%7D",
        "vp_token=%7B%7D&response=a",
        "vp_token=%7B%7D&error=access_denied",
        "vp_token=%7B%7D&vp_token=%7B%7D",
    ] {
        assert_eq!(
            DirectPost::parse(bad.as_bytes()).unwrap_err().kind(),
            Code::InvalidRequest,
            "{bad}"
        );
    }
    let long = format!("vp_token={}", "a".repeat(DirectPost::MAX_LEN));
    assert!(DirectPost::parse(long.as_bytes()).is_err());
}

#[test]
fn the_verifiers_answer_may_send_the_person_on() {
    let answer = DirectPostAnswer::parse(
        br#"{"redirect_uri":"https://client.example.org/cb#response_code=091","x":1}"#,
    );
    assert!(answer.unwrap().redirect_uri.is_some());
    for empty in ["", "{}", " \n"] {
        assert_eq!(
            DirectPostAnswer::parse(empty.as_bytes()),
            Ok(DirectPostAnswer::default())
        );
    }
    assert!(DirectPostAnswer::parse(b"[]").is_err());
}
