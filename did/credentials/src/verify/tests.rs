mod mutations;
mod pitfalls;
mod sd_jwt;

use serde_json::{Value, json};

use crate::{
    Binding, Check, CredentialChecks, Format, Presentation, PresentationChecks, Signer, Suite,
    UnverifiedCredential, UnverifiedPresentation, VerifiedCredential, VerifyError,
    fixture::{Cast, NOW, now},
};

pub const SUITES: [Suite; 2] = [Suite::EddsaJcs2022, Suite::EddsaRdfc2022];

pub fn verify(cast: &Cast, credential: Value) -> Result<VerifiedCredential, VerifyError> {
    let credential = UnverifiedCredential::from_value(credential)?;
    now(cast
        .verifier
        .credential(credential, &CredentialChecks::default()))
}

pub fn binding() -> Binding {
    Binding {
        challenge: "c-1".to_owned(),
        domain: "https://shop.example".to_owned(),
    }
}

pub fn bound() -> PresentationChecks {
    PresentationChecks::bound_to("c-1", "https://shop.example")
}

#[test]
fn credentials_of_every_vcdm_format_verify() {
    let cast = Cast::new();
    for claims in [Cast::claims(), Cast::verdict()] {
        let credential = cast.credential(&claims);
        let mut made = SUITES
            .map(|suite| {
                cast.signer()
                    .credential(credential.clone(), suite, NOW)
                    .unwrap()
            })
            .to_vec();
        made.push(cast.signer().credential_jwt(&credential).unwrap().into());
        for (value, format) in
            made.into_iter()
                .zip([Format::EddsaJcs2022, Format::EddsaRdfc2022, Format::Jwt])
        {
            let verified = verify(&cast, value).unwrap();
            assert_eq!(verified.format(), format);
            assert_eq!(verified.issuer(), "did:web:issuer.example");
            assert_eq!(verified.holder(), Some(cast.holder_did()));
            assert_eq!(verified.claims(), credential.document().members());
            let checks = serde_json::to_value(verified.checks()).unwrap();
            let names: Vec<&str> = checks
                .as_array()
                .unwrap()
                .iter()
                .map(|check| check["check"].as_str().unwrap())
                .collect();
            assert_eq!(
                names,
                [
                    "contexts", "proof", "validity", "schema", "status", "status"
                ]
            );
        }
    }
}

#[test]
fn a_credential_is_what_its_json_says() {
    let cast = Cast::new();
    let value = cast
        .signer()
        .credential(cast.credential(&Cast::verdict()), Suite::EddsaJcs2022, NOW)
        .unwrap();
    assert_eq!(
        value["credentialSubject"]["operatingPoint"]["fmr"],
        json!(0.000_013)
    );
    assert_eq!(value["validFrom"], "2026-11-22T10:00:00Z");
    assert!(value.get("id").is_none());
    assert_eq!(value["proof"]["proofPurpose"], "assertionMethod");
    assert_eq!(value["proof"]["@context"], value["@context"]);
}

#[test]
fn keys_of_both_types_sign_tokens_and_only_one_signs_proofs() {
    let cast = Cast::new();
    let signer = Signer::new(
        &cast.issuer_p256,
        crate::fixture::ISSUER_P256,
        &cast.contexts,
    )
    .unwrap();
    let credential = cast.credential(&Cast::claims());
    let token = signer.credential_jwt(&credential).unwrap();
    assert!(verify(&cast, token.into()).is_ok());
    assert_eq!(
        signer.credential(credential, Suite::EddsaJcs2022, NOW),
        Err(crate::IssueError::KeyType)
    );
}

/// The holder's presentations in every VCDM format, of credentials in every format.
pub fn presentations(cast: &Cast) -> Vec<Value> {
    let credential = cast.credential(&Cast::claims());
    let mut credentials: Vec<_> = SUITES
        .map(|suite| {
            cast.signer()
                .credential(credential.clone(), suite, NOW)
                .unwrap()
        })
        .to_vec();
    credentials.push(cast.signer().credential_jwt(&credential).unwrap().into());
    credentials.push(sd_jwt::issued(cast).to_text().into());
    let credentials: Vec<_> = credentials
        .into_iter()
        .map(|credential| UnverifiedCredential::from_value(credential).unwrap())
        .collect();
    let presentation = Presentation::of(cast.holder_did(), &credentials).unwrap();
    let mut made: Vec<Value> = SUITES
        .map(|suite| {
            cast.presenter()
                .presentation(presentation.clone(), suite, &binding(), NOW)
                .unwrap()
        })
        .to_vec();
    let token = cast
        .presenter()
        .presentation_jwt(&presentation, &binding(), NOW, NOW.plus(300))
        .unwrap();
    made.push(token.clone().into());
    made.push(json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": "EnvelopedVerifiablePresentation",
        "id": format!("data:application/vp+jwt,{token}"),
    }));
    made
}

#[test]
fn presentations_of_every_format_verify() {
    let cast = Cast::new();
    for value in presentations(&cast) {
        let presentation = UnverifiedPresentation::from_value(value).unwrap();
        let verified = now(cast.verifier.presentation(presentation, &bound())).unwrap();
        assert_eq!(verified.holder(), Some(cast.holder_did()));
        let formats: Vec<_> = verified
            .credentials()
            .iter()
            .map(VerifiedCredential::format)
            .collect();
        assert_eq!(
            formats,
            [
                Format::EddsaJcs2022,
                Format::EddsaRdfc2022,
                Format::Jwt,
                Format::SdJwt
            ]
        );
        for check in [Check::Challenge, Check::Domain, Check::HolderBinding] {
            assert!(verified.checks().contains(&check));
        }
    }
}

#[test]
fn an_unsigned_presentation_is_taken_only_when_asked_for() {
    let cast = Cast::new();
    let mut value = presentations(&cast).swap_remove(0);
    value.as_object_mut().unwrap().remove("proof");
    let presentation = UnverifiedPresentation::from_value(value).unwrap();
    let mut checks = PresentationChecks {
        challenge: None,
        domain: None,
        holder_binding: false,
        ..bound()
    };
    let refused = now(cast.verifier.presentation(presentation.clone(), &checks));
    assert_eq!(refused, Err(VerifyError::NoProof));
    checks.unsigned = true;
    let verified = now(cast.verifier.presentation(presentation.clone(), &checks)).unwrap();
    assert_eq!(
        (verified.format(), verified.holder()),
        (Format::Unsigned, None)
    );
    checks.holder_binding = true;
    let refused = now(cast.verifier.presentation(presentation, &checks));
    assert_eq!(refused, Err(VerifyError::NotTheSubject));
}
