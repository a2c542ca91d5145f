//! A did:webvh log of our making, for other people's resolvers:
//!
//! ```text
//! cargo run -p blindprint-resolver --example webvh -- LOCATION STEP… > did.jsonl
//! ```
//!
//! The location is written as in a DID (`localhost%3A8443:dids:alice`). The log begins with
//! pre-rotation; each step is `rotate`, `service`, `settle` (no pre-rotation from then on) or
//! `deactivate`. Entries are a minute apart, the last of them made now.
#![allow(clippy::print_stdout, reason = "a program")]

use std::error::Error;

use blindprint_core::{Clock as _, SystemClock, SystemEntropy};
use blindprint_did::{KeyType, SigningKey};
use blindprint_resolver::{
    Document, OneOrMany, Relationship, VerificationMethod,
    webvh::{Change, Creation, Log},
};
use serde_json::json;

fn key() -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let location = arguments.next().ok_or("name a location")?.parse()?;
    let steps: Vec<String> = arguments.collect();
    let minutes = i64::try_from(steps.len())?;
    let mut at = SystemClock.now().plus(-60 * minutes);

    let (mut current, mut next) = (key(), key());
    let creation = Creation {
        next_keys: vec![next.public()],
        ..Creation::at(location)
    };
    let mut log = Log::create(&creation, &current, at, |did| {
        let mut document = Document::new(did.clone());
        let context = [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
        ];
        document.context = Some(OneOrMany::Many(context.map(Into::into).to_vec()));
        if let Ok(id) = did.with_fragment("key-1") {
            let method = VerificationMethod::multikey(&id, &key().public());
            document.put_method(method, &[Relationship::AssertionMethod]);
        }
        document
    })?;
    for step in steps {
        at = at.plus(60);
        let mut change = Change {
            deactivate: step == "deactivate",
            ..Change::default()
        };
        if step == "service" {
            let mut document = log.document().clone();
            document.put_service(serde_json::from_value(json!({
                "id": format!("{}#shop", log.did()),
                "type": "LinkedDomains",
                "serviceEndpoint": "https://shop.example",
            }))?);
            change.document = Some(document);
        }
        if !log.latest().parameters().next_key_hashes.is_empty() {
            (current, next) = (next, key());
            change.update_keys = Some(vec![current.public()]);
            let settle = matches!(step.as_str(), "settle" | "deactivate");
            change.next_keys = Some(if settle {
                Vec::new()
            } else {
                vec![next.public()]
            });
        }
        let line = log.update(&change, &current, at)?;
        log = log.append(&line, at)?;
    }
    print!("{}", log.to_jsonl());
    Ok(())
}
