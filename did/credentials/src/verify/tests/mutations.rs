//! Whatever is changed, nothing changed verifies.

use serde_json::Value;

use super::*;
use crate::fixture::{ISSUER_KEY, ISSUER_P256, Seeded};

/// Makes one change somewhere in `value`.
fn mutate(value: &mut Value, random: &Seeded) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let at = random.below(members.len());
            let name = members.keys().nth(at).unwrap().clone();
            match random.below(6) {
                0 => {
                    members.remove(&name);
                }
                1 => {
                    let member = members.remove(&name).unwrap();
                    members.insert(format!("{name}x"), member);
                }
                _ => mutate(&mut members[&name], random),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = random.below(items.len());
            match random.below(6) {
                0 => {
                    items.remove(at);
                }
                1 => items.push("urn:x".into()),
                _ => mutate(&mut items[at], random),
            }
        }
        Value::String(text) => *text = mutate_text(text, random),
        Value::Bool(value) => *value = !*value,
        Value::Number(number) => *value = (number.as_f64().unwrap() + 0.5).into(),
        _ => *value = Value::from("x"),
    }
}

/// One character replaced, dropped or doubled.
fn mutate_text(text: &str, random: &Seeded) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = random.below(bytes.len());
    match random.below(3) {
        0 => {
            bytes.remove(at);
        }
        1 => bytes.insert(at, bytes[at]),
        _ => bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' },
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn of_a_thousand_mutations_none_verifies() {
    let cast = Cast::new();
    let mut credentials = Vec::new();
    for claims in [Cast::claims(), Cast::verdict()] {
        let credential = cast.credential(&claims);
        for suite in SUITES {
            credentials.push(
                cast.signer()
                    .credential(credential.clone(), suite, NOW)
                    .unwrap(),
            );
        }
        credentials.push(cast.signer().credential_jwt(&credential).unwrap().into());
        let p256 = Signer::new(&cast.issuer_p256, ISSUER_P256, &cast.contexts).unwrap();
        credentials.push(p256.credential_jwt(&credential).unwrap().into());
    }
    let mut shown = presentations(&cast);
    for method in [ISSUER_KEY, ISSUER_P256] {
        shown.push(sd_jwt::presented(&cast, method).to_text().into());
    }
    let check_credential = |value: Value| verify(&cast, value).map(|_| ());
    let check_presentation = |value: Value| {
        let presentation = UnverifiedPresentation::from_value(value)?;
        now(cast.verifier.presentation(presentation, &bound())).map(|_| ())
    };
    type Check<'a> = &'a dyn Fn(Value) -> Result<(), VerifyError>;
    let samples: Vec<(Value, Check<'_>)> = credentials
        .into_iter()
        .map(|value| (value, &check_credential as Check<'_>))
        .chain(
            shown
                .into_iter()
                .map(|value| (value, &check_presentation as Check<'_>)),
        )
        .collect();
    for (value, check) in &samples {
        assert_eq!(check(value.clone()), Ok(()));
    }
    let random = Seeded::new(2026);
    let mut codes = std::collections::BTreeMap::new();
    let mut done = 0;
    while done < 1000 {
        let (value, check) = &samples[done % samples.len()];
        let mut mutated = value.clone();
        mutate(&mut mutated, &random);
        if mutated == *value {
            continue;
        }
        match check(mutated.clone()) {
            Ok(()) => panic!("mutation {done} verifies: {mutated}"),
            Err(error) => *codes.entry(error.code()).or_insert(0) += 1,
        }
        done += 1;
    }
    // They fail for many reasons, not for one that hides the others.
    assert!(codes.len() >= 8, "{codes:?}");
    assert!(codes["invalid_signature"] >= 100, "{codes:?}");
}
