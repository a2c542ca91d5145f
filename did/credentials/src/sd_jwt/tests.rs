use blindprint_did::SigningKey;
use serde_json::json;

use super::*;
use crate::{
    fixture::{Cast, Seeded},
    verify::verify_token,
};

/// RFC 9901 appendix A.3: a presentation with a disclosure inside another, bound to its holder.
const PRESENTATION: &str = include_str!("tests/rfc9901-a3.txt");

#[test]
fn the_rfcs_presentation_verifies() {
    let read = SdJwt::parse(PRESENTATION).unwrap();
    assert_eq!(read.to_text(), PRESENTATION);
    // RFC 9901 appendix A.5.
    let issuer = PublicKey::from_jwk(&json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
        "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"
    }))
    .unwrap();
    verify_token(read.token().unwrap(), &issuer, &["dc+sd-jwt"]).unwrap();
    let holder = read.holder_key().unwrap().unwrap();
    let binding = UnverifiedJwt::parse(read.key_binding().unwrap(), 4096).unwrap();
    let binding = verify_token(binding, &holder, &["kb+jwt"]).unwrap();
    assert_eq!(binding.claims()["sd_hash"], read.sd_hash());
    let claims = read.claims().unwrap();
    assert_eq!(claims["vct"], "urn:eudi:pid:de:1");
    assert_eq!(claims["nationalities"], json!(["DE"]));
    assert_eq!(claims["age_equal_or_over"], json!({ "18": true }));

    // What is inside needs what it is in.
    let inner = read
        .disclosing(&[vec![json!("age_equal_or_over"), json!("18")]])
        .unwrap();
    let names: Vec<_> = inner.disclosures().iter().map(Disclosure::name).collect();
    assert_eq!(names, [Some("age_equal_or_over"), Some("18")]);
    assert_eq!(inner.key_binding(), None);
}

/// RFC 9901 sections 4.2.1 to 4.2.3.
#[test]
fn the_rfcs_disclosures_have_its_digests() {
    for (text, name, digest) in [
        (
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
            Some("family_name"),
            "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0",
        ),
        (
            "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0",
            None,
            "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs",
        ),
    ] {
        let disclosure = Disclosure::parse(text).unwrap();
        assert_eq!(
            (disclosure.name(), disclosure.digest().as_str()),
            (name, digest)
        );
    }
}

#[test]
fn a_disclosure_is_one_array_and_nothing_else() {
    assert!(Disclosure::parse(&URL_SAFE_NO_PAD.encode(r#"["salt","n",1]"#)).is_ok());
    for bad in [
        r#"["salt","n",1],"x":2"#,
        r#"["salt","n",1]}"#,
        "{}",
        "[]",
        r#"["salt"] []"#,
    ] {
        assert!(
            Disclosure::parse(&URL_SAFE_NO_PAD.encode(bad)).is_err(),
            "{bad}"
        );
    }
}

fn disclosure(value: &Value) -> Disclosure {
    Disclosure::parse(&URL_SAFE_NO_PAD.encode(value.to_string())).unwrap()
}

fn disclosed(payload: &Value, disclosures: &[Disclosure]) -> Result<Value, VerifyError> {
    disclose(payload.as_object().unwrap(), disclosures).map(|found| Value::Object(found.claims))
}

#[test]
fn claims_and_elements_are_put_in_their_place() {
    let inner = disclosure(&json!(["s1", "city", "X"]));
    let outer =
        disclosure(&json!(["s2", "address", { "_sd": [inner.digest(), "decoy"], "zip": 1 }]));
    let element = disclosure(&json!(["s3", "DE"]));
    let payload = json!({
        "_sd_alg": "sha-256",
        "_sd": [outer.digest()],
        "nationalities": ["FR", { "...": element.digest() }, { "...": "decoy2" }],
    });
    let all = [inner.clone(), outer.clone(), element];
    assert_eq!(
        disclosed(&payload, &all),
        Ok(json!({ "address": { "city": "X", "zip": 1 }, "nationalities": ["FR", "DE"] }))
    );
    assert_eq!(
        disclosed(&payload, &[outer]),
        Ok(json!({ "address": { "zip": 1 }, "nationalities": ["FR"] }))
    );
    assert_eq!(
        disclosed(&payload, &[inner]),
        Err(VerifyError::Disclosure("not referenced"))
    );
}

#[test]
fn what_rfc_9901_section_7_1_refuses_is_refused() {
    let claim = disclosure(&json!(["s", "name", 1]));
    let element = disclosure(&json!(["s", 1]));
    let refused = |payload: Value, disclosures: &[&Disclosure]| {
        let disclosures: Vec<_> = disclosures.iter().map(|d| (*d).clone()).collect();
        match disclosed(&payload, &disclosures) {
            Err(VerifyError::Disclosure(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    let digest = claim.digest();
    assert_eq!(refused(json!({}), &[&claim]), "not referenced");
    assert_eq!(
        refused(json!({ "_sd": [digest] }), &[&claim, &claim]),
        "repeated"
    );
    assert_eq!(
        refused(json!({ "_sd": [digest, digest] }), &[&claim]),
        "a digest is repeated"
    );
    assert_eq!(
        refused(json!({ "_sd": ["d", "d"] }), &[]),
        "a digest is repeated"
    );
    assert_eq!(
        refused(json!({ "_sd": ["d"], "a": [{ "...": "d" }] }), &[]),
        "a digest is repeated"
    );
    assert_eq!(
        refused(json!({ "_sd": [digest], "name": 2 }), &[&claim]),
        "a claim that is there already"
    );
    assert_eq!(
        refused(json!({ "_sd": [element.digest()] }), &[&element]),
        "an element among claims"
    );
    assert_eq!(
        refused(json!({ "a": [{ "...": digest }] }), &[&claim]),
        "a claim among elements"
    );
    assert_eq!(
        refused(json!({ "a": [{ "...": digest, "b": 1 }] }), &[&claim]),
        "a reserved name"
    );
    assert_eq!(
        refused(json!({ "a": { "...": digest } }), &[]),
        "a reserved name"
    );
    assert_eq!(
        refused(json!({ "_sd": digest }), &[&claim]),
        "_sd is no array"
    );
    assert_eq!(refused(json!({ "_sd": [1] }), &[]), "a digest is no string");
    for name in RESERVED {
        let claim = disclosure(&json!(["s", name, 1]));
        assert_eq!(
            refused(json!({ "_sd": [claim.digest()] }), &[&claim]),
            "a reserved name"
        );
    }
    assert_eq!(
        disclosed(&json!({ "_sd_alg": "md5" }), &[])
            .unwrap_err()
            .code(),
        "unknown_suite"
    );
    for bad in [
        "",
        "e30",
        "W10",
        "WyJhIl0",
        "WzEsMl0",
        "WyJhIiwiYiIsMSwyXQ",
        "!",
        "WyJhIiwxXQ==",
    ] {
        assert!(Disclosure::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn disclosures_inside_disclosures_end() {
    let mut inner = disclosure(&json!(["s", "a", 1]));
    let mut all = vec![inner.clone()];
    for _ in 0..40 {
        inner = disclosure(&json!(["s", "a", { "_sd": [inner.digest()] }]));
        all.push(inner.clone());
    }
    assert_eq!(
        disclosed(&json!({ "_sd": [inner.digest()] }), &all),
        Err(VerifyError::TooLarge)
    );
}

#[test]
fn only_the_key_in_cnf_can_bind() {
    let cast = Cast::new();
    let holder = cast.holder.public();
    let mut claims = SdJwtClaims::of(
        &cast.deployment,
        crate::fixture::ISSUER,
        &Cast::claims(),
        crate::fixture::NOW,
    )
    .unwrap();
    claims.holder = Some(&holder);
    let made = cast.signer().sd_jwt(&claims, &Seeded::new(1)).unwrap();
    let binding = Binding {
        challenge: "n".to_owned(),
        domain: "v".to_owned(),
    };
    let by = |key: &SigningKey| made.clone().bound(key, &binding, crate::fixture::NOW);
    assert!(by(&cast.holder).is_ok());
    assert_eq!(
        by(&cast.issuer),
        Err(IssueError::Invalid(VerifyError::KeyBinding))
    );
    let foreign = SdJwtClaims {
        issuer: "did:web:other.example",
        ..claims
    };
    assert_eq!(
        cast.signer().sd_jwt(&foreign, &Seeded::new(1)),
        Err(IssueError::Invalid(VerifyError::IssuerMismatch))
    );
}
