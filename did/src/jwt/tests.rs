use blindprint_core::SystemEntropy;
use serde_json::json;

use super::*;
use crate::KeyType;

const LONGEST: usize = 8192;

fn header(value: Value) -> Map<String, Value> {
    let Value::Object(header) = value else {
        panic!("a header is an object")
    };
    header
}

fn key(key_type: KeyType) -> SigningKey {
    SigningKey::generate(key_type, &SystemEntropy)
}

#[test]
fn a_token_comes_back_only_under_its_key_and_type() {
    for key_type in [KeyType::Ed25519, KeyType::P256] {
        let signer = key(key_type);
        let claims = json!({"iss": "did:example:1", "n": 1});
        let token = sign(
            &signer,
            header(json!({"typ": "vc+jwt", "kid": "a"})),
            &claims,
        )
        .unwrap();
        let parse = || UnverifiedJwt::parse(&token, LONGEST).unwrap();
        assert_eq!(parse().kid(), Some("a"));
        let verified = parse()
            .verify(&signer.public(), &["vp+jwt", "vc+jwt"])
            .unwrap();
        assert_eq!(Value::Object(verified.into_claims()), claims);

        let wrong_type = parse().verify(&signer.public(), &["vp+jwt"]).unwrap_err();
        assert_eq!(wrong_type, DidError::Type);
        let wrong_key = parse().verify(&key(key_type).public(), &["vc+jwt"]);
        assert_eq!(wrong_key.unwrap_err(), DidError::Signature);
        let too_long = UnverifiedJwt::parse(&token, token.len() - 1).unwrap_err();
        assert_eq!(too_long, DidError::TooLong);
    }
}

#[test]
fn an_algorithm_of_another_key_is_refused() {
    let (ed25519, p256) = (key(KeyType::Ed25519), key(KeyType::P256));
    let token = sign(&ed25519, header(json!({"typ": "jwt"})), &json!({})).unwrap();
    let token = UnverifiedJwt::parse(&token, LONGEST).unwrap();
    let error = token.verify(&p256.public(), &["jwt"]).unwrap_err();
    assert_eq!(error, DidError::Header);
}

#[test]
fn no_statement_is_signed_this_way() {
    use blindprint_core::statement::{Consent, Statement as _};
    assert!(Consent::TYP.contains(STATEMENTS));
    for typ in [
        json!(Consent::TYP),
        json!(Consent::TYP.to_uppercase()),
        json!(null),
        json!(7),
    ] {
        let refused = sign(
            &key(KeyType::Ed25519),
            header(json!({"typ": typ})),
            &json!({}),
        );
        assert_eq!(refused, Err(DidError::Type), "{typ}");
    }
}

#[test]
fn malformed_tokens_are_refused() {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let signature = URL_SAFE_NO_PAD.encode([0; 64]);
    let token = |header: &str, claims: &str| {
        UnverifiedJwt::parse(
            &format!("{}.{}.{signature}", part(header), part(claims)),
            LONGEST,
        )
        .map(|_| ())
    };
    assert_eq!(token(r#"{"alg":"EdDSA"}"#, "{}"), Ok(()));
    for (bad_header, claims, error) in [
        (r#"{"alg":"EdDSA","crit":["x"]}"#, "{}", DidError::Header),
        (r#"{"alg":"EdDSA","b64":false}"#, "{}", DidError::Header),
        (r#"{"alg":"EdDSA","alg":"none"}"#, "{}", DidError::Header),
        ("[]", "{}", DidError::Header),
        ("{}", "[]", DidError::Payload),
        ("{}", r#"{"a":{"b":1,"b":2}}"#, DidError::Payload),
    ] {
        assert_eq!(
            token(bad_header, claims),
            Err(error),
            "{bad_header} {claims}"
        );
    }
    for bad in ["", "a", "a.b", "a.b.c.d", "e30.e30.", "e30.e30.AA"] {
        assert!(UnverifiedJwt::parse(bad, LONGEST).is_err(), "{bad}");
    }
}

/// The example of RFC 7515 appendix A.3, whose signature has s in the upper half of the group.
#[test]
fn others_ecdsa_signatures_verify() {
    let key = PublicKey::from_jwk(&json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }))
    .unwrap();
    let signed = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature: [u8; 64] = URL_SAFE_NO_PAD
        .decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
        .unwrap()
        .try_into()
        .unwrap();
    assert!(key.verifies_either(signed.as_bytes(), &signature));
    assert!(!key.verifies(signed.as_bytes(), &signature));
}
