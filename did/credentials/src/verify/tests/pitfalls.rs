//! What other verifiers were seen to accept.

use blindprint_did::jwt::{self, UnverifiedJwt};
use serde_json::Map;

use super::*;
use crate::{
    FetchError, KeyError, Relationship,
    fixture::{ISSUER, ISSUER_KEY, REVOCATION, SUSPENSION},
    status::{BitstringStatusList, StatusPurpose},
};

/// A proof by any key over any document, with any options.
#[expect(clippy::needless_pass_by_value, reason = "calls read better")]
fn prove(
    cast: &Cast,
    mut document: Value,
    options: Value,
    key: &blindprint_did::SigningKey,
) -> Value {
    let suite = Suite::EddsaJcs2022;
    let options = options.as_object().unwrap().clone();
    let hashes = crate::proof::hashes(
        &cast.contexts,
        suite,
        document.as_object().unwrap(),
        options.clone(),
    )
    .unwrap();
    let signature = key.sign_hashes(&hashes).unwrap();
    let mut proof = Value::Object(options);
    proof["proofValue"] = format!("z{}", bs58::encode(signature).into_string()).into();
    document["proof"] = proof;
    document
}

fn options(method: &str, purpose: &str) -> Value {
    json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2026-11-22T10:00:00Z",
        "verificationMethod": method,
        "proofPurpose": purpose,
    })
}

fn unsigned(cast: &Cast) -> Value {
    cast.credential(&Cast::claims()).into_value()
}

fn refused(cast: &Cast, credential: Value) -> VerifyError {
    verify(cast, credential).expect_err("must not verify")
}

#[test]
fn a_key_of_one_did_says_nothing_for_another() {
    let cast = Cast::new();
    let by_holder = options(&cast.holder_method, "assertionMethod");
    let forged = prove(&cast, unsigned(&cast), by_holder, &cast.holder);
    assert_eq!(refused(&cast, forged), VerifyError::NotTheIssuersKey);

    // A DID document may claim that its key is controlled by somebody else.
    let method = "did:web:mallory.example#key";
    cast.world.list_key_of(
        method,
        ISSUER,
        cast.holder.public(),
        &[Relationship::AssertionMethod],
    );
    let by_mallory = options(method, "assertionMethod");
    let forged = prove(&cast, unsigned(&cast), by_mallory, &cast.holder);
    assert_eq!(refused(&cast, forged), VerifyError::NotTheIssuersKey);
    // Or its own DID's key by somebody else.
    cast.world.list_key_of(
        ISSUER_KEY,
        "did:web:mallory.example",
        cast.issuer.public(),
        &[Relationship::AssertionMethod],
    );
    let signed = prove(
        &cast,
        unsigned(&cast),
        options(ISSUER_KEY, "assertionMethod"),
        &cast.issuer,
    );
    assert_eq!(refused(&cast, signed), VerifyError::NotTheIssuersKey);
}

#[test]
fn a_key_serves_what_it_is_listed_for() {
    let cast = Cast::new();
    let method = "did:web:issuer.example#login";
    cast.world.list_key(
        method,
        cast.issuer.public(),
        &[Relationship::Authentication],
    );
    let signed = prove(
        &cast,
        unsigned(&cast),
        options(method, "assertionMethod"),
        &cast.issuer,
    );
    assert_eq!(
        refused(&cast, signed),
        VerifyError::Key(KeyError::Relationship)
    );
    let signed = prove(
        &cast,
        unsigned(&cast),
        options(method, "authentication"),
        &cast.issuer,
    );
    assert_eq!(refused(&cast, signed), VerifyError::WrongPurpose);
    let signed = prove(
        &cast,
        unsigned(&cast),
        options("did:web:issuer.example#gone", "assertionMethod"),
        &cast.issuer,
    );
    assert_eq!(refused(&cast, signed), VerifyError::Key(KeyError::NotFound));
    let signed = prove(
        &cast,
        unsigned(&cast),
        options(crate::fixture::ISSUER_P256, "assertionMethod"),
        &cast.issuer,
    );
    assert_eq!(refused(&cast, signed), VerifyError::WrongKeyType);
}

#[test]
fn there_is_one_proof_of_a_known_suite_and_form() {
    let cast = Cast::new();
    let good = prove(
        &cast,
        unsigned(&cast),
        options(ISSUER_KEY, "assertionMethod"),
        &cast.issuer,
    );
    assert!(verify(&cast, good.clone()).is_ok());
    let change = |change: fn(&mut Value)| {
        let mut changed = good.clone();
        change(&mut changed);
        refused(&cast, changed).code()
    };
    assert_eq!(
        change(|c| {
            c.as_object_mut().unwrap().remove("proof");
        }),
        "no_proof"
    );
    assert_eq!(change(|c| c["proof"] = json!([])), "no_proof");
    assert_eq!(
        change(|c| c["proof"] = json!([c["proof"], c["proof"]])),
        "several_proofs"
    );
    assert_eq!(change(|c| c["proof"] = json!("x")), "malformed_proof");
    assert_eq!(
        change(|c| c["proof"]["cryptosuite"] = json!("eddsa-2022")),
        "unknown_suite"
    );
    assert_eq!(
        change(|c| c["proof"]["type"] = json!("Ed25519Signature2020")),
        "unknown_suite"
    );
    assert_eq!(
        change(|c| c["proof"]["cryptosuite"] = json!("eddsa-rdfc-2022")),
        "invalid_signature"
    );
    assert_eq!(
        change(|c| c["proof"]["previousProof"] = json!("urn:x")),
        "malformed_proof"
    );
    assert_eq!(
        change(|c| c["proof"]["created"] = json!("yesterday")),
        "malformed_proof"
    );
    assert_eq!(
        change(|c| c["proof"]["verificationMethod"] = json!("urn:key")),
        "malformed_proof"
    );
    assert_eq!(
        change(|c| c["proof"]["proofValue"] = json!("z111")),
        "malformed_proof"
    );
    assert_eq!(
        change(|c| c["proof"]["@context"] = json!(["https://www.w3.org/ns/credentials/v2"])),
        "malformed_proof"
    );
    assert_eq!(
        change(|c| c["type"] = json!(["BlindprintEnrolmentCredential"])),
        "undefined_term"
    );
    assert_eq!(
        change(|c| c["credentialSubject"]["likes"] = json!("tea")),
        "undefined_term"
    );
    assert_eq!(
        change(|c| c["@context"][1] = json!("https://x.example/v1")),
        "unknown_context"
    );
}

#[test]
fn time_is_told_by_the_clock() {
    let cast = Cast::new();
    let made = |at| {
        cast.signer()
            .credential(cast.credential(&Cast::claims()), Suite::EddsaRdfc2022, at)
            .unwrap()
    };
    assert!(verify(&cast, made(NOW.plus(60))).is_ok());
    assert_eq!(
        refused(&cast, made(NOW.plus(61))),
        VerifyError::ProofFromTheFuture
    );
    let credential = made(NOW);
    cast.clock.advance(-61);
    assert_eq!(
        refused(&cast, credential.clone()),
        VerifyError::ProofFromTheFuture
    );
    cast.clock.advance(61 + 599);
    assert!(verify(&cast, credential.clone()).is_ok());
    cast.clock.advance(1);
    assert_eq!(refused(&cast, credential), VerifyError::Expired);

    let cast = Cast::new();
    let mut expiring = options(ISSUER_KEY, "assertionMethod");
    expiring["expires"] = json!("2026-11-22T10:00:00Z");
    let expired = prove(&cast, unsigned(&cast), expiring, &cast.issuer);
    assert_eq!(refused(&cast, expired), VerifyError::ProofExpired);
    let mut early = unsigned(&cast);
    early["validFrom"] = json!("2026-11-22T10:01:01Z");
    let early = prove(
        &cast,
        early,
        options(ISSUER_KEY, "assertionMethod"),
        &cast.issuer,
    );
    assert_eq!(refused(&cast, early), VerifyError::NotYetValid);
}

#[test]
fn a_schema_of_ours_is_enforced_and_another_is_reported() {
    let cast = Cast::new();
    let mut wrong = unsigned(&cast);
    wrong["credentialSubject"]["modality"] = json!("voice");
    let wrong = prove(
        &cast,
        wrong,
        options(ISSUER_KEY, "assertionMethod"),
        &cast.issuer,
    );
    assert_eq!(
        refused(&cast, wrong),
        VerifyError::Schema("/credentialSubject/modality enum".to_owned())
    );
    let mut other = unsigned(&cast);
    other["credentialSchema"]["id"] = json!("https://other.example/schema.json");
    let other = prove(
        &cast,
        other,
        options(ISSUER_KEY, "assertionMethod"),
        &cast.issuer,
    );
    let verified = verify(&cast, other).unwrap();
    assert!(verified.checks().contains(&Check::SchemaUnchecked {
        id: "https://other.example/schema.json".to_owned()
    }));
}

#[test]
fn tokens_say_one_thing() {
    let cast = Cast::new();
    let token = cast
        .signer()
        .credential_jwt(&cast.credential(&Cast::claims()))
        .unwrap();
    let claims = UnverifiedJwt::parse(&token, 1 << 16)
        .unwrap()
        .claims()
        .clone();
    let forge = |typ: &str, kid: &str, change: &dyn Fn(&mut Map<String, Value>)| {
        let mut claims = claims.clone();
        change(&mut claims);
        let mut header = Map::new();
        header.insert("typ".to_owned(), typ.into());
        header.insert("kid".to_owned(), kid.into());
        let token = jwt::sign(&cast.issuer, header, &claims).unwrap();
        verify(&cast, token.into()).map_or_else(|error| error.code(), |_| "ok")
    };
    let set = |name: &'static str, value: Value| {
        forge("vc+jwt", ISSUER_KEY, &move |claims| {
            claims.insert(name.to_owned(), value.clone());
        })
    };
    assert_eq!(forge("vc+jwt", ISSUER_KEY, &|_| ()), "ok");
    assert_eq!(forge("vc+jwt", "#key", &|_| ()), "ok");
    assert_eq!(forge("JWT", ISSUER_KEY, &|_| ()), "wrong_type");
    assert_eq!(forge("vp+jwt", ISSUER_KEY, &|_| ()), "wrong_type");
    assert_eq!(
        forge("vc+jwt", &cast.holder_method, &|_| ()),
        "not_the_issuers_key"
    );
    assert_eq!(
        set("iss", json!("did:web:other.example")),
        "issuer_mismatch"
    );
    assert_eq!(set("sub", json!("did:web:other.example")), "malformed");
    assert_eq!(set("jti", json!("urn:other")), "malformed");
    assert_eq!(set("vc", json!({})), "malformed");
    assert_eq!(set("proof", json!({})), "several_proofs");
    assert_eq!(set("exp", json!(NOW.0)), "proof_expired");
    assert_eq!(set("nbf", json!(NOW.0 + 61)), "not_yet_valid");
    assert_eq!(set("iat", json!(NOW.0 + 61)), "proof_from_the_future");
    assert_eq!(set("exp", json!("soon")), "malformed");
    assert_eq!(set("undefined", json!(1)), "undefined_term");
    // Signed by nobody.
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(
        refused(&cast, format!("{signed}.").into()),
        VerifyError::Signature
    );
}

#[test]
fn revoked_suspended_and_unknown_are_told_apart() {
    let cast = Cast::new();
    let credential = cast
        .signer()
        .credential(cast.credential(&Cast::claims()), Suite::EddsaJcs2022, NOW)
        .unwrap();
    cast.serve_lists([4711], []);
    assert_eq!(refused(&cast, credential.clone()), VerifyError::Revoked);
    cast.serve_lists([], [4711]);
    assert_eq!(refused(&cast, credential.clone()), VerifyError::Suspended);
    cast.serve_lists([4710, 4712], [0]);
    assert!(verify(&cast, credential.clone()).is_ok());
    cast.world.unserve(SUSPENSION);
    let error = refused(&cast, credential.clone());
    assert_eq!(
        error,
        VerifyError::StatusUnavailable(FetchError::Unavailable)
    );
    assert!(error.is_unavailable());
    let unchecked = now(cast.verifier.credential(
        UnverifiedCredential::from_value(credential).unwrap(),
        &CredentialChecks { status: false },
    ))
    .unwrap();
    assert!(unchecked.checks().contains(&Check::StatusUnchecked));
}

#[test]
fn a_status_list_must_be_the_issuers_whole_and_the_one_named() {
    let cast = Cast::new();
    let credential = cast
        .signer()
        .credential(cast.credential(&Cast::claims()), Suite::EddsaJcs2022, NOW)
        .unwrap();
    let list = BitstringStatusList::of(BitstringStatusList::MIN_ENTRIES, []).unwrap();
    let make = |url, issuer, purpose, until| {
        list.credential(url, issuer, purpose, NOW, until, 60)
            .unwrap()
    };
    let later = NOW.plus(3600);
    let good = make(REVOCATION, ISSUER, StatusPurpose::Revocation, later);
    let serve = |list: crate::Credential| {
        let signed = cast
            .signer()
            .credential(list, Suite::EddsaRdfc2022, NOW)
            .unwrap();
        cast.world.serve(REVOCATION, signed.to_string());
        verify(&cast, credential.clone()).map_or_else(|error| error.code(), |_| "ok")
    };
    assert_eq!(serve(good.clone()), "ok");
    cast.world
        .serve(REVOCATION, cast.signer().credential_jwt(&good).unwrap());
    assert!(verify(&cast, credential.clone()).is_ok());
    assert_eq!(
        serve(make(SUSPENSION, ISSUER, StatusPurpose::Revocation, later)),
        "wrong_status_list"
    );
    assert_eq!(
        serve(make(REVOCATION, ISSUER, StatusPurpose::Suspension, later)),
        "wrong_status_list"
    );
    assert_eq!(
        serve(make(REVOCATION, ISSUER, StatusPurpose::Revocation, NOW)),
        "status_list_invalid"
    );
    let changed = |change: fn(&mut Value)| {
        let mut value = good.clone().into_value();
        change(&mut value);
        serve(crate::Credential::parse(crate::Document::try_from(value).unwrap()).unwrap())
    };
    assert_eq!(
        changed(|l| l["type"] = json!(["VerifiableCredential"])),
        "wrong_status_list"
    );
    assert_eq!(
        changed(|l| l["credentialSubject"]["id"] = json!("https://issuer.example/other")),
        "wrong_status_list"
    );
    assert_eq!(
        changed(|l| {
            l.as_object_mut().unwrap().remove("id");
        }),
        "wrong_status_list"
    );
    // Sixteen entries.
    let short = "uH4sIAAAAAAAAA2NgAAD0yl9xAgAAAA".to_owned();
    let mut value = good.clone().into_value();
    value["credentialSubject"]["encodedList"] = short.into();
    let short = crate::Credential::parse(crate::Document::try_from(value).unwrap()).unwrap();
    let short = serve(short);
    assert!(
        ["status_list_too_short", "status_list_invalid"].contains(&short),
        "{short}"
    );

    // By the holder, as issuer of its own list.
    let foreign = make(
        REVOCATION,
        cast.holder_did(),
        StatusPurpose::Revocation,
        later,
    );
    let foreign = cast
        .presenter()
        .credential(foreign, Suite::EddsaJcs2022, NOW)
        .unwrap();
    cast.world.serve(REVOCATION, foreign.to_string());
    assert_eq!(
        refused(&cast, credential.clone()),
        VerifyError::WrongStatusList("issuer")
    );
    // By a stranger whose DID nobody resolves: who serves a list does not choose whom we ask for a key.
    let stranger = "did:web:stranger.example";
    let method = format!("{stranger}#key");
    let strangers = make(REVOCATION, stranger, StatusPurpose::Revocation, later);
    let strangers = Signer::new(&cast.holder, &method, &cast.contexts)
        .unwrap()
        .credential(strangers, Suite::EddsaJcs2022, NOW)
        .unwrap();
    cast.world.serve(REVOCATION, strangers.to_string());
    assert_eq!(
        refused(&cast, credential.clone()),
        VerifyError::WrongStatusList("issuer")
    );
    // Unsigned.
    cast.world.serve(REVOCATION, good.into_value().to_string());
    assert_eq!(
        refused(&cast, credential),
        VerifyError::StatusListInvalid(Box::new(VerifyError::NoProof))
    );
}

#[test]
fn a_presentation_answers_one_request_by_the_holder() {
    let cast = Cast::new();
    let credential = cast
        .signer()
        .credential(cast.credential(&Cast::claims()), Suite::EddsaJcs2022, NOW)
        .unwrap();
    let credential = UnverifiedCredential::from_value(credential).unwrap();
    let present = |signer: &Signer<'_>, checks: &PresentationChecks| {
        let presentation =
            Presentation::of(signer.controller(), std::slice::from_ref(&credential)).unwrap();
        let di = signer
            .presentation(presentation.clone(), Suite::EddsaJcs2022, &binding(), NOW)
            .unwrap();
        let token = signer
            .presentation_jwt(&presentation, &binding(), NOW, NOW.plus(3600))
            .unwrap();
        let [a, b] = [di, token.into()].map(|value| {
            let presentation = UnverifiedPresentation::from_value(value).unwrap();
            now(cast.verifier.presentation(presentation, checks))
                .map_or_else(|error| error.code(), |_| "ok")
        });
        assert_eq!(a, b);
        a
    };
    let holder = cast.presenter();
    assert_eq!(present(&holder, &bound()), "ok");
    let checks = PresentationChecks::bound_to;
    assert_eq!(
        present(&holder, &checks("c-2", "https://shop.example")),
        "wrong_challenge"
    );
    assert_eq!(
        present(&holder, &checks("c-1", "https://other.example")),
        "wrong_domain"
    );
    cast.clock.advance(300);
    assert_eq!(present(&holder, &bound()), "ok");
    cast.clock.advance(1);
    assert_eq!(present(&holder, &bound()), "proof_expired");
    cast.clock.advance(-301);

    // Somebody who came by the credential.
    let thief = blindprint_did::SigningKey::generate(
        blindprint_did::KeyType::Ed25519,
        &crate::fixture::Seeded::new(99),
    );
    let method = "did:web:thief.example#key";
    cast.world
        .list_key(method, thief.public(), &[Relationship::Authentication]);
    let thief = Signer::new(&thief, method, &cast.contexts).unwrap();
    assert_eq!(present(&thief, &bound()), "not_the_subject");
    // The issuer's key is for assertions.
    assert_eq!(
        present(&cast.signer(), &bound()),
        "key_not_for_this_purpose"
    );

    // The thief names the holder, and signs for itself.
    let mut value = Presentation::of(cast.holder_did(), &[credential])
        .unwrap()
        .into_value();
    value["proof"] = json!(null);
    value.as_object_mut().unwrap().remove("proof");
    let mut by_thief = options(method, "authentication");
    by_thief["challenge"] = json!("c-1");
    by_thief["domain"] = json!("https://shop.example");
    let forged = prove(&cast, value.clone(), by_thief.clone(), &cast.holder);
    let verify = |value| {
        let presentation = UnverifiedPresentation::from_value(value).unwrap();
        now(cast.verifier.presentation(presentation, &bound())).unwrap_err()
    };
    assert_eq!(verify(forged), VerifyError::NotTheHoldersKey);
    let mut asserted = by_thief;
    asserted["verificationMethod"] = cast.holder_method.as_str().into();
    asserted["proofPurpose"] = json!("assertionMethod");
    let asserted = prove(&cast, value, asserted, &cast.holder);
    assert_eq!(verify(asserted), VerifyError::WrongPurpose);
}

#[test]
fn an_envelope_holds_its_content_and_nothing_else() {
    let cast = Cast::new();
    let token = cast
        .signer()
        .credential_jwt(&cast.credential(&Cast::claims()))
        .unwrap();
    let envelope = |media_type: &str| {
        json!({
            "@context": "https://www.w3.org/ns/credentials/v2",
            "id": format!("data:{media_type},{token}"),
            "type": "EnvelopedVerifiableCredential",
        })
    };
    assert!(verify(&cast, envelope("application/vc+jwt")).is_ok());
    assert_eq!(
        refused(&cast, envelope("application/vc+cose")).code(),
        "unknown_suite"
    );
    let mut more = envelope("application/vc+jwt");
    more["credentialSubject"] = json!({ "matched": true });
    assert_eq!(refused(&cast, more).code(), "malformed");
}
