//! JSON without repeated names, and JSON Web Tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_did::{
    KeyType, SigningKey, json,
    jwt::{UnverifiedJwt, sign},
};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use ed25519_dalek::Signer as _;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use super::did::{KEY_TYPES, key};

const TYPES: [&str; 2] = ["vc+jwt", "openid4vci-proof+jwt"];
const LONGEST: usize = 4096;

#[test]
fn objects() {
    let seeds = [
        r#"{"a":{"b":[1,-2,3.5,"x",null,true]},"c":{},"d":"\u0061"}"#,
        r#"{"a":1,"b":{"a":"a:{\"a\":1}","c":[{"a":3},{"a":4}]}}"#,
        r#"{"a":[{"b":1,"b":2}]}"#,
    ];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Ok(plain) = serde_json::from_slice::<Map<String, Value>>(bytes) else {
            assert_eq!(json::object(bytes), None);
            return;
        };
        // serde_json keeps the last of two members of one name.
        let once = members_read(&plain) == members_written(bytes);
        assert_eq!(json::object(bytes), once.then_some(plain));
    });
}

/// Members in well-formed JSON: colons outside of texts.
fn members_written(json: &[u8]) -> usize {
    let (mut count, mut in_text, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b':' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

fn members_read(members: &Map<String, Value>) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Object(members) => members_read(members),
            Value::Array(items) => items.iter().map(of).sum(),
            _ => 0,
        }
    }
    members.len() + members.values().map(of).sum::<usize>()
}

fn token(key: &SigningKey, typ: &str) -> String {
    let header =
        json::object(format!(r#"{{"typ":"{typ}","kid":"did:web:a.example#k"}}"#).as_bytes());
    let claims = r#"{"iss":"did:web:a.example","iat":1790000000,"list":[1.5,null,{"a":"ü"}]}"#;
    let claims: Value = serde_json::from_str(claims).unwrap();
    sign(key, header.unwrap(), &claims).unwrap()
}

#[test]
fn altered_tokens() {
    let keys = [
        key(KeyType::Ed25519, 1),
        key(KeyType::P256, 1),
        key(KeyType::Ed25519, 2),
    ];
    let seeds = keys.iter().flat_map(|key| TYPES.map(|typ| token(key, typ)));
    let inputs = Inputs::from(seeds);
    let genuine = inputs.clone();
    fuzz!(inputs, Budget::SMALL, |bytes: &[u8]| {
        let verified = match UnverifiedJwt::parse(&String::from_utf8_lossy(bytes), LONGEST) {
            Ok(token) => keys
                .iter()
                .filter(|key| token.clone().verify(&key.public(), &TYPES).is_ok())
                .count(),
            Err(_) => 0,
        };
        assert_eq!(
            verified,
            usize::from(genuine.genuine(bytes)),
            "one key for what was signed, none for what was not"
        );
    });
}

/// What follows the signature: header and claims are anything, and the signature holds.
#[test]
fn signed_tokens() {
    let key = key(KEY_TYPES[0], 1);
    let seeds = TYPES.map(|typ| parts(&token(&key, typ)));
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let Some(verified) = signed(&key, bytes)
            .and_then(|token| UnverifiedJwt::parse(&token, LONGEST).ok())
            .and_then(|token| token.verify(&key.public(), &TYPES).ok())
        else {
            return;
        };
        let header = verified.header();
        let typ = header["typ"].as_str().unwrap().to_ascii_lowercase();
        assert!(TYPES.contains(&typ.strip_prefix("application/").unwrap_or(&typ)));
        assert!(header["alg"] == "EdDSA" || header["alg"] == "Ed25519");
        assert!(!header.contains_key("crit") && !header.contains_key("b64"));
        let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
        assert_eq!(json::object(parts.next().unwrap()).as_ref(), Some(header));
        assert_eq!(
            json::object(parts.next().unwrap()).as_ref(),
            Some(verified.claims())
        );
        let again = sign(&key, header.clone(), verified.claims()).unwrap();
        let again = UnverifiedJwt::parse(&again, 2 * LONGEST).unwrap();
        let again = again.verify(&key.public(), &TYPES).unwrap();
        assert_eq!(again.claims(), verified.claims());
    });
}

/// Header and claims of a token, a line each.
pub fn parts(token: &str) -> Vec<u8> {
    let parts = token
        .split('.')
        .take(2)
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    parts.collect::<Vec<_>>().join(&b'\n')
}

/// A token of the header and claims in `bytes`, a line each, whatever they are, with a signature of
/// this Ed25519 key that holds.
pub fn signed(key: &SigningKey, bytes: &[u8]) -> Option<String> {
    let mut parts = bytes
        .splitn(2, |byte| *byte == b'\n')
        .map(|part| URL_SAFE_NO_PAD.encode(part));
    let text = format!("{}.{}", parts.next()?, parts.next()?);
    let key = ed25519_dalek::SigningKey::from_bytes(key.to_secret().expose_secret());
    let signature = URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).to_bytes());
    Some(format!("{text}.{signature}"))
}
