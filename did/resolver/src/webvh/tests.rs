mod defects;
mod lifecycle;
mod vectors;

use blindprint_core::{SystemEntropy, UnixTime};
use blindprint_did::{KeyType, SigningKey};

use super::*;
use crate::{Document, Relationship, VerificationMethod};

/// 2026-11-22T00:00:00Z.
const START: UnixTime = UnixTime(1_795_305_600);

fn key() -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
}

fn location() -> Location {
    "example.org%3A8443:dids:alice".parse().unwrap()
}

/// A document with one key for issuing.
fn document(did: &crate::Did) -> Document {
    let mut document = Document::new(did.clone());
    let id = did.with_fragment("key-1").unwrap();
    let method = VerificationMethod::multikey(&id, &key().public());
    document.put_method(method, &[Relationship::AssertionMethod]);
    document
}

fn verify(jsonl: &str, now: UnixTime) -> Result<Log, LogError> {
    Unverified::parse(jsonl.as_bytes(), &Limits::default())?.verify(now)
}
