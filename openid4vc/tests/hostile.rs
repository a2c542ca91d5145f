//! Whatever comes from outside: no reader panics, and what is read says the same when it is written
//! and read again.
#![allow(clippy::unwrap_used, reason = "a test")]

use blindprint_core::UnixTime;
use blindprint_did::KeyType;
use blindprint_openid4vc::{
    ErrorBody, dpop,
    jwe::SealedJwe,
    vci::{
        AuthorizationServerMetadata, Client, CredentialRequest, CredentialResponse,
        DeferredRequest, IssuerMetadata, NonceResponse, Notification, Offer, OfferLink, ProofRules,
        TokenRequest, TokenResponse, verify_proofs,
    },
    vp::{
        DirectPost, DirectPostAnswer, Invocation, RequestUriPost, UnverifiedRequest, VpToken,
        dcql::Query,
    },
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example.org";

/// Good messages, each to be spoilt.
fn messages() -> Vec<Value> {
    let coordinate = "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ";
    vec![
        json!({
            "credential_issuer": ISSUER,
            "credential_configuration_ids": ["a", "b"],
            "grants": {
                "authorization_code": {"issuer_state": "s"},
                "urn:ietf:params:oauth:grant-type:pre-authorized_code": {
                    "pre-authorized_code": "c",
                    "tx_code": {"length": 6, "input_mode": "numeric", "description": "by post"},
                },
            },
        }),
        json!({
            "credential_issuer": ISSUER,
            "authorization_servers": [ISSUER],
            "credential_endpoint": "https://id.example.org/credential",
            "nonce_endpoint": "https://id.example.org/nonce",
            "batch_credential_issuance": {"batch_size": 4},
            "credential_response_encryption": {
                "alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A128GCM"],
                "encryption_required": false,
            },
            "credential_configurations_supported": {"a": {
                "format": "dc+sd-jwt", "vct": "v",
                "credential_signing_alg_values_supported": ["EdDSA", -7],
                "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["EdDSA"]}},
                "credential_metadata": {"claims": [{"path": ["a", null, 1], "mandatory": true}]},
            }},
            "display": [{"name": "n", "locale": "en", "logo": {"uri": "data:,"}}],
        }),
        json!({
            "issuer": ISSUER, "token_endpoint": "https://id.example.org/token",
            "dpop_signing_alg_values_supported": ["ES256"],
            "pre-authorized_grant_anonymous_access_supported": true,
        }),
        json!({
            "credential_configuration_id": "a",
            "proofs": {"jwt": ["a.b.c"]},
            "credential_response_encryption": {
                "jwk": {"kty": "EC", "crv": "P-256", "x": coordinate, "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck", "kid": "k"},
                "enc": "A128GCM",
            },
        }),
        json!({"credentials": [{"credential": "a~b~"}, {"credential": {"type": []}}], "notification_id": "n"}),
        json!({"transaction_id": "t", "interval": 5}),
        json!({"notification_id": "n", "event": "credential_accepted", "event_description": "d"}),
        json!({"access_token": "t", "token_type": "DPoP", "authorization_details": [
            {"type": "openid_credential", "credential_configuration_id": "a", "credential_identifiers": ["i"]}]}),
        json!({
            "credentials": [
                {"id": "q", "format": "dc+sd-jwt", "meta": {"vct_values": ["v"]}, "multiple": true,
                 "claims": [{"id": "c", "path": ["a", null, 1], "values": ["x", 1, true]}], "claim_sets": [["c"]]},
                {"id": "r", "format": "ldp_vc", "meta": {"type_values": [["a"]]}, "require_cryptographic_holder_binding": false},
            ],
            "credential_sets": [{"options": [["q"], ["r"]], "required": false}],
        }),
        json!({"q": ["a.b.c~", {"type": "VerifiablePresentation"}]}),
        json!({"error": "invalid_request", "error_description": "d", "redirect_uri": "https://a.example"}),
    ]
}

/// Reads `text` as everything, and what is read once more after it is written.
fn read_all(text: &str) {
    let bytes = text.as_bytes();
    if let Ok(offer) = Offer::parse(bytes) {
        let link = OfferLink::Value(offer);
        assert_eq!(OfferLink::parse(&link.to_uri()), Ok(link));
    }
    if let Ok(metadata) = IssuerMetadata::parse(bytes, ISSUER) {
        let written = serde_json::to_vec(&metadata).unwrap();
        assert_eq!(IssuerMetadata::parse(&written, ISSUER), Ok(metadata));
    }
    if let Ok(metadata) = AuthorizationServerMetadata::parse(bytes, ISSUER) {
        let written = serde_json::to_vec(&metadata).unwrap();
        assert_eq!(
            AuthorizationServerMetadata::parse(&written, ISSUER),
            Ok(metadata)
        );
    }
    if let Ok(request) = CredentialRequest::parse(bytes) {
        let written = request.to_json().to_string();
        assert_eq!(CredentialRequest::parse(written.as_bytes()), Ok(request));
    }
    if let Ok(response) = CredentialResponse::parse(bytes) {
        let written = response.to_json().to_string();
        assert_eq!(CredentialResponse::parse(written.as_bytes()), Ok(response));
    }
    if let Ok(request) = DeferredRequest::parse(bytes) {
        let written = request.to_json().to_string();
        assert_eq!(DeferredRequest::parse(written.as_bytes()), Ok(request));
    }
    if let Ok(query) = serde_json::from_slice::<Query>(bytes) {
        let written = serde_json::to_vec(&query).unwrap();
        assert_eq!(serde_json::from_slice::<Query>(&written).unwrap(), query);
    }
    let token = serde_json::from_slice::<VpToken>(bytes);
    if let Ok(token) = token {
        let written = serde_json::to_vec(&token).unwrap();
        assert_eq!(serde_json::from_slice::<VpToken>(&written).unwrap(), token);
    }
    if let Ok(post) = DirectPost::parse(bytes) {
        let written = post.to_form().unwrap();
        assert_eq!(DirectPost::parse(written.as_bytes()), Ok(post));
    }
    if let Ok(post) = RequestUriPost::parse(bytes) {
        assert_eq!(RequestUriPost::parse(post.to_form().as_bytes()), Ok(post));
    }
    if let Ok(invocation) = Invocation::parse(text) {
        let written = invocation.to_uri().unwrap();
        assert_eq!(Invocation::parse(&written), Ok(invocation));
    }
    let _ = OfferLink::parse(text);
    let _ = NonceResponse::parse(bytes);
    let _ = Notification::parse(bytes);
    let _ = TokenRequest::parse(bytes);
    let _ = TokenResponse::parse(bytes);
    let _ = DirectPostAnswer::parse(bytes);
    let _ = ErrorBody::parse(bytes);
    let _ = UnverifiedRequest::parse(text);
    let _ = SealedJwe::parse(text, 1 << 16);
    let request = dpop::Request {
        method: "POST",
        url: text,
        access_token: Some(text),
    };
    let _ = dpop::verify(text, &request, UnixTime(0));
    let rules = ProofRules {
        issuer: ISSUER,
        key_types: &[KeyType::Ed25519],
        client: Client::Anonymous,
        batch_size: 2,
        now: UnixTime(0),
    };
    assert!(verify_proofs(&[text.to_owned()], &rules).is_err());
}

/// Every place in `value`, the whole first.
fn places<'a>(value: &'a mut Value, found: &mut Vec<&'a mut Value>, at: usize, seen: &mut usize) {
    if *seen == at {
        found.push(value);
        *seen += 1;
        return;
    }
    *seen += 1;
    match value {
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| places(value, found, at, seen)),
        Value::Object(members) => {
            members
                .values_mut()
                .for_each(|value| places(value, found, at, seen));
        }
        _ => {}
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[["a", null, -1]]])),
        Just(Value::from("x".repeat(20_000))),
    ]
}

#[test]
fn good_messages_are_read() {
    for message in messages() {
        read_all(&message.to_string());
    }
    let texts: Vec<String> = messages().iter().map(Value::to_string).collect();
    assert!(Offer::parse(texts[0].as_bytes()).is_ok());
    assert!(IssuerMetadata::parse(texts[1].as_bytes(), ISSUER).is_ok());
    assert!(AuthorizationServerMetadata::parse(texts[2].as_bytes(), ISSUER).is_ok());
    assert!(CredentialRequest::parse(texts[3].as_bytes()).is_ok());
    assert!(CredentialResponse::parse(texts[4].as_bytes()).is_ok());
    assert!(CredentialResponse::parse(texts[5].as_bytes()).is_ok());
    assert!(Notification::parse(texts[6].as_bytes()).is_ok());
    assert!(TokenResponse::parse(texts[7].as_bytes()).is_ok());
    assert!(serde_json::from_str::<Query>(&texts[8]).is_ok());
    assert!(serde_json::from_str::<VpToken>(&texts[9]).is_ok());
    assert!(ErrorBody::parse(texts[10].as_bytes()).is_some());
}

#[test]
fn nothing_is_read_that_is_nested_without_end() {
    for open in ["[", "{\"a\":"] {
        read_all(&open.repeat(100_000));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_spoilt_message_is_refused_or_read_whole(
        message in any::<Index>(), place in any::<Index>(), put in anything(),
    ) {
        let mut messages = messages();
        let message = message.get_mut(&mut messages);
        let at = place.index(count(message));
        let mut found = Vec::new();
        places(message, &mut found, at, &mut 0);
        *found.remove(0) = put;
        read_all(&message.to_string());
    }

    #[test]
    fn a_damaged_text_is_refused_or_read_whole(
        message in any::<Index>(), at in any::<Index>(), byte in 0x20_u8..0x7f, cut in any::<bool>(),
    ) {
        let text = message.get(&messages()).to_string();
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at); } else { bytes[at] = byte; }
        read_all(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text_is_no_reason_to_panic(text in "\\PC{0,300}") {
        read_all(&text);
        read_all(&format!("openid4vp://?{text}"));
        read_all(&format!("openid-credential-offer://?credential_offer={text}"));
        read_all(&format!("grant_type=client_credentials&{text}"));
    }
}
