use blindprint_core::{
    ConsentId, Nonce, SystemEntropy, UnixTime,
    statement::{Erasure, RequestProof, Withdrawal},
};

use super::*;
use crate::KeyType;

fn key() -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
}

fn withdrawal(key: &SigningKey) -> Withdrawal {
    Withdrawal {
        sub: key.public().subject(),
        service: "https://example.org".parse().unwrap(),
        consent: ConsentId::random(&SystemEntropy),
        iat: UnixTime(1_760_000_000),
    }
}

/// A JWS with any header and payload, signed properly.
fn forge(key: &SigningKey, header: &str, payload: &str) -> Jws {
    let text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = key.signature(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
        .parse()
        .unwrap()
}

fn header(key: &SigningKey) -> String {
    let (alg, kid) = (key.key_type().alg(), key.public().uri());
    format!(
        r#"{{"alg":"{alg}","typ":"{}","kid":"{kid}"}}"#,
        Withdrawal::TYP
    )
}

#[test]
fn both_kinds_of_key_sign_and_verify() {
    for key_type in [KeyType::Ed25519, KeyType::P256] {
        let key = SigningKey::generate(key_type, &SystemEntropy);
        let statement = withdrawal(&key);
        let jws = sign(&key, &statement).unwrap();
        let verified = verify::<Withdrawal>(&jws).unwrap();
        assert_eq!(verified.statement(), &statement);
        assert_eq!(verified.key(), &key.public().uri());
        assert_eq!(verified.digest(), jws_digest(&jws));
        assert_eq!(
            jws,
            forge(
                &key,
                &header(&key),
                &serde_json::to_string(&statement).unwrap()
            )
        );
        let other = self::key().public().uri();
        assert_eq!(verified.clone().by(&other), Err(DidError::Signer));
        assert_eq!(
            verified.by(&key.public().uri()).unwrap().into_statement(),
            statement
        );
    }
}

/// Signing is deterministic, so this pins header, payload and signature for other implementations.
#[test]
fn a_known_answer() {
    let seed = secrecy::SecretBox::new(Box::new([0; 32]));
    let key = SigningKey::from_secret(KeyType::Ed25519, &seed).unwrap();
    let statement = Withdrawal {
        consent: "00000000-0000-4000-8000-000000000000".parse().unwrap(),
        ..withdrawal(&key)
    };
    let jws = sign(&key, &statement).unwrap();
    let (signed, signature) = jws.as_str().rsplit_once('.').unwrap();
    assert_eq!(
        signed
            .split('.')
            .map(|part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect::<Vec<_>>(),
        [
            r#"{"alg":"EdDSA","typ":"blindprint-withdrawal+jwt","kid":"did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"}"#,
            r#"{"sub":"did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp","service":"https://example.org","consent":"00000000-0000-4000-8000-000000000000","iat":1760000000}"#,
        ]
    );
    assert_eq!(signature, KNOWN_SIGNATURE);
}

/// Made with OpenSSL 3 from the seed and the signed text above.
const KNOWN_SIGNATURE: &str =
    "bfjT9paD291IkjDSn83kOq28mWtU4NDGINTbHpZ62DS5C1azBqVB4U39BSJqIC7Duxd9VYV2LfJmH7cgM0xnDg";

#[test]
fn a_statement_is_of_one_type() {
    let key = key();
    let jws = sign(&key, &withdrawal(&key)).unwrap();
    assert_eq!(verify::<Erasure>(&jws).unwrap_err(), DidError::Type);
}

#[test]
fn headers_have_exactly_three_members_that_fit() {
    let key = key();
    let p256 = SigningKey::generate(KeyType::P256, &SystemEntropy);
    let payload = serde_json::to_string(&withdrawal(&key)).unwrap();
    let good = header(&key);
    assert!(verify::<Withdrawal>(&forge(&key, &good, &payload)).is_ok());
    let (typ, kid) = (Withdrawal::TYP, key.public().uri());
    for (bad, error) in [
        (good.replace('}', r#","crit":["exp"]}"#), DidError::Header),
        (good.replace('}', r#","jwk":{}}"#), DidError::Header),
        (good.replace('}', r#","alg":"EdDSA"}"#), DidError::Header),
        (format!(r#"["EdDSA","{typ}","{kid}"]"#), DidError::Header),
        (format!(" {good}"), DidError::Header),
        (format!("{good}x"), DidError::Header),
        (
            format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#),
            DidError::Header,
        ),
        (
            format!(r#"{{"alg":"EdDSA","typ":"{typ}"}}"#),
            DidError::Header,
        ),
        (
            format!(r#"{{"typ":"{typ}","kid":"{kid}"}}"#),
            DidError::Header,
        ),
        (good.replace("EdDSA", "ES256"), DidError::Header),
        (good.replace("EdDSA", "none"), DidError::Header),
        (good.replace("EdDSA", "HS256"), DidError::Header),
        (good.replace("EdDSA", "eddsa"), DidError::Header),
        (good.replace(typ, "JWT"), DidError::Type),
        (
            good.replace(typ, "BLINDPRINT-WITHDRAWAL+JWT"),
            DidError::Type,
        ),
        (
            good.replace(kid.as_str(), &format!("{kid}#{kid}")),
            DidError::Header,
        ),
        (
            good.replace(kid.as_str(), "did:web:example.org"),
            DidError::Header,
        ),
        (good.replace(kid.as_str(), "did:key:z6Mk"), DidError::Key),
        (
            good.replace(kid.as_str(), self::key().public().uri().as_str()),
            DidError::Signature,
        ),
        (
            good.replace(kid.as_str(), p256.public().uri().as_str()),
            DidError::Header,
        ),
    ] {
        assert_eq!(
            verify::<Withdrawal>(&forge(&key, &bad, &payload)).unwrap_err(),
            error,
            "{bad}"
        );
    }
}

#[test]
fn payloads_are_exactly_the_statement() {
    let key = key();
    let header = header(&key);
    let good = serde_json::to_string(&withdrawal(&key)).unwrap();
    for bad in [
        good.replace('}', r#","admin":true}"#),
        good.replace('}', r#","iat":1}"#),
        good.replace("1760000000", "1760000000.0"),
        good.replace("1760000000", r#""1760000000""#),
        good.replace("https:", "ftp:"),
        good.replace("\"iat\"", "\"exp\""),
        format!("{good} {good}"),
        format!(" {good}"),
        format!("[{good}]"),
        "null".to_owned(),
        String::new(),
    ] {
        assert_eq!(
            verify::<Withdrawal>(&forge(&key, &header, &bad)).unwrap_err(),
            DidError::Payload,
            "{bad}"
        );
    }
}

#[test]
fn base64url_has_one_form() {
    let key = key();
    let jws = sign(&key, &withdrawal(&key)).unwrap();
    // 64 bytes leave four unused bits in the last character of the signature.
    let last = jws.as_str().chars().last().unwrap();
    for other in ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain("-_".chars())
        .filter(|c| *c != last)
    {
        let mut text = jws.as_str().to_owned();
        text.pop();
        text.push(other);
        assert_eq!(
            verify::<Withdrawal>(&text.parse().unwrap()).unwrap_err(),
            DidError::Signature,
            "{other}"
        );
    }
}

#[test]
fn every_flipped_character_is_noticed() {
    let key = key();
    let jws = sign(&key, &withdrawal(&key)).unwrap();
    for at in 0..jws.as_str().len() {
        let mut text = jws.as_str().as_bytes().to_vec();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(text).unwrap();
        let verified = text.parse::<Jws>().map(|jws| verify::<Withdrawal>(&jws));
        assert!(!matches!(verified, Ok(Ok(_))), "character {at}");
    }
}

#[test]
fn what_would_not_fit_is_not_signed() {
    let key = key();
    let mut request = RequestProof {
        sub: key.public().subject(),
        aud: "https://example.org".parse().unwrap(),
        htm: "GET".to_owned(),
        htu: "/".to_owned(),
        body: Digest::of("blindprint/body/v1", b""),
        jti: Nonce::random(&SystemEntropy),
        iat: UnixTime(0),
    };
    assert!(sign(&key, &request).is_ok());
    request.htu = "/".repeat(Jws::MAX_LEN);
    assert_eq!(sign(&key, &request), Err(DidError::TooLong));
}
