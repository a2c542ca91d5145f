//! Nothing altered passes for genuine.

use std::collections::HashMap;

use blindprint_credentials::{
    Binding, Format, Presentation, PresentationChecks, UnverifiedCredential,
    UnverifiedPresentation, VerifiedCredential,
    status::{BitstringStatusList, StatusEntry, StatusPurpose},
};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use serde_json::{Map, Value, json};

use super::{Cast, ISSUER, NOW, SUITES, WITHOUT_STATUS, authentication, enrolment, now};

/// Of JSON-LD and canonical RDF with all contexts.
const BUDGET: Budget = Budget::mebibytes(32).seconds(5);

/// What genuine credentials say. Of an SD-JWT less may be shown.
struct Said(Vec<Map<String, Value>>);

impl Said {
    fn check(&self, verified: &VerifiedCredential) {
        let less = verified.format() == Format::SdJwt;
        let claims = verified.claims();
        let said = self.0.iter().any(|genuine| {
            claims == genuine
                || less
                    && claims
                        .iter()
                        .all(|(name, value)| genuine.get(name) == Some(value))
        });
        assert!(said, "nobody signed {claims:?}");
        assert_eq!(verified.issuer(), ISSUER);
        assert_eq!(verified.valid_until(), Some(NOW.plus(600)));
    }
}

/// One of each form.
fn credentials(cast: &Cast) -> (Vec<String>, Said) {
    let mut texts = Vec::new();
    let mut said = Vec::new();
    for claims in [enrolment(), authentication()] {
        let credential = cast.credential(&claims);
        said.push(credential.document().members().clone());
        for suite in SUITES {
            let signed = cast.signer().credential(credential.clone(), suite, NOW);
            texts.push(signed.unwrap().to_string());
        }
        texts.push(cast.signer().credential_jwt(&credential).unwrap());
    }
    let token = cast.sd_jwt();
    said.push(token.claims().unwrap());
    texts.push(token.to_text());
    texts.push(
        token
            .disclosing(&[vec![json!("modality")]])
            .unwrap()
            .to_text(),
    );
    (texts, Said(said))
}

#[test]
fn altered_credentials() {
    let cast = Cast::new();
    let (texts, said) = credentials(&cast);
    let verify = move |text: &str| {
        let credential = UnverifiedCredential::from_text(text).ok()?;
        now(cast.verifier.credential(credential, &WITHOUT_STATUS)).ok()
    };
    for text in &texts {
        said.check(&verify(text).unwrap());
    }
    let inputs = Inputs::from(texts);
    let genuine = inputs.clone();
    fuzz!(inputs, BUDGET, |bytes: &[u8]| {
        match verify(&String::from_utf8_lossy(bytes)) {
            Some(verified) => {
                said.check(&verified);
                if matches!(verified.format(), Format::Jwt) {
                    assert!(genuine.genuine(bytes.trim_ascii()));
                }
            }
            None => assert!(!genuine.genuine(bytes)),
        }
    });
}

#[test]
fn altered_presentations() {
    let cast = Cast::new();
    let (texts, said) = credentials(&cast);
    let holder = cast.holder.public().subject();
    let binding = Binding {
        challenge: "c-1".to_owned(),
        domain: "https://shop.example".to_owned(),
    };
    let presented: Vec<UnverifiedCredential> = [&texts[0], &texts[2]]
        .map(|text| UnverifiedCredential::from_text(text).unwrap())
        .into();
    let presentation = Presentation::of(holder.as_str(), &presented).unwrap();
    let presenter = cast.presenter();
    let mut seeds = SUITES
        .map(|suite| {
            let made = presenter.presentation(presentation.clone(), suite, &binding, NOW);
            made.unwrap().to_string()
        })
        .to_vec();
    let token = presenter.presentation_jwt(&presentation, &binding, NOW, NOW.plus(300));
    seeds.push(token.unwrap());
    let bound = cast.sd_jwt().bound(&cast.holder, &binding, NOW).unwrap();
    seeds.push(bound.to_text());
    let checks = PresentationChecks {
        credentials: WITHOUT_STATUS,
        ..PresentationChecks::bound_to(&binding.challenge, &binding.domain)
    };
    let verifier = cast.verifier.clone();
    let verify = move |text: &str| {
        let presentation = UnverifiedPresentation::from_text(text).ok()?;
        now(verifier.presentation(presentation, &checks)).ok()
    };
    let inputs = Inputs::from(seeds.clone());
    for seed in seeds {
        assert!(verify(&seed).is_some(), "{seed}");
    }
    let genuine = inputs.clone();
    fuzz!(inputs, BUDGET, |bytes: &[u8]| {
        let Some(verified) = verify(&String::from_utf8_lossy(bytes)) else {
            assert!(!genuine.genuine(bytes));
            return;
        };
        let count = match verified.format() {
            Format::SdJwt => 1,
            _ => 2,
        };
        assert_eq!(verified.credentials().len(), count);
        verified
            .credentials()
            .iter()
            .for_each(|credential| said.check(credential));
        if matches!(verified.format(), Format::Jwt | Format::SdJwt) {
            assert!(genuine.genuine(bytes.trim_ascii()));
        } else {
            assert_eq!(verified.holder(), Some(holder.as_str()));
        }
    });
}

/// A list that is altered does not clear a credential that it revokes.
#[test]
fn altered_status_lists() {
    const LIST: &str = "https://issuer.example/status-lists/1/revocation";
    let cast = Cast::new();
    let credential = |index| {
        let entry = StatusEntry {
            purpose: StatusPurpose::Revocation,
            index,
            list: LIST.to_owned(),
        };
        let credential = cast.credential(&enrolment()).with_status(&[entry]).unwrap();
        let signed = cast
            .signer()
            .credential(credential, SUITES[0], NOW)
            .unwrap();
        UnverifiedCredential::from_value(signed).unwrap()
    };
    let (good, revoked) = (credential(1), credential(4711));
    let list = BitstringStatusList::of(BitstringStatusList::MIN_ENTRIES, [4711]).unwrap();
    let list = list
        .credential(
            LIST,
            ISSUER,
            StatusPurpose::Revocation,
            NOW,
            NOW.plus(3600),
            60,
        )
        .unwrap();
    let token = cast.signer().credential_jwt(&list).unwrap();
    let list = cast.signer().credential(list, SUITES[0], NOW).unwrap();
    let inputs = Inputs::from([list.to_string(), token]);
    let genuine = inputs.clone();
    fuzz!(inputs, BUDGET, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let cast = Cast::with_lists(HashMap::from([(LIST.to_owned(), text)]));
        let passes = |credential: &UnverifiedCredential| {
            let checks = blindprint_credentials::CredentialChecks::default();
            now(cast.verifier.credential(credential.clone(), &checks)).is_ok()
        };
        assert!(!passes(&revoked));
        if genuine.genuine(bytes) {
            assert!(passes(&good));
        }
    });
}
