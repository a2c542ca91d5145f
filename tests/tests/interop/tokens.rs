//! JWE and DPoP, against jose and @openid4vc/oauth2.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Clock as _, SystemClock, SystemEntropy};
use blindprint_did::{KeyType, SigningKey};
use blindprint_openid4vc::{
    dpop,
    jwe::{self, DecryptionKey, Encryption, Parties, SealedJwe},
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::Node;

const TEXT: &str = "Grüße an alle";
const BOTH: [Encryption; 2] = [Encryption::A128Gcm, Encryption::A256Gcm];
const REQUEST: dpop::Request<'static> = dpop::Request {
    method: "POST",
    url: "https://id.example.org/openid/credential",
    access_token: Some("rW0ub2a1"),
};

/// The private key as others write it.
fn private_jwk(key: &DecryptionKey) -> Value {
    let mut jwk = key.public().to_jwk();
    jwk["d"] = URL_SAFE_NO_PAD
        .encode(key.to_secret().expose_secret())
        .into();
    jwk
}

fn jose(operation: &str, arguments: &Value) -> crate::Answer {
    Node::program("jose")
        .args(&[operation])
        .run(&arguments.to_string())
}

#[test]
fn jose_opens_what_is_sealed_here() {
    let key = DecryptionKey::generate(&SystemEntropy).named("a");
    let parties = Parties {
        producer: Some(b"Alice"),
        recipient: Some(b"Bob"),
    };
    for (enc, parties) in BOTH.into_iter().zip([parties, Parties::default()]) {
        let sealed = jwe::encrypt(TEXT.as_bytes(), &key.public(), enc, parties, &SystemEntropy);
        let opened = jose("decrypt", &json!({"jwk": private_jwk(&key), "jwe": sealed})).ok();
        assert_eq!(opened["text"], TEXT);
        let other = DecryptionKey::generate(&SystemEntropy);
        jose(
            "decrypt",
            &json!({"jwk": private_jwk(&other), "jwe": sealed}),
        )
        .refused();
    }
}

#[test]
fn what_jose_seals_opens_here() {
    let key = DecryptionKey::generate(&SystemEntropy).named("a");
    // Alice and Bob, as in RFC 7518 appendix C.
    let parties = [(Some("QWxpY2U"), Some("Qm9i")), (None, None)];
    for (enc, (apu, apv)) in BOTH.into_iter().zip(parties) {
        let jwk = key.public().to_jwk();
        let arguments =
            json!({"jwk": jwk, "enc": enc.name(), "text": TEXT, "apu": apu, "apv": apv});
        let sealed = jose("encrypt", &arguments).ok();
        let sealed = SealedJwe::parse(sealed["jwe"].as_str().unwrap(), 4096).unwrap();
        assert_eq!((sealed.kid(), sealed.encryption()), (Some("a"), enc));
        assert_eq!(sealed.open(&key).unwrap().as_slice(), TEXT.as_bytes());
        assert!(
            sealed
                .open(&DecryptionKey::generate(&SystemEntropy))
                .is_err()
        );
    }
}

#[test]
fn jose_accepts_dpop_proofs_made_here() {
    for key_type in [KeyType::Ed25519, KeyType::P256] {
        let key = SigningKey::generate(key_type, &SystemEntropy);
        let now = SystemClock.now();
        let proof = dpop::prove(&key, &REQUEST, None, now, &SystemEntropy).unwrap();
        let mut arguments = json!({
            "dpop": proof,
            "method": REQUEST.method,
            "url": REQUEST.url,
            "accessToken": REQUEST.access_token,
        });
        let accepted = jose("check", &arguments).ok();
        assert_eq!(accepted["thumbprint"], key.public().thumbprint());
        arguments["accessToken"] = "another".into();
        jose("check", &arguments).refused();
    }
}

#[test]
fn dpop_proofs_of_others_are_accepted() {
    for alg in ["EdDSA", "ES256"] {
        let arguments = json!({
            "method": REQUEST.method,
            "url": REQUEST.url,
            "accessToken": REQUEST.access_token,
            "alg": alg,
        });
        let made = jose("prove", &arguments).ok();
        let proof = made["dpop"].as_str().unwrap();
        let now = SystemClock.now();
        let possession = dpop::verify(proof, &REQUEST, now)
            .unwrap()
            .spend(true)
            .unwrap();
        assert_eq!(made["thumbprint"], possession.thumbprint());
        let elsewhere = dpop::Request {
            url: "https://id.example.org/token",
            ..REQUEST
        };
        assert!(dpop::verify(proof, &elsewhere, now).is_err());
    }
}
