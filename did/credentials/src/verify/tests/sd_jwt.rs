use serde_json::json;

use super::*;
use crate::{
    fixture::{ISSUER, ISSUER_KEY, ISSUER_P256, Seeded, TOKENS},
    sd_jwt::{SdJwt, SdJwtClaims},
    status::{TokenStatus, TokenStatusEntry, TokenStatusList},
};

fn serve_tokens(cast: &Cast, status: TokenStatus) {
    let list = TokenStatusList::of(2, 1 << 17, [(99, status)]).unwrap();
    let token = cast
        .signer()
        .token_status_list(TOKENS, &list, NOW, NOW.plus(3600), 60)
        .unwrap();
    cast.world.serve(TOKENS, token);
}

pub fn issued_by(cast: &Cast, method: &str) -> SdJwt {
    serve_tokens(cast, TokenStatus::Valid);
    let key = match method {
        ISSUER_P256 => &cast.issuer_p256,
        _ => &cast.issuer,
    };
    let holder = cast.holder.public();
    let status = TokenStatusEntry {
        index: 99,
        list: TOKENS.to_owned(),
    };
    let mut claims = SdJwtClaims::of(&cast.deployment, ISSUER, &Cast::claims(), NOW).unwrap();
    claims.expires = Some(NOW.plus(600));
    claims.holder = Some(&holder);
    claims.status = Some(&status);
    claims.decoys = 3;
    Signer::new(key, method, &cast.contexts)
        .unwrap()
        .sd_jwt(&claims, &Seeded::new(1))
        .unwrap()
}

pub fn issued(cast: &Cast) -> SdJwt {
    issued_by(cast, ISSUER_KEY)
}

pub fn presented(cast: &Cast, method: &str) -> SdJwt {
    issued_by(cast, method)
        .disclosing(&[vec![json!("modality")]])
        .unwrap()
        .bound(&cast.holder, &binding(), NOW)
        .unwrap()
}

pub fn verify_text(cast: &Cast, text: &str) -> Result<VerifiedCredential, VerifyError> {
    let presentation = UnverifiedPresentation::from_text(text)?;
    let verified = now(cast.verifier.presentation(presentation, &bound()))?;
    Ok(verified.credentials()[0].clone())
}

#[test]
fn the_holder_shows_one_claim_and_proves_possession() {
    let cast = Cast::new();
    for method in [ISSUER_KEY, ISSUER_P256] {
        let all = issued_by(&cast, method);
        assert_eq!(all.disclosures().len(), 4);
        assert_eq!(all.claims().unwrap()["profile"], "face-dlib128-v1");
        let verified = verify_text(&cast, &presented(&cast, method).to_text()).unwrap();
        assert_eq!(verified.claims()["modality"], "face");
        assert!(!verified.claims().contains_key("profile"));
        assert!(!verified.claims().contains_key("_sd"));
        assert_eq!(verified.holder_key(), Some(&cast.holder.public()));
        assert_eq!(
            verified.types(),
            [cast.deployment.vct(crate::CredentialType::Enrolment)]
        );
    }
}

#[test]
fn the_token_list_decides() {
    let cast = Cast::new();
    let text = presented(&cast, ISSUER_KEY).to_text();
    for (status, expected) in [
        (TokenStatus::Invalid, VerifyError::Revoked),
        (TokenStatus::Suspended, VerifyError::Suspended),
        (
            TokenStatus::Other(3),
            VerifyError::UnknownStatus("3".to_owned()),
        ),
    ] {
        serve_tokens(&cast, status);
        assert_eq!(verify_text(&cast, &text), Err(expected));
    }
    let list = TokenStatusList::of(2, 1 << 17, []).unwrap();
    let other = format!("{TOKENS}/other");
    let signer = cast.signer();
    let make = |uri: &str, until| {
        signer
            .token_status_list(uri, &list, NOW, until, 60)
            .unwrap()
    };
    cast.world.serve(TOKENS, make(&other, NOW.plus(3600)));
    assert_eq!(
        verify_text(&cast, &text),
        Err(VerifyError::WrongStatusList("sub"))
    );
    cast.world.serve(TOKENS, make(TOKENS, NOW));
    assert_eq!(
        verify_text(&cast, &text).unwrap_err().code(),
        "status_list_invalid"
    );
    let foreign = cast
        .presenter()
        .token_status_list(TOKENS, &list, NOW, NOW.plus(3600), 60)
        .unwrap();
    cast.world.serve(TOKENS, foreign);
    assert_eq!(
        verify_text(&cast, &text),
        Err(VerifyError::WrongStatusList("issuer"))
    );
    let short = TokenStatusList::of(2, 8, []).unwrap();
    let short = signer
        .token_status_list(TOKENS, &short, NOW, NOW.plus(3600), 60)
        .unwrap();
    cast.world.serve(TOKENS, short);
    assert_eq!(verify_text(&cast, &text), Err(VerifyError::StatusIndex));
    cast.world.unserve(TOKENS);
    assert!(verify_text(&cast, &text).unwrap_err().is_unavailable());
}

#[test]
fn key_binding_holds_for_one_key_one_request_and_these_disclosures() {
    type Change = (&'static str, Value, VerifyError);
    let cast = Cast::new();
    let text = presented(&cast, ISSUER_KEY).to_text();
    let (shown, binding_token) = text.rsplit_once('~').unwrap();
    assert_eq!(
        verify_text(&cast, &format!("{shown}~")),
        Err(VerifyError::NoKeyBinding)
    );

    // Somebody else's key, in a key binding that is right otherwise.
    let thief = &cast.issuer;
    let sd_hash = SdJwt::parse(&text).unwrap().sd_hash();
    let forge = |claims: Value, key| {
        let mut header = serde_json::Map::new();
        header.insert("typ".to_owned(), "kb+jwt".into());
        let token = blindprint_did::jwt::sign(key, header, &claims).unwrap();
        verify_text(&cast, &format!("{shown}~{token}"))
    };
    let claims = json!({
        "aud": "https://shop.example", "nonce": "c-1", "iat": NOW.0, "sd_hash": sd_hash,
    });
    assert_eq!(forge(claims.clone(), thief), Err(VerifyError::KeyBinding));
    assert!(forge(claims.clone(), &cast.holder).is_ok());
    let changes: [Change; 6] = [
        (
            "aud",
            json!("https://other.example"),
            VerifyError::WrongDomain,
        ),
        ("nonce", json!("c-2"), VerifyError::WrongChallenge),
        ("iat", json!(NOW.0 - 301), VerifyError::ProofExpired),
        ("iat", json!(NOW.0 + 61), VerifyError::ProofFromTheFuture),
        ("exp", json!(NOW.0), VerifyError::ProofExpired),
        ("sd_hash", json!("x"), VerifyError::SdHash),
    ];
    for (name, value, expected) in changes {
        let mut changed = claims.clone();
        changed[name] = value;
        assert_eq!(forge(changed, &cast.holder), Err(expected), "{name}");
    }

    // One disclosure more than was bound.
    let all = issued(&cast);
    let more = all
        .disclosures()
        .iter()
        .find(|d| d.name() == Some("profile"))
        .unwrap();
    assert_eq!(
        verify_text(&cast, &format!("{shown}~{}~{binding_token}", more.as_str())),
        Err(VerifyError::SdHash)
    );
    // Another type of token in its place.
    let (issuer_token, _) = shown.split_once('~').unwrap();
    assert!(verify_text(&cast, &format!("{shown}~{issuer_token}")).is_err());
}

#[test]
fn only_the_issuers_own_key_counts() {
    let cast = Cast::new();
    let text = issued(&cast).to_text();
    let (token, rest) = text.split_once('~').unwrap();
    let claims = blindprint_did::jwt::UnverifiedJwt::parse(token, 1 << 16).unwrap();
    let forge = |kid: &str, typ: &str, key| {
        let mut header = serde_json::Map::new();
        header.insert("typ".to_owned(), typ.into());
        header.insert("kid".to_owned(), kid.into());
        let token = blindprint_did::jwt::sign(key, header, claims.claims()).unwrap();
        verify(&cast, format!("{token}~{rest}").into()).map(|_| ())
    };
    let typ = "dc+sd-jwt";
    assert_eq!(forge(ISSUER_KEY, typ, &cast.issuer), Ok(()));
    assert_eq!(forge("#key", typ, &cast.issuer), Ok(()));
    assert_eq!(
        forge(ISSUER_KEY, typ, &cast.holder),
        Err(VerifyError::Signature)
    );
    assert_eq!(
        forge(&cast.holder_method, typ, &cast.holder),
        Err(VerifyError::NotTheIssuersKey)
    );
    assert_eq!(
        forge(ISSUER_KEY, "vc+jwt", &cast.issuer),
        Err(VerifyError::WrongType)
    );
    assert_eq!(
        forge(ISSUER_KEY, typ, &cast.issuer_p256),
        Err(VerifyError::WrongKeyType)
    );
    assert_eq!(
        forge(ISSUER, typ, &cast.issuer).unwrap_err().code(),
        "malformed_proof"
    );
}
