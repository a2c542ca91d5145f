//! Ids, digests and the JSON of the wire.

use std::{
    fmt::{Debug, Display},
    str::FromStr,
};

use blindprint_core::{
    Audience, Binding, ConsentId, Digest, EnrolmentId, InvitationId, Jws, KeyUri, Nonce, ProfileId,
    ServiceId, SubjectId,
    problem::{ProblemCode, ProblemDocument},
    wire,
};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{json, to_vec};

use super::json;

const DIGEST: &str = "ZXhhbXBsZSBkaWdlc3Qgb2YgdGhpcnR5LXR3byBieXQ";
const UUID: &str = "0196a3f0-7b1c-7e42-9c1f-3a5b7d9e1f20";
const SUBJECT: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

/// That text which parses prints as itself, and that serde takes and refuses the same.
fn id<T>(text: &str, longest: usize)
where
    T: FromStr + Display + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let parsed = text.parse::<T>().ok();
    if let Some(parsed) = &parsed {
        assert_eq!(parsed.to_string(), text);
        assert!(text.len() <= longest);
    }
    assert_eq!(serde_json::from_value(json!(text)).ok(), parsed);
}

#[test]
fn ids() {
    let jws = format!("{0}.{0}{0}.{0}", "eyJhbGciOiJFZERTQSJ9");
    let texts = [
        SUBJECT,
        "did:web:example.org%3A8443:alice",
        "https://example.org",
        "http://127.0.0.1:8080",
        &jws,
        DIGEST,
        UUID,
        "urn:uuid:0196a3f0-7b1c-7e42-9c1f-3a5b7d9e1f20",
        "face-dlib128-v1",
    ];
    fuzz!(Inputs::from(texts), Budget::SMALL, |bytes: &[u8]| {
        let text = &String::from_utf8_lossy(bytes);
        id::<SubjectId>(text, SubjectId::MAX_LEN);
        id::<KeyUri>(text, KeyUri::MAX_LEN);
        id::<ServiceId>(text, ServiceId::MAX_LEN);
        id::<Audience>(text, Audience::MAX_LEN);
        id::<Jws>(text, Jws::MAX_LEN);
        id::<Digest>(text, 43);
        id::<Nonce>(text, 43);
        id::<ProfileId>(text, 64);
        id::<ConsentId>(text, 36);
        id::<EnrolmentId>(text, 36);
        id::<InvitationId>(text, 36);
    });
}

#[test]
fn problems() {
    let body = json!({
        "type": ProblemCode::Locked.type_uri(), "title": "Locked", "status": 423, "detail": "wait", "instance": UUID,
    });
    let uri = ProblemCode::Locked.type_uri();
    fuzz!(
        Inputs::from([to_vec(&body).unwrap(), uri.into_bytes()]),
        Budget::SMALL,
        |bytes: &[u8]| {
            json::<ProblemDocument>(bytes);
            let text = String::from_utf8_lossy(bytes);
            if let Some(code) = ProblemCode::from_type_uri(&text) {
                assert_eq!(code.type_uri(), text);
            }
        }
    );
}

#[test]
fn requests() {
    let jws = "a.b.c";
    let bodies = [
        json!({ "consent": jws, "record": { "@type": "dpv:ConsentRecord" } }),
        json!({ "withdrawal": jws }),
        json!({ "erasure": jws }),
        json!({ "enrolment": UUID, "audience": "https://shop.example", "nonce": "login-1", "purpose": "authentication" }),
        json!({ "rotation": jws, "possession": jws }),
        json!({ "recovery": jws, "possession": null }),
        json!({ "uses": 10, "valid_for": 86400, "note": "for a friend" }),
    ];
    let seeds = bodies.map(|body| to_vec(&body).unwrap());
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        json::<wire::GiveConsent>(bytes);
        json::<wire::WithdrawConsent>(bytes);
        json::<wire::EraseEnrolment>(bytes);
        json::<wire::StartAuthentication>(bytes);
        json::<wire::RotateKey>(bytes);
        json::<wire::Recover>(bytes);
        json::<wire::Invite>(bytes);
    });
}

#[test]
fn responses() {
    let bodies = [
        json!({ "service": "https://example.org", "parameters": "p", "key": DIGEST, "verdict_key": SUBJECT, "open_enrolment": true }),
        json!({ "notices": [{ "digest": DIGEST, "name": "n", "version": "1", "language": "en", "purpose": "uniqueness", "title": "t" }] }),
        json!({ "receipt": "a.b.c" }),
        json!({ "verdict": "a.b.c" }),
        json!({ "nonce": DIGEST, "expires": 1_790_000_000 }),
        json!({ "challenge": DIGEST, "template": DIGEST, "profile": "face-dlib128-v1", "key": DIGEST, "expires": 1_790_000_000 }),
        json!({ "id": UUID, "secret": "s", "uses": 1, "expires": 1_790_000_000 }),
        json!({
            "subject": SUBJECT, "pinned_key": SUBJECT, "head": DIGEST, "verdicts": 3,
            "consents": [{
                "id": UUID, "purpose": "sharing", "recipient": "https://shop.example", "notice": DIGEST, "state": "withdrawn",
                "given": 1_790_000_000, "expires": 1_790_000_001, "ended": 1_790_000_001,
            }],
            "enrolments": [{
                "id": UUID, "profile": "iris-bits2048-v1", "template": DIGEST, "key": DIGEST, "enrolled": 1_790_000_000,
            }],
        }),
    ];
    let seeds = bodies.map(|body| to_vec(&body).unwrap());
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        json::<wire::Service>(bytes);
        json::<wire::Notices>(bytes);
        json::<wire::Receipt>(bytes);
        json::<wire::VerdictIssued>(bytes);
        json::<wire::NonceIssued>(bytes);
        json::<wire::Challenge>(bytes);
        json::<wire::Invitation>(bytes);
        json::<wire::Subject>(bytes);
    });
}

#[test]
fn bindings() {
    let body = json!({
        "role": "probe", "subject": SUBJECT, "service": "https://example.org", "enrolment": UUID, "template": DIGEST,
        "challenge": DIGEST, "purpose": "authentication", "audience": "https://shop.example",
        "profile": "face-dlib128-v1", "key": DIGEST,
    });
    fuzz!(
        Inputs::from([to_vec(&body).unwrap()]),
        Budget::SMALL,
        |bytes: &[u8]| {
            json::<Binding>(bytes);
            // The digest separates fields: whoever reads other fields computes another one.
            if let (Ok(binding), Ok(genuine)) = (
                serde_json::from_slice::<Binding>(bytes),
                serde_json::from_value::<Binding>(body.clone()),
            ) {
                assert_eq!(binding.digest() == genuine.digest(), binding == genuine);
            }
        }
    );
}
