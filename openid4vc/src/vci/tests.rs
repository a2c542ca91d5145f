use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::*;
use crate::Code;

const ISSUER: &str = "https://credential-issuer.example.com";

fn offer() -> Value {
    json!({
        "credential_issuer": ISSUER,
        "credential_configuration_ids": ["UniversityDegreeCredential", "org.iso.18013.5.1.mDL"],
        "grants": {
            "urn:ietf:params:oauth:grant-type:pre-authorized_code": {
                "pre-authorized_code": "oaKazRN8I0IbtZ0C7JuMn5",
                "tx_code": {
                    "length": 4,
                    "input_mode": "numeric",
                    "description": "Please provide the one-time code that was sent via e-mail"
                }
            },
            "urn:example:later": {}
        }
    })
}

fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut offer = offer();
    change(&mut offer);
    offer.to_string()
}

#[test]
fn the_specifications_offers() {
    let parsed = Offer::parse(offer().to_string().as_bytes()).unwrap();
    let grant = parsed.pre_authorized().unwrap();
    assert_eq!(grant.code, "oaKazRN8I0IbtZ0C7JuMn5");
    assert_eq!(
        grant.tx_code.as_ref().unwrap().input_mode,
        Some(InputMode::Numeric)
    );
    // Section 4.1.2, where the transaction code is an empty object.
    let link = "openid-credential-offer://?credential_offer=%7B%22credential_issuer%22:%22https://credential-issuer.example.com%22,%22credential_configuration_ids%22:%5B%22org.iso.18013.5.1.mDL%22%5D,%22grants%22:%7B%22urn:ietf:params:oauth:grant-type:pre-authorized_code%22:%7B%22pre-authorized_code%22:%22oaKazRN8I0IbtZ0C7JuMn5%22,%22tx_code%22:%7B%7D%7D%7D%7D";
    let OfferLink::Value(by_value) = OfferLink::parse(link).unwrap() else {
        panic!("by value")
    };
    assert_eq!(
        by_value.pre_authorized().unwrap().tx_code,
        Some(TxCode::default())
    );
}

#[test]
fn links_come_back() {
    let offer = Offer::parse(offer().to_string().as_bytes()).unwrap();
    for link in [
        OfferLink::Value(offer),
        OfferLink::Reference("https://id.example.org/offers/a?b=c&d=e".to_owned()),
    ] {
        let uri = link.to_uri();
        assert!(uri.starts_with("openid-credential-offer://?credential_offer"));
        assert_eq!(OfferLink::parse(&uri), Ok(link.clone()));
        let query = uri.split_once('?').unwrap().1;
        assert_eq!(
            OfferLink::parse(&format!("https://wallet.example/add?{query}&x=y")),
            Ok(link)
        );
    }
    assert!(matches!(
        OfferLink::parse(&self::offer().to_string()),
        Ok(OfferLink::Value(_))
    ));
}

#[test]
fn what_is_no_offer_is_refused() {
    for bad in [
        String::new(),
        "openid-credential-offer://".to_owned(),
        "openid-credential-offer://?credential_offer=%7B%7D".to_owned(),
        "openid-credential-offer://?credential_offer_uri=file%3A%2F%2F%2Fetc%2Fpasswd".to_owned(),
        "openid-credential-offer://?credential_offer_uri=https://a&credential_offer_uri=https://b"
            .to_owned(),
        format!(
            "openid-credential-offer://?credential_offer_uri=https://a&credential_offer={}",
            offer()
        ),
        changed(|offer| offer["credential_issuer"] = "id.example.org".into()),
        changed(|offer| offer["credential_issuer"] = "https://a.example?b".into()),
        changed(|offer| offer["credential_issuer"] = "https://a.example/\u{1b}[2J".into()),
        changed(|offer| offer["credential_issuer"] = "https://a.example\\b".into()),
        changed(|offer| offer["credential_configuration_ids"] = json!(["a\u{1b}[2J"])),
        changed(|offer| offer["credential_configuration_ids"] = json!([])),
        changed(|offer| offer["credential_configuration_ids"] = json!(["a", "a"])),
        changed(|offer| offer["credential_configuration_ids"] = json!([""])),
        changed(|offer| offer["grants"][PRE_AUTHORIZED_CODE]["pre-authorized_code"] = "".into()),
        changed(|offer| {
            offer["grants"][PRE_AUTHORIZED_CODE]["tx_code"]["input_mode"] = "voice".into()
        }),
        changed(|offer| {
            offer["grants"][PRE_AUTHORIZED_CODE]["tx_code"]["description"] = "x".repeat(301).into();
        }),
        changed(|offer| offer["x"] = "x".repeat(Offer::MAX_LEN).into()),
    ] {
        assert_eq!(
            OfferLink::parse(&bad).unwrap_err().kind(),
            Code::InvalidRequest,
            "{bad}"
        );
    }
}

#[test]
fn an_offers_code_is_not_printed() {
    let offer = Offer::parse(offer().to_string().as_bytes()).unwrap();
    assert!(!format!("{offer:?}").contains("oaKaz"));
}

#[test]
fn well_known_names_go_between_host_and_path() {
    assert_eq!(
        issuer_metadata_url("https://issuer.example.com/tenant").unwrap(),
        "https://issuer.example.com/.well-known/openid-credential-issuer/tenant"
    );
    assert_eq!(
        issuer_metadata_url("https://tenant.issuer.example.com").unwrap(),
        "https://tenant.issuer.example.com/.well-known/openid-credential-issuer"
    );
    assert_eq!(
        authorization_server_metadata_url("https://a.example:8443/b/").unwrap(),
        "https://a.example:8443/.well-known/oauth-authorization-server/b"
    );
    for bad in [
        "",
        "a.example",
        "ftp://a.example",
        "https://a.example?b",
        "https://u@a.example",
        "https://a.example#b",
    ] {
        assert!(issuer_metadata_url(bad).is_err(), "{bad}");
    }
}

/// After the example of OID4VCI 1.0 appendix I, with an mdoc that is not understood here.
fn metadata() -> Value {
    json!({
        "credential_issuer": ISSUER,
        "authorization_servers": ["https://server.example.com"],
        "credential_endpoint": "https://credential-issuer.example.com/credential",
        "nonce_endpoint": "https://credential-issuer.example.com/nonce",
        "batch_credential_issuance": {"batch_size": 10},
        "credential_request_encryption": {
            "jwks": {"keys": [{"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB", "alg": "RSA-OAEP-256"}]},
            "enc_values_supported": ["A128GCM"],
            "encryption_required": false
        },
        "credential_response_encryption": {
            "alg_values_supported": ["ECDH-ES"],
            "enc_values_supported": ["A128GCM"],
            "zip_values_supported": ["DEF"],
            "encryption_required": false
        },
        "display": [{"name": "Example University", "locale": "en-US",
            "logo": {"uri": "https://university.example.edu/public/logo.png", "alt_text": "a square logo"}}],
        "credential_configurations_supported": {
            "SD_JWT_VC_example_in_OpenID4VCI": {
                "format": "dc+sd-jwt",
                "scope": "SD_JWT_VC_example_in_OpenID4VCI",
                "cryptographic_binding_methods_supported": ["jwk"],
                "credential_signing_alg_values_supported": ["ES256"],
                "proof_types_supported": {"jwt": {
                    "proof_signing_alg_values_supported": ["ES256"],
                    "key_attestations_required": {"key_storage": ["iso_18045_moderate"]}
                }},
                "vct": "SD_JWT_VC_example_in_OpenID4VCI",
                "credential_metadata": {
                    "display": [{"name": "IdentityCredential", "background_color": "#12107c"}],
                    "claims": [{"path": ["degrees", null, "type"], "display": [{"name": "Degree"}]}]
                }
            },
            "mdl": {"format": "mso_mdoc", "doctype": "org.iso.18013.5.1.mDL",
                "credential_signing_alg_values_supported": [-7, -9]},
            "degree": {"format": "ldp_vc", "credential_definition": {
                "@context": ["https://www.w3.org/ns/credentials/v2"],
                "type": ["VerifiableCredential", "UniversityDegreeCredential"]}}
        },
        "later": true
    })
}

fn read(metadata: &Value) -> crate::Result<IssuerMetadata> {
    IssuerMetadata::parse(metadata.to_string().as_bytes(), ISSUER)
}

#[test]
fn metadata_of_strangers_are_read() {
    let metadata = read(&metadata()).unwrap();
    assert_eq!(
        metadata.authorization_server(None),
        Ok("https://server.example.com")
    );
    assert!(
        metadata
            .authorization_server(Some("https://else.example"))
            .is_err()
    );
    let mdl = &metadata.credential_configurations_supported["mdl"];
    assert_eq!(
        mdl.credential_signing_alg_values_supported[0],
        Algorithm::Cose(-7)
    );
    assert!(
        metadata
            .credential_request_encryption
            .as_ref()
            .unwrap()
            .jwks
            .recipient()
            .is_none()
    );
    let again = serde_json::to_vec(&metadata).unwrap();
    assert_eq!(IssuerMetadata::parse(&again, ISSUER), Ok(metadata));
}

#[test]
fn metadata_of_another_issuer_or_without_sense_are_refused() {
    for (member, value) in [
        (
            "credential_issuer",
            json!("https://credential-issuer.example.com/"),
        ),
        ("credential_endpoint", json!("/credential")),
        ("credential_endpoint", json!("file:///etc/passwd")),
        ("nonce_endpoint", json!("https://a.example/#b")),
        ("batch_credential_issuance", json!({"batch_size": 1})),
        ("batch_credential_issuance", json!({"batch_size": -1})),
        ("credential_configurations_supported", json!([])),
        ("display", json!("x".repeat(IssuerMetadata::MAX_LEN))),
    ] {
        let mut bad = metadata();
        bad[member] = value;
        assert_eq!(
            read(&bad).unwrap_err().kind(),
            Code::ServerError,
            "{member}"
        );
    }
    let server = json!({
        "issuer": ISSUER,
        "token_endpoint": "https://credential-issuer.example.com/token",
        "pre-authorized_grant_anonymous_access_supported": true,
        "dpop_signing_alg_values_supported": ["ES256"],
    });
    let read =
        |server: &Value| AuthorizationServerMetadata::parse(server.to_string().as_bytes(), ISSUER);
    assert!(read(&server).unwrap().anonymous_pre_authorized);
    for member in ["issuer", "token_endpoint"] {
        let mut bad = server.clone();
        bad[member] = "https:".into();
        assert!(read(&bad).is_err(), "{member}");
    }
}

#[test]
fn the_specifications_token_request() {
    // Section 6.1.1.
    let body = b"grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code&pre-authorized_code=SplxlOBeZQQYbYS6WxSbIA&tx_code=493536&authorization_details=%5B%7B%22type%22%3A%20%22openid_credential%22%2C%20%22credential_configuration_id%22%3A%20%22UniversityDegreeCredential%22%7D%5D&later=x";
    let request = TokenRequest::parse(body).unwrap();
    let again = TokenRequest::parse(request.to_form().expose_secret().as_bytes()).unwrap();
    for request in [request, again] {
        let Grant::PreAuthorized { code, tx_code } = request.grant else {
            panic!("a code")
        };
        assert_eq!(code.expose_secret(), "SplxlOBeZQQYbYS6WxSbIA");
        assert_eq!(tx_code.unwrap().expose_secret(), "493536");
        let wanted = &request.authorization_details[0].credential_configuration_id;
        assert_eq!(wanted.as_deref(), Some("UniversityDegreeCredential"));
        assert!(request.client_id.is_none());
    }
}

#[test]
fn a_machine_asks_in_its_own_name() {
    let request = TokenRequest {
        grant: Grant::ClientCredentials,
        client_id: Some("client&1".to_owned()),
        client_secret: Some(SecretString::from("s=e+c&r%t")),
        scope: Some("credentials:issue credentials:verify".to_owned()),
        authorization_details: Vec::new(),
    };
    let again = TokenRequest::parse(request.to_form().expose_secret().as_bytes()).unwrap();
    assert!(matches!(again.grant, Grant::ClientCredentials));
    assert_eq!(again.client_id, request.client_id);
    assert_eq!(again.client_secret.unwrap().expose_secret(), "s=e+c&r%t");
    assert_eq!(again.scope, request.scope);
}

#[test]
fn each_fault_of_a_token_request_has_its_code() {
    const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code";
    for (code, body) in [
        ("invalid_request", String::new()),
        ("invalid_request", GRANT.to_owned()),
        ("invalid_request", format!("{GRANT}&pre-authorized_code=")),
        (
            "invalid_request",
            format!("{GRANT}&pre-authorized_code=a&pre-authorized_code=b"),
        ),
        (
            "invalid_request",
            format!("{GRANT}&pre-authorized_code=a&authorization_details=x"),
        ),
        (
            "invalid_request",
            format!("{GRANT}&pre-authorized_code=a&authorization_details=[]"),
        ),
        (
            "invalid_request",
            format!(
                "{GRANT}&pre-authorized_code=a&authorization_details=[{{\"type\":\"payment\"}}]"
            ),
        ),
        (
            "invalid_request",
            "grant_type=client_credentials&tx_code=1".to_owned(),
        ),
        (
            "unsupported_grant_type",
            "grant_type=password&username=a&password=b".to_owned(),
        ),
        ("invalid_request", "a".repeat(TokenRequest::MAX_LEN + 1)),
        (
            "invalid_request",
            (0..100)
                .map(|n| format!("p{n}=x"))
                .collect::<Vec<_>>()
                .join("&"),
        ),
    ] {
        let error = TokenRequest::parse(body.as_bytes()).err().unwrap();
        assert_eq!(error.code(), code, "{body}");
    }
}

#[test]
fn tokens_are_read() {
    let token = TokenResponse::parse(
        br#"{"access_token":"eyJ","token_type":"dpop","expires_in":300,"c_nonce":"old","authorization_details":[{"type":"openid_credential","credential_configuration_id":"UniversityDegreeCredential","credential_identifiers":["CivilEngineeringDegree-2023"]}]}"#,
    )
    .ok()
    .unwrap();
    assert!(token.is_dpop());
    assert_eq!(
        token.authorization_details[0].credential_identifiers,
        ["CivilEngineeringDegree-2023"]
    );
    assert!(TokenResponse::parse(br#"{"token_type":"Bearer"}"#).is_err());
}
