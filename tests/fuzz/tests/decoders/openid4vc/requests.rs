//! A verifier's question: as a link, and as a signed request object.

use blindprint_core::UnixTime;
use blindprint_did::KeyType;
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_openid4vc::{
    jwe::Jwks,
    vp::{
        AuthorizationRequest, ClientId, ClientMetadata, Expected, Invocation, RequestUriMethod,
        ResponseMode, SELF_ISSUED, UnverifiedRequest,
    },
};
use serde_json::{Map, json};
use url::Url;

use super::{super::jwt, decryption_key, form, key, query};

const NOW: UnixTime = UnixTime(1_790_000_000);
const DID: &str = "did:web:id.example.org";
const KID: &str = "did:web:id.example.org#auth-1";
const RESPONSE: &str = "https://id.example.org/presentations/1/response";

fn request(client_id: ClientId) -> AuthorizationRequest {
    AuthorizationRequest {
        client_id,
        response_uri: RESPONSE.to_owned(),
        response_mode: ResponseMode::DirectPostJwt,
        nonce: "n-0S6_WzA2Mj".to_owned(),
        state: Some("eyJhb.6-sVA~".to_owned()),
        query: serde_json::from_value(query()).unwrap(),
        client_metadata: Some(ClientMetadata {
            jwks: Some(Jwks::from(&decryption_key(1).named("k").public())),
            encrypted_response_enc_values_supported: vec!["A256GCM".to_owned()],
            vp_formats_supported: Map::from_iter([("ldp_vc".to_owned(), json!({ "n": [1.5] }))]),
        }),
    }
}

fn client() -> ClientId {
    ClientId::Did(DID.to_owned())
}

fn signed() -> String {
    let key = key(KeyType::Ed25519, 1);
    let request = request(client());
    request.sign(&key, KID, Some("w"), NOW, 300).unwrap()
}

#[test]
fn invocations() {
    let unsigned = Invocation::Unsigned(Box::new(request(ClientId::RedirectUri(
        RESPONSE.to_owned(),
    ))));
    let reference = Invocation::Reference {
        client_id: client(),
        request_uri: "https://id.example.org/requests/1?a=b".to_owned(),
        method: RequestUriMethod::Post,
    };
    let value = Invocation::Signed {
        client_id: client(),
        request: signed(),
    };
    let mut seeds = [unsigned, reference, value]
        .map(|seed| seed.to_uri().unwrap())
        .to_vec();
    let parameters = form(&[
        (
            "client_id",
            "decentralized_identifier:did:web:id.example.org",
        ),
        ("request_uri", "https://a.example"),
        ("request_uri_method", "get"),
    ]);
    seeds.push(format!("haip://?{parameters}"));
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Ok(read) = Invocation::parse(&String::from_utf8_lossy(bytes)) else {
            return;
        };
        match &read {
            // Nobody signed it, so the answer goes where the client's name says.
            Invocation::Unsigned(request) => {
                assert_eq!(
                    request.client_id,
                    ClientId::RedirectUri(request.response_uri.clone())
                );
                check(request);
            }
            Invocation::Signed { request, .. } => assert!(!request.is_empty()),
            Invocation::Reference { request_uri, .. } => {
                assert!(["https", "http"].contains(&Url::parse(request_uri).unwrap().scheme()));
            }
        }
        let link = read.to_uri().unwrap();
        if link.len() <= Invocation::MAX_LEN {
            assert_eq!(Invocation::parse(&link), Ok(read));
        }
    });
}

fn verify(token: &str) -> Option<AuthorizationRequest> {
    let expected = Expected {
        client_id: &client(),
        wallet_nonce: Some("w"),
        audience: &[SELF_ISSUED],
        now: NOW,
    };
    let request = UnverifiedRequest::parse(token).ok()?;
    assert!(request.kid().starts_with(DID) || *request.client_id() != client());
    request
        .verify(&key(KeyType::Ed25519, 1).public(), &expected)
        .ok()
}

#[test]
fn altered_requests() {
    let inputs = Inputs::from([signed()]);
    let genuine = inputs.clone();
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        let verified = verify(&String::from_utf8_lossy(bytes));
        assert_eq!(verified.is_some(), genuine.genuine(bytes.trim_ascii()));
    });
}

/// What follows the signature: header and claims are anything, and the signature holds.
#[test]
fn signed_requests() {
    let key = key(KeyType::Ed25519, 1);
    let seed = jwt::parts(&signed());
    fuzz!(Inputs::from([seed]), Budget::SMALL, |bytes: &[u8]| {
        let Some(request) = jwt::signed(&key, bytes).and_then(|token| verify(&token)) else {
            return;
        };
        assert_eq!(request.client_id, client());
        check(&request);
        let again = request.sign(&key, KID, Some("w"), NOW, 300).unwrap();
        assert_eq!(verify(&again), Some(request));
    });
}

/// What holds of every request that is answered.
fn check(request: &AuthorizationRequest) {
    let url = Url::parse(&request.response_uri).unwrap();
    assert!(["https", "http"].contains(&url.scheme()) && url.fragment().is_none());
    assert!(
        request
            .response_uri
            .bytes()
            .all(|byte| byte.is_ascii_graphic())
    );
    assert!(!request.nonce.is_empty() && request.nonce.len() <= 512);
    assert!(!request.query.credentials().is_empty());
    if request.response_mode == ResponseMode::DirectPostJwt {
        assert!(
            request.response_encryption().is_ok(),
            "never in the clear by mistake"
        );
    }
}
