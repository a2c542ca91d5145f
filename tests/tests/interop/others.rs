//! What others issue, verified here.

use std::sync::Arc;

use async_trait::async_trait;
use blindprint_core::SystemClock;
use blindprint_credentials::{
    Contexts, CredentialChecks, FetchError, FetchedList, KeyError, Keys, PresentationChecks,
    Relationship, ResolvedKey, StatusLists, UnverifiedCredential, UnverifiedPresentation, Verifier,
    VerifyError,
};
use blindprint_did::PublicKey;
use blindprint_tests::block_on;
use serde_json::{Value, json};

use crate::Node;

/// What [`presented`] answers.
pub const CHALLENGE: &str = "1f44d55f-f161-4938-a659-f8026467f126";
/// For whom.
pub const DOMAIN: &str = "https://shop.example";
/// What `issue.mjs` issues.
pub const KINDS: [&str; 5] = [
    "eddsa-jcs-2022",
    "eddsa-rdfc-2022",
    "vc+jwt",
    "dc+sd-jwt",
    "dc+sd-jwt+es256",
];

/// did:key alone: the name is the key.
struct KeyDids;

#[async_trait]
impl Keys for KeyDids {
    async fn key_for(&self, method: &str, _: Relationship) -> Result<ResolvedKey, KeyError> {
        let (did, fragment) = method.split_once('#').ok_or(KeyError::NotFound)?;
        if did != format!("did:key:{fragment}") {
            return Err(KeyError::NotFound);
        }
        Ok(ResolvedKey {
            controller: did.to_owned(),
            key: PublicKey::from_multikey(fragment).map_err(|_| KeyError::Unsupported)?,
        })
    }
}

struct NoLists;

#[async_trait]
impl StatusLists for NoLists {
    async fn fetch(&self, _: &str, _: &str) -> Result<FetchedList, FetchError> {
        Err(FetchError::NotFound)
    }
}

fn verifier() -> Verifier {
    Verifier::new(
        Arc::new(KeyDids),
        Arc::new(NoLists),
        Arc::new(SystemClock),
        Contexts::standard(),
    )
}

/// A credential by others with these members.
fn issued(kind: &str, members: &Value) -> Value {
    let program = Node::program("issue").args(&[kind]);
    program.run(&members.to_string()).ok()
}

/// A credential by others, and its presentation by its holder.
pub fn presented(kind: &str) -> Value {
    let question = ["--challenge", CHALLENGE, "--domain", DOMAIN];
    let program = Node::program("issue").args(&[kind]).args(&question);
    program.run("{}").ok()
}

fn verify(credential: &Value) -> Result<String, VerifyError> {
    let credential = UnverifiedCredential::from_value(credential.clone())?;
    let checks = CredentialChecks::default();
    let verified = block_on(verifier().credential(credential, &checks))?;
    Ok(verified.issuer().to_owned())
}

fn verify_presentation(
    presentation: &Value,
    challenge: &str,
    domain: &str,
) -> Result<String, VerifyError> {
    let presentation = UnverifiedPresentation::from_value(presentation.clone())?;
    let checks = PresentationChecks::bound_to(challenge, domain);
    let verified = block_on(verifier().presentation(presentation, &checks))?;
    Ok(verified.credentials()[0].issuer().to_owned())
}

#[test]
fn credentials_of_others_hold() {
    for kind in KINDS {
        let theirs = issued(kind, &json!({}));
        assert_eq!(
            verify(&theirs["credential"]).unwrap(),
            theirs["issuer"],
            "{kind}"
        );
    }
}

#[test]
fn presentations_of_others_answer_one_question() {
    for kind in KINDS {
        let theirs = presented(kind);
        let presentation = &theirs["presentation"];
        let issuer = verify_presentation(presentation, CHALLENGE, DOMAIN).unwrap();
        assert_eq!(issuer, theirs["issuer"], "{kind}");
        assert_eq!(
            verify_presentation(presentation, "another", DOMAIN).unwrap_err(),
            VerifyError::WrongChallenge,
            "{kind}"
        );
        assert_eq!(
            verify_presentation(presentation, CHALLENGE, "https://other.example").unwrap_err(),
            VerifyError::WrongDomain,
            "{kind}"
        );
    }
}

#[test]
fn expired_credentials_of_others_are_refused() {
    for kind in KINDS {
        let members = if kind.starts_with("dc+sd-jwt") {
            json!({"iat": 1_600_000_000, "exp": 1_700_000_000})
        } else {
            json!({"validFrom": "2020-01-01T00:00:00Z", "validUntil": "2023-01-01T00:00:00Z"})
        };
        let theirs = issued(kind, &members);
        assert_eq!(
            verify(&theirs["credential"]).unwrap_err(),
            VerifyError::Expired,
            "{kind}"
        );
    }
}
