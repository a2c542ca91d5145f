use serde_json::json;

use super::*;
use crate::fixture::Cast;

#[test]
fn every_schema_uses_only_what_is_evaluated() {
    fn walk(schema: &Value) {
        // Of a value that satisfies nothing, an unknown keyword is all that could be found.
        for (keyword, rule) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "properties" => rule.as_object().unwrap().values().for_each(walk),
                "contains" => walk(rule),
                "$schema"
                | "title"
                | "description"
                | "type"
                | "const"
                | "enum"
                | "format"
                | "minLength"
                | "maxLength"
                | "minimum"
                | "maximum"
                | "required"
                | "additionalProperties" => {}
                other => panic!("{other}"),
            }
        }
    }
    for credential_type in CredentialType::ALL {
        walk(&serde_json::from_str(credential_type.schema()).unwrap());
    }
    assert_eq!(
        evaluate(&json!({ "pattern": "a" }), &json!("a")),
        Err(" pattern".to_owned())
    );
}

#[test]
fn what_is_built_satisfies_its_schema_and_changes_do_not() {
    type Case = (&'static str, Value, &'static str);
    let cast = Cast::new();
    let cases: [Case; 8] = [
        (
            "modality",
            json!("voice"),
            "/credentialSubject/modality enum",
        ),
        ("modality", json!(1), "/credentialSubject/modality enum"),
        ("matched", json!(false), "/credentialSubject/matched const"),
        (
            "authenticatedAt",
            json!("today"),
            "/credentialSubject/authenticatedAt format",
        ),
        (
            "verdictDigest",
            json!("abc"),
            "/credentialSubject/verdictDigest minLength",
        ),
        ("nonce", json!(""), "/credentialSubject/nonce minLength"),
        (
            "operatingPoint",
            json!({ "fmr": 1.5, "fnmr": 0, "dataset": "d" }),
            "/credentialSubject/operatingPoint/fmr maximum",
        ),
        (
            "likes",
            json!("tea"),
            "/credentialSubject/likes additionalProperties",
        ),
    ];
    let members = cast
        .credential(&Cast::verdict())
        .document()
        .members()
        .clone();
    assert_eq!(satisfies(CredentialType::Authentication, &members), Ok(()));
    assert!(satisfies(CredentialType::Enrolment, &members).is_err());
    for (name, value, problem) in cases {
        let mut members = members.clone();
        members["credentialSubject"][name] = value;
        assert_eq!(
            satisfies(CredentialType::Authentication, &members),
            Err(VerifyError::Schema(problem.to_owned()))
        );
    }
    let mut without = members;
    without.remove("validUntil");
    assert_eq!(
        satisfies(CredentialType::Authentication, &without),
        Err(VerifyError::Schema("required".to_owned()))
    );
}
