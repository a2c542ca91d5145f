//! A controller's life with a DID, each entry taken by a host.

use serde_json::json;

use super::*;
use crate::Service;

fn service(log: &Log) -> Service {
    serde_json::from_value(json!({
        "id": format!("{}#shop", log.did()),
        "type": "LinkedDomains",
        "serviceEndpoint": "https://shop.example",
    }))
    .unwrap()
}

/// Makes an entry and lets the host append it.
fn step(log: &Log, change: &Change, key: &SigningKey, at: UnixTime) -> Log {
    let line = log.update(change, key, at).unwrap();
    log.append(&line, at).unwrap()
}

#[test]
fn with_pre_rotation_from_birth_to_death() {
    let (first, second, third, fourth) = (key(), key(), key(), key());
    let creation = Creation {
        next_keys: vec![second.public()],
        ttl: Some(60),
        ..Creation::at(location())
    };
    let log = Log::create(&creation, &first, START, document).unwrap();
    assert_eq!(
        log.did().as_str(),
        format!("did:webvh:{}:{}", log.scid(), location())
    );
    assert_eq!(log.latest().parameters().ttl, 60);
    assert!(!log.to_jsonl().contains("SCID"));

    // The next key signs, and a service comes with it.
    let mut edited = log.document().clone();
    edited.put_service(service(&log));
    let change = Change {
        document: Some(edited),
        update_keys: Some(vec![second.public()]),
        next_keys: Some(vec![third.public(), fourth.public()]),
        ..Change::default()
    };
    let log = step(&log, &change, &second, START.plus(1));
    assert_eq!(log.document().service.len(), 1);

    // A key of the document is replaced; of two committed keys one is used. Pre-rotation ends.
    let mut edited = log.document().clone();
    let id = log.did().with_fragment("key-2").unwrap();
    edited.put_method(
        VerificationMethod::multikey(&id, &key().public()),
        &[Relationship::AssertionMethod, Relationship::Authentication],
    );
    assert!(edited.remove_method("#key-1"));
    assert!(edited.remove_service("#shop"));
    let change = Change {
        document: Some(edited),
        update_keys: Some(vec![fourth.public()]),
        next_keys: Some(Vec::new()),
        ..Change::default()
    };
    let log = step(&log, &change, &fourth, START.plus(2));
    assert!(log.document().permits(&id, Relationship::Authentication));
    assert_eq!(log.document().verification_method.len(), 1);

    // Without pre-rotation the present key signs; nothing need change.
    let log = step(&log, &Change::default(), &fourth, START.plus(3));
    let change = Change {
        update_keys: Some(vec![first.public()]),
        ttl: Some(0),
        ..Change::default()
    };
    let log = step(&log, &change, &fourth, START.plus(4));
    let change = Change {
        deactivate: true,
        ..Change::default()
    };
    let log = step(&log, &change, &first, START.plus(5));
    assert!(log.is_deactivated() && log.document().verification_method.is_empty());
    let after = log.update(&Change::default(), &first, START.plus(6));
    assert_eq!(after.unwrap_err(), LogError::Deactivated);

    let read = verify(&log.to_jsonl(), START.plus(5)).unwrap();
    assert_eq!(read.to_jsonl(), log.to_jsonl());
    assert_eq!(read.entries().len(), 6);
}

#[test]
fn pre_rotation_can_end_with_the_did() {
    let (first, second) = (key(), key());
    let creation = Creation {
        next_keys: vec![second.public()],
        ..Creation::at(location())
    };
    let log = Log::create(&creation, &first, START, document).unwrap();
    let change = Change {
        deactivate: true,
        ..Change::default()
    };
    let by_the_first = log.update(&change, &first, START.plus(1));
    assert_eq!(by_the_first.unwrap_err(), LogError::Commitment);
    assert!(step(&log, &change, &second, START.plus(1)).is_deactivated());
}

#[test]
fn what_a_controller_may_not_do() {
    let (own, other) = (key(), key());
    let creation = Creation {
        more_update_keys: vec![other.public()],
        ..Creation::at(location())
    };
    let log = Log::create(&creation, &own, START, document).unwrap();
    let unchanged = Change::default();
    // In the second of the last entry, and before it.
    for at in [START, START.plus(-5)] {
        let outcome = log.update(&unchanged, &own, at);
        assert_eq!(outcome.unwrap_err(), LogError::Wait(START.plus(1)));
    }
    assert!(log.update(&unchanged, &other, START.plus(1)).is_ok());
    let outcome = log.update(&unchanged, &key(), START.plus(1));
    assert_eq!(outcome.unwrap_err(), LogError::Unauthorised);
    let nobody = Change {
        update_keys: Some(Vec::new()),
        ..Change::default()
    };
    let outcome = log.update(&nobody, &own, START.plus(1));
    assert!(matches!(outcome, Err(LogError::Change(_))));
    // A key that comes with the entry does not sign it.
    let grab = Change {
        update_keys: Some(vec![own.public()]),
        ..Change::default()
    };
    let outcome = log.update(&grab, &key(), START.plus(1));
    assert_eq!(outcome.unwrap_err(), LogError::Unauthorised);
    let p256 = SigningKey::generate(KeyType::P256, &SystemEntropy);
    let outcome = Log::create(&Creation::at(location()), &p256, START, document);
    assert!(matches!(outcome, Err(LogError::Change(_))));
    let elsewhere = Log::create(&Creation::at(location()), &own, START, |_| {
        Document::new("did:web:example.org".parse().unwrap())
    });
    assert!(matches!(elsewhere, Err(LogError::Change(_))));
}

#[test]
fn committed_keys_and_no_others_follow() {
    let (first, second, third) = (key(), key(), key());
    let creation = Creation {
        next_keys: vec![second.public()],
        ..Creation::at(location())
    };
    let log = Log::create(&creation, &first, START, document).unwrap();
    let rotate = |keys: Vec<&SigningKey>, signer: &SigningKey| {
        let change = Change {
            update_keys: Some(keys.iter().map(|key| key.public()).collect()),
            next_keys: Some(vec![third.public()]),
            ..Change::default()
        };
        log.update(&change, signer, START.plus(1)).map(|_| ())
    };
    assert_eq!(rotate(vec![&third], &third), Err(LogError::Commitment));
    assert_eq!(
        rotate(vec![&second, &third], &second),
        Err(LogError::Commitment)
    );
    // The present key was good for the first entry only.
    assert_eq!(rotate(vec![&second], &first), Err(LogError::Unauthorised));
    assert_eq!(rotate(vec![&second], &second), Ok(()));
    let forgetful = Change {
        update_keys: Some(vec![second.public()]),
        ..Change::default()
    };
    let outcome = log.update(&forgetful, &second, START.plus(1));
    assert!(matches!(outcome, Err(LogError::Change(_))));
}

#[test]
fn a_portable_did_moves_and_names_where_it_was() {
    let key = key();
    let moved = |log: &Log, known: bool| {
        let text = log.document().to_value().to_string();
        let text = text.replace("example.org%3A8443:dids:alice", "elsewhere.example");
        let mut document: Document = serde_json::from_str(&text).unwrap();
        if known {
            document.also_known_as.push(log.did().to_string());
        }
        let change = Change {
            document: Some(document),
            ..Change::default()
        };
        log.update(&change, &key, START.plus(1))
    };
    let creation = Creation {
        portable: true,
        ..Creation::at(location())
    };
    let log = Log::create(&creation, &key, START, document).unwrap();
    assert!(matches!(moved(&log, false), Err(LogError::Form(_))));
    let line = moved(&log, true).unwrap();
    let next = log.append(&line, START.plus(1)).unwrap();
    assert!(next.did().as_str().ends_with(":elsewhere.example"));
    assert_eq!(next.scid(), log.scid());
    assert!(next.has_been(log.did()) && next.has_been(next.did()));

    let fixed = Log::create(&Creation::at(location()), &key, START, document).unwrap();
    assert!(matches!(moved(&fixed, true), Err(LogError::Form(_))));
}

#[test]
fn the_parallel_did_web() {
    let key = key();
    let log = Log::create(&Creation::at(location()), &key, START, |did| {
        let mut document = document(did);
        document
            .also_known_as
            .push("did:web:example.org%3A8443:dids:alice".to_owned());
        document
    })
    .unwrap();
    let web = did_web(&log).unwrap();
    let did = "did:web:example.org%3A8443:dids:alice";
    assert_eq!(web.id.as_str(), did);
    assert_eq!(web.also_known_as, [log.did().to_string()]);
    let method = &web.verification_method[0];
    assert_eq!(method.id, format!("{did}#key-1"));
    assert_eq!(method.controller.as_str(), did);
    assert_eq!(method.key(), log.document().verification_method[0].key());
    assert!(web.permits(&method.id.parse().unwrap(), Relationship::AssertionMethod));
    let files = web.service(&format!("{did}#files")).unwrap();
    assert_eq!(
        files.service_endpoint,
        "https://example.org:8443/dids/alice/"
    );
    let whois = web.service(&format!("{did}#whois")).unwrap();
    assert_eq!(
        whois.service_endpoint,
        "https://example.org:8443/dids/alice/whois.vp"
    );
    // It reads as did:web documents do.
    let json = serde_json::to_vec(&web).unwrap();
    assert_eq!(Document::parse(&json, &web.id).unwrap(), web);
}
