use serde_json::Value;

use super::*;
use crate::{DidUrl, Relationship};

fn resolve_text(did: &str) -> Result<Document, ResolutionError> {
    resolve(&did.parse()?)
}

/// Test vectors of the did:key specification, by kind of key.
const SIGNING: &[&str] = &[
    "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
    "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
    "did:key:zQ3shtxV1FrJfhqE1dvxYRcCknWNjHc3c5X1y3ZSoPDi2aur2",
    "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
    "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    "did:key:z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9",
    "did:key:z2J9gaYxrKVpdoG9A4gRnmpnRCcxU6agDtFVVBVdn1JedouoZN7SzcyREXXzWgt3gGiwpoHq7K68X4m32D8HgzG8wv3sY5j7",
];

#[test]
fn the_specifications_keys() {
    for did in SIGNING {
        let document = resolve_text(did).unwrap();
        let multikey = did.strip_prefix("did:key:").unwrap();
        let name: DidUrl = format!("{did}#{multikey}").parse().unwrap();
        assert_eq!(document.method(&name).unwrap().controller.as_str(), *did);
        for relationship in Relationship::ALL {
            let expected = relationship != Relationship::KeyAgreement;
            assert_eq!(document.permits(&name, relationship), expected, "{did}");
        }
        let own = multikey.starts_with("z6Mk") || multikey.starts_with("zDn");
        assert_eq!(
            document.method(&name).unwrap().key().is_some(),
            own,
            "{did}"
        );
    }
    let x25519 = resolve_text("did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F").unwrap();
    assert_eq!(x25519.key_agreement.len(), 1);
    assert!(x25519.authentication.is_empty() && x25519.assertion_method.is_empty());
}

#[test]
fn the_document_as_json() {
    const DID: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
    let document = resolve_text(DID).unwrap().to_value();
    let name = format!("{DID}#z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK");
    let expected: Value = serde_json::json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": DID,
        "verificationMethod": [{
            "id": name,
            "type": "Multikey",
            "controller": DID,
            "publicKeyMultibase": "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        }],
        "authentication": [name],
        "assertionMethod": [name],
        "capabilityInvocation": [name],
        "capabilityDelegation": [name],
    });
    assert_eq!(document, expected);
}

#[test]
fn what_is_no_key_is_no_did() {
    for bad in [
        "did:key:z",
        "did:key:z6Mk",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do0",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doKK",
        "did:key:f6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "did:key:1.1:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    ] {
        assert_eq!(resolve_text(bad), Err(ResolutionError::InvalidDid), "{bad}");
    }
    let encoded = |bytes: &[u8]| format!("did:key:z{}", bs58::encode(bytes).into_string());
    for bytes in [
        // A point that is not on secp256k1, and one that is not compressed.
        [&[0xe7, 0x01, 0x02][..], &[0xff; 32]].concat(),
        [&[0xe7, 0x01, 0x04][..], &[0; 64]].concat(),
        [
            &[0xe7, 0x01, 0x05][..],
            &hex::decode("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
                .unwrap(),
        ]
        .concat(),
        // Another codec, and lengths that do not fit.
        [&[0xe8, 0x01][..], &[1; 32]].concat(),
        [&[0xec, 0x01][..], &[1; 31]].concat(),
        [&[0x81, 0x24][..], &[1; 48]].concat(),
        vec![0xed],
        vec![1; 200],
    ] {
        assert_eq!(
            resolve_text(&encoded(&bytes)),
            Err(ResolutionError::InvalidDid),
            "{bytes:?}"
        );
    }
}
