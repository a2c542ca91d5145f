//! Messages between issuer, wallet and verifier.

mod proofs;
mod requests;
mod sealed;

use blindprint_core::SystemEntropy;
use blindprint_did::KeyType;
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_openid4vc::{
    ErrorBody, Format,
    jwe::{DecryptionKey, Encryption, Parties, encrypt},
    vci::{
        AuthorizationServerMetadata, CredentialRequest, CredentialResponse, DeferredRequest, Grant,
        IssuerMetadata, NonceResponse, Notification, Offer, OfferLink, PRE_AUTHORIZED_CODE,
        TokenRequest, TokenResponse, authorization_server_metadata_url, issuer_metadata_url,
        prove_key,
    },
    vp::{
        DirectPost, DirectPostAnswer, RequestUriPost, VpToken,
        dcql::{Candidate, Query},
    },
};
use secrecy::{ExposeSecret as _, SecretBox};
use serde_json::{Value, json};
use url::Url;

use super::did::key;

const ISSUER: &str = "https://id.example.org";

/// In the form of a query or body.
fn form(parameters: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
}

fn offer() -> Value {
    json!({
        "credential_issuer": ISSUER,
        "credential_configuration_ids": ["enrolment_ldp_vc", "enrolment_dc+sd-jwt"],
        "grants": {
            "authorization_code": { "issuer_state": "s", "authorization_server": ISSUER },
            PRE_AUTHORIZED_CODE: {
                "pre-authorized_code": "oaKazRN8I0IbtZ0C7JuMn5",
                "tx_code": { "length": 6, "input_mode": "numeric", "description": "by post" },
            },
        },
    })
}

#[test]
fn offers() {
    let offer = offer().to_string();
    let seeds = [
        format!(
            "openid-credential-offer://?{}",
            form(&[("credential_offer", &offer)])
        ),
        format!(
            "haip://?{}",
            form(&[(
                "credential_offer_uri",
                "https://id.example.org/offers/a?b=c"
            )])
        ),
        offer,
    ];
    for seed in &seeds {
        assert!(OfferLink::parse(seed).is_ok());
    }
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(link) = OfferLink::parse(&text) else {
            return;
        };
        assert!(text.trim().len() <= OfferLink::MAX_LEN);
        match &link {
            OfferLink::Reference(uri) => {
                assert!(
                    uri.bytes().all(|byte| byte.is_ascii_graphic()),
                    "it is shown"
                );
                assert!(["https", "http"].contains(&Url::parse(uri).unwrap().scheme()));
            }
            OfferLink::Value(offer) => {
                assert!(!offer.credential_configuration_ids.is_empty());
                // Where the wallet then looks is on the issuer's own host.
                let issuer = Url::parse(&offer.credential_issuer).unwrap();
                assert!(
                    offer
                        .credential_issuer
                        .bytes()
                        .all(|byte| byte.is_ascii_graphic())
                );
                for found in [issuer_metadata_url, authorization_server_metadata_url] {
                    let url = Url::parse(&found(&offer.credential_issuer).unwrap()).unwrap();
                    assert_eq!(url.origin(), issuer.origin());
                    assert!(url.path().starts_with("/.well-known/"));
                }
                if let Some(grant) = offer.pre_authorized() {
                    assert!(!grant.code.is_empty());
                }
                let json = serde_json::to_vec(offer).unwrap();
                assert_eq!(&Offer::parse(&json).unwrap(), offer);
            }
        }
        // Escaping may make a link longer than any that is read.
        if link.to_uri().len() <= OfferLink::MAX_LEN {
            assert_eq!(OfferLink::parse(&link.to_uri()), Ok(link));
        }
    });
}

#[test]
fn metadata() {
    let issuer = json!({
        "credential_issuer": ISSUER,
        "authorization_servers": [ISSUER],
        "credential_endpoint": "https://id.example.org/credential",
        "nonce_endpoint": "https://id.example.org/nonce",
        "notification_endpoint": "https://id.example.org/notification",
        "batch_credential_issuance": { "batch_size": 4 },
        "credential_response_encryption": {
            "alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A128GCM"],
            "encryption_required": false,
        },
        "credential_configurations_supported": { "a": {
            "format": "dc+sd-jwt", "vct": "v", "scope": "s",
            "cryptographic_binding_methods_supported": ["jwk"],
            "credential_signing_alg_values_supported": ["EdDSA", -7],
            "proof_types_supported": { "jwt": { "proof_signing_alg_values_supported": ["EdDSA"] } },
            "credential_metadata": {
                "display": [{ "name": "n", "locale": "en", "logo": { "uri": "data:," } }],
                "claims": [{ "path": ["a", null, 1], "mandatory": true }],
            },
        } },
        "display": [{ "name": "n" }],
    });
    let server = json!({
        "issuer": ISSUER,
        "token_endpoint": "https://id.example.org/token",
        "dpop_signing_alg_values_supported": ["ES256"],
        "pre-authorized_grant_anonymous_access_supported": true,
    });
    assert!(IssuerMetadata::parse(issuer.to_string().as_bytes(), ISSUER).is_ok());
    assert!(AuthorizationServerMetadata::parse(server.to_string().as_bytes(), ISSUER).is_ok());
    let inputs = Inputs::from([issuer.to_string(), server.to_string()]);
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        if let Ok(metadata) = IssuerMetadata::parse(bytes, ISSUER) {
            assert_eq!(metadata.credential_issuer, ISSUER);
            assert!(Url::parse(&metadata.credential_endpoint).is_ok());
            assert!(
                metadata
                    .authorization_server(Some("https://else.example"))
                    .is_err()
            );
            let again = serde_json::to_vec(&metadata).unwrap();
            assert_eq!(IssuerMetadata::parse(&again, ISSUER), Ok(metadata));
        }
        if let Ok(metadata) = AuthorizationServerMetadata::parse(bytes, ISSUER) {
            assert_eq!(metadata.issuer, ISSUER);
            let again = serde_json::to_vec(&metadata).unwrap();
            assert_eq!(
                AuthorizationServerMetadata::parse(&again, ISSUER),
                Ok(metadata)
            );
        }
    });
}

#[test]
fn token_requests() {
    let details = r#"[{"type":"openid_credential","credential_configuration_id":"a"}]"#;
    let seeds = [
        form(&[
            ("grant_type", PRE_AUTHORIZED_CODE),
            ("pre-authorized_code", "code"),
            ("tx_code", "123456"),
            ("client_id", "w"),
            ("authorization_details", details),
        ]),
        form(&[
            ("grant_type", "client_credentials"),
            ("client_id", "c"),
            ("client_secret", "ü &="),
            ("scope", "credentials:issue credentials:verify"),
        ]),
    ];
    for seed in &seeds {
        assert!(TokenRequest::parse(seed.as_bytes()).is_ok());
    }
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Ok(request) = TokenRequest::parse(bytes) else {
            return;
        };
        assert!(bytes.len() <= TokenRequest::MAX_LEN);
        if let Grant::PreAuthorized { code, .. } = &request.grant {
            assert!(!code.expose_secret().is_empty());
        }
        let written = request.to_form();
        let again = TokenRequest::parse(written.expose_secret().as_bytes()).unwrap();
        assert_eq!(again.to_form().expose_secret(), written.expose_secret());
        assert_eq!(again.client_id, request.client_id);
        assert_eq!(again.authorization_details, request.authorization_details);
    });
}

#[test]
fn credential_requests() {
    let [ed25519, p256] = [KeyType::Ed25519, KeyType::P256].map(|key_type| key(key_type, 1));
    let now = blindprint_core::UnixTime(1_790_000_000);
    let proof = |key| prove_key(key, ISSUER, Some("nonce"), None, now).unwrap();
    let wallet = DecryptionKey::generate(&SystemEntropy).named("k").public();
    let encryption = json!({ "jwk": wallet.to_jwk(), "enc": "A128GCM" });
    let seeds = [
        json!({
            "credential_configuration_id": "enrolment_ldp_vc",
            "proofs": { "jwt": [proof(&ed25519), proof(&p256)] },
            "credential_response_encryption": encryption,
        }),
        json!({ "credential_identifier": "i", "proof": { "proof_type": "jwt", "jwt": "a.b.c" } }),
        json!({ "transaction_id": "t", "credential_response_encryption": encryption }),
        json!({ "notification_id": "n", "event": "credential_accepted", "event_description": "d" }),
    ]
    .map(|seed| seed.to_string());
    assert!(CredentialRequest::parse(seeds[0].as_bytes()).is_ok());
    assert!(CredentialRequest::parse(seeds[1].as_bytes()).is_ok());
    assert!(DeferredRequest::parse(seeds[2].as_bytes()).is_ok());
    assert!(Notification::parse(seeds[3].as_bytes()).is_ok());
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        if let Ok(request) = CredentialRequest::parse(bytes) {
            let again = request.to_json().to_string();
            assert_eq!(CredentialRequest::parse(again.as_bytes()), Ok(request));
        }
        if let Ok(request) = DeferredRequest::parse(bytes) {
            let again = request.to_json().to_string();
            assert_eq!(DeferredRequest::parse(again.as_bytes()), Ok(request));
        }
        if let Ok(notification) = Notification::parse(bytes) {
            let again = serde_json::to_vec(&notification).unwrap();
            assert_eq!(Notification::parse(&again), Ok(notification));
        }
    });
}

#[test]
fn answers() {
    let detail = json!({
        "type": "openid_credential", "credential_configuration_id": "a", "credential_identifiers": ["i"],
    });
    let seeds = [
        json!({
            "access_token": "t", "token_type": "DPoP", "expires_in": 300,
            "authorization_details": [detail],
        }),
        json!({
            "credentials": [{ "credential": "a~b~" }, { "credential": { "type": [1.5] } }],
            "notification_id": "n",
        }),
        json!({ "transaction_id": "t", "interval": 5 }),
        json!({ "c_nonce": "n" }),
        json!({ "error": "use_dpop_nonce", "error_description": "d" }),
        json!({ "redirect_uri": "https://a.example" }),
    ]
    .map(|seed| seed.to_string());
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        if let Ok(response) = TokenResponse::parse(bytes) {
            let written = serde_json::to_vec(&response).unwrap();
            let again = TokenResponse::parse(&written).unwrap();
            assert_eq!(again.is_dpop(), response.is_dpop());
            assert_eq!(serde_json::to_vec(&again).unwrap(), written);
        }
        if let Ok(response) = CredentialResponse::parse(bytes) {
            let again = response.to_json().to_string();
            assert_eq!(CredentialResponse::parse(again.as_bytes()), Ok(response));
        }
        if let Ok(response) = NonceResponse::parse(bytes) {
            let again = serde_json::to_vec(&response).unwrap();
            assert_eq!(NonceResponse::parse(&again), Ok(response));
        }
        if let Some(error) = ErrorBody::parse(bytes) {
            let again = serde_json::to_vec(&error).unwrap();
            assert_eq!(ErrorBody::parse(&again), Some(error));
        }
        if let Ok(answer) = DirectPostAnswer::parse(bytes) {
            let again = serde_json::to_vec(&answer).unwrap();
            assert_eq!(DirectPostAnswer::parse(&again), Ok(answer));
        }
    });
}

fn decryption_key(seed: u8) -> DecryptionKey {
    DecryptionKey::from_secret(&SecretBox::new(Box::new([seed; 32]))).unwrap()
}

fn query() -> Value {
    json!({
        "credentials": [
            { "id": "q", "format": "dc+sd-jwt", "meta": { "vct_values": ["v"] }, "multiple": true,
              "claims": [
                { "id": "c", "path": ["a", null, "b"], "values": ["x", 1, true] },
                { "id": "d", "path": ["a", 1] },
              ],
              "claim_sets": [["c", "d"], ["d"]] },
            { "id": "r", "format": "ldp_vc", "meta": { "type_values": [["A", "B"]] } },
        ],
        "credential_sets": [
            { "options": [["q"], ["r"]] },
            { "options": [["q", "r"]], "required": false },
        ],
    })
}

#[test]
fn queries() {
    let claims = json!({ "a": [{ "b": "x" }, { "b": 2 }, { "b": [[1], [2]] }], "c": "d" });
    let types = ["v", "A", "B"].map(str::to_owned);
    let simple = json!({ "credentials": [{ "id": "q", "format": "jwt_vc_json", "meta": {} }] });
    let seeds = [query().to_string(), simple.to_string()];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Ok(query) = serde_json::from_slice::<Query>(bytes) else {
            return;
        };
        super::json::<Query>(bytes);
        let formats = [Format::SdJwtVc, Format::LdpVc, Format::JwtVcJson];
        let candidates = formats.each_ref().map(|format| Candidate {
            format,
            types: &types,
            claims: &claims,
            holder_bound: true,
        });
        let Ok(choices) = query.choose(&candidates) else {
            return;
        };
        // Every path that is to be shown was asked for and is there.
        let mut token = Vec::new();
        for choice in choices {
            assert!(!choice.matches.is_empty());
            for found in &choice.matches {
                let candidate = &candidates[found.candidate];
                assert_eq!(choice.query.format, *candidate.format);
                for path in &found.disclose {
                    assert!(path.select(&claims).is_some());
                    assert!(choice.query.claims.iter().any(|claim| claim.path == *path));
                }
            }
            let shown = serde_json::from_value(json!(["presentation"])).unwrap();
            token.push((choice.query.id.clone(), shown));
        }
        // What the wallet chooses is an answer to the verifier.
        let token: VpToken = token.into_iter().collect();
        let answers = query.answered_by(&token).unwrap();
        assert_eq!(answers.len(), token.entries().len());
    });
}

#[test]
fn direct_posts() {
    let token = r#"{"q":["a.b.c~",{"type":"VerifiablePresentation","n":1.5}],"r":["x"]}"#;
    let jwe = encrypt(
        format!("{{\"vp_token\":{token},\"state\":\"s\"}}").as_bytes(),
        &decryption_key(1).public(),
        Encryption::A128Gcm,
        Parties::default(),
        &SystemEntropy,
    );
    let seeds = [
        form(&[("vp_token", token), ("state", "s")]),
        form(&[("response", &jwe)]),
        form(&[
            ("error", "access_denied"),
            ("error_description", "no"),
            ("state", "s"),
        ]),
        form(&[("wallet_nonce", "n"), ("wallet_metadata", "{}")]),
    ];
    for seed in &seeds[..3] {
        assert!(DirectPost::parse(seed.as_bytes()).is_ok());
    }
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        if let Ok(post) = DirectPost::parse(bytes) {
            let again = post.to_form().unwrap();
            assert_eq!(DirectPost::parse(again.as_bytes()), Ok(post));
        }
        if let Ok(post) = RequestUriPost::parse(bytes) {
            assert_eq!(RequestUriPost::parse(post.to_form().as_bytes()), Ok(post));
        }
    });
}
