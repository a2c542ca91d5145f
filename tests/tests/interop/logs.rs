//! did:webvh, against didwebvh-ts: each side reads what the other wrote.

use blindprint_core::{Clock as _, SystemClock, SystemEntropy, UnixTime};
use blindprint_did::{KeyType, SigningKey};
use blindprint_resolver::{
    Document, Relationship, VerificationMethod,
    webvh::{Change, Creation, Limits, Log, LogError, Unverified},
};
use serde_json::Value;

use crate::Node;

fn key() -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
}

fn read(lines: &str) -> Result<Log, LogError> {
    Unverified::parse(lines.as_bytes(), &Limits::default())?.verify(SystemClock.now())
}

/// What didwebvh-ts makes of it.
fn check(log: &str) -> crate::Answer {
    Node::program("webvh").args(&["--check"]).run(log)
}

/// What didwebvh-ts writes.
fn written(address: &str, steps: &[&str]) -> Value {
    Node::program("webvh")
        .args(&[address])
        .args(steps)
        .run("")
        .ok()
}

/// The document without the services that the method implies, which only some resolvers show.
fn explicit(document: &Value) -> Value {
    let mut document = document.clone();
    let members = document.as_object_mut().unwrap();
    if let Some(Value::Array(services)) = members.get_mut("service") {
        let implied = |id: &str| id.ends_with("#files") || id.ends_with("#whois");
        services.retain(|service| !implied(service["id"].as_str().unwrap()));
        if services.is_empty() {
            members.remove("service");
        }
    }
    // An empty list says as much as none.
    members.retain(|_, value| !value.as_array().is_some_and(Vec::is_empty));
    document
}

#[test]
fn logs_of_others_are_read() {
    let address = "https://localhost:8443/dids/ann";
    for steps in [&[][..], &["rotate", "service"], &["settle", "service"]] {
        let theirs = written(address, steps);
        let log = read(theirs["log"].as_str().unwrap()).unwrap();
        assert_eq!(log.did().as_str(), theirs["did"]);
        assert_eq!(log.entries().len(), steps.len() + 1);
        let document = explicit(&log.document().to_value());
        assert_eq!(document, explicit(&theirs["document"]));
        assert_eq!(log.latest().version_id(), theirs["metadata"]["versionId"]);
        assert!(!log.is_deactivated());
    }
}

#[test]
fn deactivations_of_others_are_seen() {
    let theirs = written("https://localhost", &["settle", "deactivate"]);
    let log = read(theirs["log"].as_str().unwrap()).unwrap();
    assert!(log.is_deactivated());
}

#[test]
fn changed_logs_of_others_are_refused() {
    let theirs = written("https://localhost:8443", &["rotate", "service"]);
    let lines = theirs["log"].as_str().unwrap();
    let changed = lines.replace("shop.example", "shap.example");
    assert_ne!(lines, changed);
    assert_eq!(read(&changed).unwrap_err(), LogError::Hash);
    let (first, rest) = lines.split_once('\n').unwrap();
    let (_, third) = rest.split_once('\n').unwrap();
    assert!(read(&format!("{first}\n{third}")).is_err());
}

#[test]
fn others_read_logs_from_here() {
    let (first, second, third) = (key(), key(), key());
    let start = SystemClock.now();
    let at = |step: i64| UnixTime(start.0 - 100 + 10 * step);
    let creation = Creation {
        next_keys: vec![second.public()],
        ttl: Some(60),
        ..Creation::at("localhost%3A8443:dids:ann".parse().unwrap())
    };
    let created = Log::create(&creation, &first, at(0), |did| {
        let mut document = Document::new(did.clone());
        let id = did.with_fragment("key-1").unwrap();
        document.put_method(
            VerificationMethod::multikey(&id, &first.public()),
            &[Relationship::AssertionMethod, Relationship::Authentication],
        );
        document
    });
    let mut logs = vec![created.unwrap()];
    let changes = [
        (
            &second,
            Change {
                update_keys: Some(vec![second.public()]),
                next_keys: Some(vec![third.public()]),
                ..Change::default()
            },
        ),
        (
            &third,
            Change {
                update_keys: Some(vec![third.public()]),
                next_keys: Some(Vec::new()),
                ..Change::default()
            },
        ),
    ];
    for (step, (key, change)) in (1..).zip(&changes) {
        let log = logs.last().unwrap();
        let entry = log.update(change, key, at(step)).unwrap();
        let log = log.append(&entry, at(step)).unwrap();
        logs.push(log);
    }
    for log in &logs {
        let theirs = check(&log.to_jsonl()).ok();
        assert_eq!(theirs["did"], log.did().as_str());
        assert_eq!(theirs["metadata"]["versionId"], log.latest().version_id());
        let document = explicit(&log.document().to_value());
        assert_eq!(explicit(&theirs["document"]), document);
    }

    let last = logs.last().unwrap();
    let end = Change {
        deactivate: true,
        ..Change::default()
    };
    let entry = last.update(&end, &third, at(5)).unwrap();
    let ended = last.append(&entry, at(5)).unwrap();
    let theirs = check(&ended.to_jsonl()).ok();
    assert_eq!(theirs["metadata"]["deactivated"], true);

    let changed = last.to_jsonl().replace("key-1", "key-2");
    check(&changed).refused();
}
