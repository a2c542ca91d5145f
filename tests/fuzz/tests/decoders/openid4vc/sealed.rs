//! Encrypted messages, and the keys that they are encrypted to.

use blindprint_core::SystemEntropy;
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_openid4vc::{
    jwe::{Encryption, Parties, RecipientKey, SealedJwe, encrypt},
    vci::CredentialResponse,
    vp::DirectPost,
};
use serde_json::{Value, json};

use super::decryption_key;

#[test]
fn altered_jwes() {
    let keys = [decryption_key(1).named("k"), decryption_key(2)];
    let parties = Parties {
        producer: Some(b"wallet"),
        recipient: Some(b"verifier"),
    };
    let mut seeds = Vec::new();
    for key in &keys {
        for (enc, parties) in [
            (Encryption::A128Gcm, Parties::default()),
            (Encryption::A256Gcm, parties),
        ] {
            seeds.push(encrypt(
                b"{\"vp_token\":{}}",
                &key.public(),
                enc,
                parties,
                &SystemEntropy,
            ));
        }
    }
    let inputs = Inputs::from(seeds);
    let genuine = inputs.clone();
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        let opened = match SealedJwe::parse(&String::from_utf8_lossy(bytes), 4096) {
            Ok(jwe) => keys
                .iter()
                .filter_map(|key| jwe.open(key).ok())
                .inspect(|opened| assert_eq!(opened.as_slice(), b"{\"vp_token\":{}}"))
                .count(),
            Err(_) => 0,
        };
        assert_eq!(
            opened,
            usize::from(genuine.genuine(bytes)),
            "one key opens what was sealed, none what was not"
        );
    });
}

#[test]
fn encryption_keys() {
    let mut full = decryption_key(1).named("k").public().to_jwk();
    full["key_ops"] = json!(["deriveKey"]);
    let seeds = [decryption_key(2).public().to_jwk(), full].map(|jwk| jwk.to_string());
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Ok(jwk) = serde_json::from_slice::<Value>(bytes) else {
            return;
        };
        if let Ok(key) = RecipientKey::from_jwk(&jwk) {
            assert!(jwk.get("d").is_none() && jwk["crv"] == "P-256");
            let again = key.to_jwk();
            assert_eq!((&again["x"], &again["y"]), (&jwk["x"], &jwk["y"]));
            assert_eq!(RecipientKey::from_jwk(&again), Ok(key));
        }
    });
}

/// What is inside, of somebody who knows the verifier's key: everybody does.
#[test]
fn sealed_answers() {
    let key = decryption_key(1);
    let seeds = [
        r#"{"vp_token":{"q":["a.b.c~",{"type":"VerifiablePresentation","n":1.5}]},"state":"s"}"#,
        r#"{"credentials":[{"credential":"a~b~"}],"notification_id":"n"}"#,
    ];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let jwe = encrypt(
            bytes,
            &key.public(),
            Encryption::A256Gcm,
            Parties::default(),
            &SystemEntropy,
        );
        let sealed = SealedJwe::parse(&jwe, jwe.len()).unwrap();
        assert_eq!(sealed.open(&key).unwrap().as_slice(), bytes);
        if let Ok(response) = DirectPost::open(&sealed, &key) {
            // Members of no meaning are passed over, even if there is no such text or number.
            if let Ok(plain) = serde_json::from_slice::<Value>(bytes) {
                let token = serde_json::to_value(&response.vp_token).unwrap();
                assert_eq!(plain["vp_token"], token);
            }
        }
        assert_eq!(
            CredentialResponse::open(&jwe, &key).ok(),
            CredentialResponse::parse(bytes).ok()
        );
    });
}
