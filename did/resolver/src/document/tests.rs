use blindprint_core::SystemEntropy;
use blindprint_did::{KeyType, SigningKey};
use serde_json::json;

use super::*;

const DID: &str = "did:web:example.org";

fn parse(document: &Value) -> Result<Document, ResolutionError> {
    Document::parse(document.to_string().as_bytes(), &DID.parse().unwrap())
}

/// Every member of DID Core, and some that it does not know.
fn full() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/did/v1", {"more": "https://example.org/more"}],
        "id": DID,
        "alsoKnownAs": ["https://example.org/"],
        "controller": [DID, "did:web:other.example"],
        "verificationMethod": [
            {
                "id": format!("{DID}#key-1"),
                "type": "Multikey",
                "controller": DID,
                "publicKeyMultibase": "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
                "revoked": "2030-01-01T00:00:00Z",
            },
            {"id": "#key-2", "type": "Unheard2099", "controller": DID, "publicKeyMagic": {"a": [1]}},
        ],
        "authentication": ["#key-1", {
            "id": "#key-3",
            "type": "JsonWebKey",
            "controller": "did:web:other.example",
            "publicKeyJwk": {
                "kty": "OKP", "crv": "Ed25519", "kid": "x",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            },
        }],
        "assertionMethod": [format!("{DID}#key-1")],
        "keyAgreement": ["#key-2"],
        "capabilityInvocation": ["#key-2"],
        "capabilityDelegation": ["#key-2"],
        "service": [{
            "id": "#shop",
            "type": ["LinkedDomains", "More"],
            "serviceEndpoint": {"origins": ["https://example.org"]},
            "priority": 1,
        }],
        "proof": {"type": "Whatever"},
    })
}

#[test]
fn what_is_not_known_is_kept() {
    let document = parse(&full()).unwrap();
    assert_eq!(document.to_value(), full());
    let small = json!({"id": DID, "@context": "https://www.w3.org/ns/did/v1", "controller": DID});
    assert_eq!(parse(&small).unwrap().to_value(), small);
}

#[test]
fn a_key_of_nobody_is_the_subjects() {
    let mut open = full();
    for pointer in ["/verificationMethod/0", "/authentication/1"] {
        let method = open.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        method.remove("controller");
    }
    let document = parse(&open).unwrap();
    assert!(
        document
            .methods()
            .all(|method| method.controller.as_str() == DID)
    );
    let mut expected = full();
    expected["authentication"][1]["controller"] = json!(DID);
    assert_eq!(document.to_value(), expected);
}

#[test]
fn names_are_found_however_they_are_written() {
    let document = parse(&full()).unwrap();
    let url = |fragment: &str| format!("{DID}#{fragment}").parse::<DidUrl>().unwrap();
    assert!(document.method(&url("key-1")).unwrap().key().is_some());
    assert!(document.method(&url("key-2")).unwrap().key().is_none());
    assert!(document.method(&url("key-3")).unwrap().key().is_some());
    assert!(document.method(&url("shop")).is_none());
    assert!(document.service(&format!("{DID}#shop")).is_some());
    assert!(document.permits(&url("key-1"), Relationship::Authentication));
    assert!(document.permits(&url("key-3"), Relationship::Authentication));
    assert!(!document.permits(&url("key-3"), Relationship::AssertionMethod));
    assert!(!document.permits(&url("key-1"), Relationship::KeyAgreement));
    let other: DidUrl = "did:web:other.example#key-1".parse().unwrap();
    assert!(document.method(&other).is_none());
}

#[test]
fn a_document_is_about_its_did_and_well_formed() {
    let invalid = |change: &dyn Fn(&mut Value)| {
        let mut document = full();
        change(&mut document);
        let outcome = parse(&document);
        assert!(
            matches!(outcome, Err(ResolutionError::InvalidDidDocument(_))),
            "{outcome:?}"
        );
    };
    invalid(&|document| document["id"] = json!("did:web:example.com"));
    invalid(&|document| document["id"] = json!("did:web:example.org#a"));
    invalid(&|document| drop(document.as_object_mut().unwrap().remove("id")));
    invalid(&|document| document["verificationMethod"] = json!({}));
    invalid(&|document| document["verificationMethod"][0]["controller"] = json!("nobody"));
    invalid(&|document| document["verificationMethod"][0]["id"] = json!("key-1"));
    invalid(&|document| {
        drop(
            document["verificationMethod"][0]
                .as_object_mut()
                .unwrap()
                .remove("type"),
        )
    });
    invalid(&|document| document["authentication"] = json!("#key-1"));
    invalid(&|document| document["authentication"] = json!([{"id": "#a"}]));
    invalid(&|document| document["service"][0] = json!({"id": "#a", "type": "A"}));
    // Two keys of one name: which of them would count?
    invalid(&|document| document["verificationMethod"][1]["id"] = json!(format!("{DID}#key-1")));
    invalid(&|document| document["service"][0]["id"] = json!("#key-1"));
    let twice = format!(r#"{{"id":"{DID}","id":"{DID}"}}"#);
    for text in [twice.as_str(), "[]", "null", "", "{", &"[".repeat(100_000)] {
        let outcome = Document::parse(text.as_bytes(), &DID.parse().unwrap());
        assert!(matches!(
            outcome,
            Err(ResolutionError::InvalidDidDocument(_))
        ));
    }
}

#[test]
fn keys_are_read_in_the_forms_of_all_times() {
    let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy).public();
    let p256 = SigningKey::generate(KeyType::P256, &SystemEntropy).public();
    let jwk = serde_json::to_value(blindprint_did::Jwk::from(&key)).unwrap();
    let p256_jwk = serde_json::to_value(blindprint_did::Jwk::from(&p256)).unwrap();
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(jwk["x"].as_str().unwrap())
        .unwrap();
    let base58 = bs58::encode(&bytes).into_string();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let read = |kind: &str, name: &str, value: &Value| {
        let method = json!({"id": "#a", "type": kind, "controller": DID, name: value});
        serde_json::from_value::<VerificationMethod>(method)
            .unwrap()
            .key()
    };
    for (kind, name, value) in [
        ("Multikey", "publicKeyMultibase", json!(key.multikey())),
        (
            "Ed25519VerificationKey2020",
            "publicKeyMultibase",
            json!(key.multikey()),
        ),
        (
            "Ed25519VerificationKey2018",
            "publicKeyBase58",
            json!(base58),
        ),
        (
            "Ed25519VerificationKey2018",
            "publicKeyHex",
            json!(hex::encode(&bytes)),
        ),
        (
            "Ed25519VerificationKey2018",
            "publicKeyBase64",
            json!(base64),
        ),
        ("JsonWebKey", "publicKeyJwk", jwk.clone()),
        ("JsonWebKey2020", "publicKeyJwk", jwk.clone()),
    ] {
        assert_eq!(read(kind, name, &value), Some(key), "{kind} {name}");
    }
    for (kind, name, value) in [
        ("Multikey", "publicKeyMultibase", json!(p256.multikey())),
        ("P256Key2021", "publicKeyMultibase", json!(p256.multikey())),
        ("JsonWebKey2020", "publicKeyJwk", p256_jwk),
    ] {
        assert_eq!(read(kind, name, &value), Some(p256), "{kind} {name}");
    }
    let mut private = jwk.clone();
    private["d"] = jwk["x"].clone();
    for (kind, name, value) in [
        // The type and the key do not fit each other.
        (
            "Ed25519VerificationKey2020",
            "publicKeyMultibase",
            json!(p256.multikey()),
        ),
        ("P256Key2021", "publicKeyMultibase", json!(key.multikey())),
        ("Multikey", "publicKeyJwk", jwk.clone()),
        ("JsonWebKey", "publicKeyMultibase", json!(key.multikey())),
        (
            "EcdsaSecp256k1VerificationKey2019",
            "publicKeyBase58",
            json!(base58),
        ),
        ("Unheard2099", "publicKeyMultibase", json!(key.multikey())),
        // Malformed.
        ("JsonWebKey", "publicKeyJwk", private),
        ("Multikey", "publicKeyMultibase", json!("z6Mk")),
        ("Multikey", "publicKeyMultibase", json!(1)),
        (
            "Ed25519VerificationKey2018",
            "publicKeyBase58",
            json!(format!("{base58}1")),
        ),
        ("Ed25519VerificationKey2018", "publicKeyHex", json!("00")),
        // secp256k1 keys cannot be used here, but a document may have them.
        (
            "Multikey",
            "publicKeyMultibase",
            json!("zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"),
        ),
    ] {
        assert_eq!(read(kind, name, &value), None, "{kind} {name}");
    }
}

#[test]
fn a_controller_edits_its_document() {
    let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy).public();
    let mut document = parse(&full()).unwrap();
    let first: DidUrl = format!("{DID}#key-1").parse().unwrap();
    document.put_method(
        VerificationMethod::multikey(&first, &key),
        &[Relationship::AssertionMethod],
    );
    assert_eq!(document.method(&first).unwrap().key(), Some(key));
    assert!(!document.permits(&first, Relationship::Authentication));
    assert!(document.permits(&first, Relationship::AssertionMethod));
    assert!(document.stop_using("#key-1", &[Relationship::AssertionMethod]));
    assert!(!document.stop_using("#key-1", &Relationship::ALL));
    assert!(document.method(&first).is_some());
    assert!(document.remove_method("#key-2") && !document.remove_method("#key-2"));
    assert!(
        document.remove_method("#key-3"),
        "embedded under a relationship"
    );
    assert!(document.authentication.is_empty() && document.key_agreement.is_empty());
    let mut service = document.service[0].clone();
    service.service_endpoint = json!("https://elsewhere.example");
    document.put_service(service);
    assert_eq!(document.service.len(), 1);
    assert!(document.remove_service(&format!("{DID}#shop")) && !document.remove_service("#shop"));
    assert_eq!(parse(&document.to_value()).unwrap(), document);
}
