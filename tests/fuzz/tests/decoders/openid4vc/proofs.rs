//! Proofs that a wallet has its key: for a credential, and for a token (DPoP).

use blindprint_core::{SystemEntropy, UnixTime};
use blindprint_did::{KeyType, SigningKey};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_openid4vc::{
    dpop,
    vci::{Client, ProofRules, prove_key, verify_proofs},
};
use serde_json::{Value, json};
use url::Url;

use super::{
    super::{did::KEY_TYPES, jwt},
    ISSUER, key,
};

const NOW: UnixTime = UnixTime(1_790_000_000);
const RULES: ProofRules<'_> = ProofRules {
    issuer: ISSUER,
    key_types: &KEY_TYPES,
    client: Client::Named("w"),
    batch_size: 2,
    now: NOW,
};
const REQUEST: dpop::Request<'_> = dpop::Request {
    method: "POST",
    url: "https://id.example.org/credential",
    access_token: Some("token"),
};

fn keys() -> [SigningKey; 3] {
    [
        key(KeyType::Ed25519, 1),
        key(KeyType::P256, 1),
        key(KeyType::Ed25519, 2),
    ]
}

fn proof(key: &SigningKey) -> String {
    prove_key(key, ISSUER, Some("nonce"), Some("w"), NOW).unwrap()
}

fn possession(key: &SigningKey) -> String {
    dpop::prove(key, &REQUEST, Some("nonce"), NOW, &SystemEntropy).unwrap()
}

#[test]
fn altered_key_proofs() {
    let inputs = Inputs::from(keys().each_ref().map(proof));
    let genuine = inputs.clone();
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let proven = verify_proofs(std::slice::from_ref(&text), &RULES);
        assert_eq!(proven.is_ok(), genuine.genuine(bytes));
        // One key cannot stand for two credentials.
        assert!(verify_proofs(&[text.clone(), text], &RULES).is_err());
    });
}

#[test]
fn altered_possession() {
    let inputs = Inputs::from(keys().each_ref().map(possession));
    let genuine = inputs.clone();
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        let proven = dpop::verify(&String::from_utf8_lossy(bytes), &REQUEST, NOW);
        assert_eq!(proven.is_ok(), genuine.genuine(bytes));
    });
}

/// With another header: a key named by its DID.
fn named(kid: &str) -> Vec<u8> {
    let header = json!({ "alg": "EdDSA", "typ": "openid4vci-proof+jwt", "kid": kid });
    let claims = json!({ "aud": ISSUER, "iat": NOW, "nonce": "nonce" });
    format!("{header}\n{claims}").into_bytes()
}

/// What follows the signature: header and claims are anything, and the signature holds.
#[test]
fn signed_key_proofs() {
    let key = key(KeyType::Ed25519, 1);
    let public = key.public();
    let did = public.subject();
    let seeds = [
        jwt::parts(&proof(&key)),
        named(&format!("{did}#{}", public.multikey())),
        named(&format!("{}#0", public.subject_jwk())),
    ];
    for seed in &seeds {
        let proof = jwt::signed(&key, seed).unwrap();
        assert!(verify_proofs(&[proof], &RULES).is_ok());
    }
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Some(proven) =
            jwt::signed(&key, bytes).and_then(|proof| verify_proofs(&[proof], &RULES).ok())
        else {
            return;
        };
        let claims = claims(bytes);
        assert_eq!(claims["aud"], ISSUER);
        assert!(claims.get("iss").is_none_or(|client| client == "w"));
        assert!((claims["iat"].as_i64().unwrap() - NOW.0).abs() <= 300);
        assert!(
            proven
                .nonces()
                .iter()
                .eq([claims["nonce"].as_str().unwrap()])
        );
        let holders = proven.accept(true).unwrap();
        assert_eq!(holders[0].public(), &public, "no other key is bound");
        let holder = holders[0].did();
        assert!(holder == did || blindprint_did::resolve(&holder) == Ok(public));
    });
}

#[test]
fn signed_possession() {
    let key = key(KeyType::Ed25519, 1);
    let seed = jwt::parts(&possession(&key));
    fuzz!(Inputs::from([seed]), Budget::SMALL, |bytes: &[u8]| {
        let Some(proven) =
            jwt::signed(&key, bytes).and_then(|proof| dpop::verify(&proof, &REQUEST, NOW).ok())
        else {
            return;
        };
        let claims = claims(bytes);
        assert_eq!(claims["htm"], "POST");
        let meant = Url::parse(claims["htu"].as_str().unwrap()).unwrap();
        let url = Url::parse(REQUEST.url).unwrap();
        assert_eq!((meant.origin(), meant.path()), (url.origin(), url.path()));
        assert_eq!(proven.nonce(), claims.get("nonce").and_then(Value::as_str));
        assert!(proven.until() > NOW, "remembered while it would be taken");
        let possession = proven.spend(true).unwrap();
        assert_eq!(possession.thumbprint(), key.public().thumbprint());
    });
}

fn claims(bytes: &[u8]) -> Value {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    serde_json::from_slice(parts.nth(1).unwrap()).unwrap()
}
