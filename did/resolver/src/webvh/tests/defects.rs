//! Logs with one thing wrong, all else, signatures and hashes included, being right.

use serde_json::{Map, Value, json};

use super::*;

/// A log of three entries, and the key that may update it.
fn good() -> (Log, SigningKey) {
    let key = key();
    let mut log = Log::create(&Creation::at(location()), &key, START, document).unwrap();
    for second in 1..=2 {
        let line = log
            .update(&Change::default(), &key, START.plus(second))
            .unwrap();
        log = log.append(&line, START.plus(second)).unwrap();
    }
    (log, key)
}

fn lines(log: &Log) -> Vec<String> {
    log.entries()
        .iter()
        .map(|entry| entry.line().to_owned())
        .collect()
}

fn object(line: &str) -> Map<String, Value> {
    let mut entry = blindprint_did::json::object(line.as_bytes()).unwrap();
    entry.remove("proof");
    entry
}

/// The third entry, changed, hashed and signed again.
fn doctored(log: &Log, key: &SigningKey, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut entry = object(log.latest().line());
    change(&mut entry);
    let predecessor = log.entries()[1].version_id();
    author::finish(entry, 3, predecessor, key).unwrap()
}

fn outcome(log: &Log, third: String) -> Result<(), LogError> {
    let mut lines = lines(log);
    lines[2] = third;
    verify(&lines.join("\n"), START.plus(10)).map(|_| ())
}

#[test]
fn each_defect_has_its_error() {
    let (log, own) = good();
    let third =
        |change: &dyn Fn(&mut Map<String, Value>)| outcome(&log, doctored(&log, &own, change));
    assert_eq!(
        third(&|_| {}),
        Ok(()),
        "what is doctored is otherwise right"
    );

    assert_eq!(
        outcome(&log, doctored(&log, &key(), |_| {})),
        Err(LogError::Unauthorised)
    );
    let at = |time: &str| {
        let time = time.to_owned();
        third(&move |entry| drop(entry.insert("versionTime".to_owned(), time.clone().into())))
    };
    // Same second, earlier, future; and with fractions of a second in between.
    assert_eq!(at("2026-11-22T00:00:01Z"), Err(LogError::Time));
    assert_eq!(at("2026-11-21T00:00:02Z"), Err(LogError::Time));
    assert_eq!(at("2026-11-22T00:00:11Z"), Err(LogError::Future));
    assert_eq!(at("2026-11-22T00:00:10.5Z"), Ok(()));
    assert_eq!(at("2026-11-22T00:00:01.5Z"), Ok(()));
    for local in [
        "2026-11-22T01:00:02+01:00",
        "2026-11-22 00:00:02",
        "yesterday",
        "",
    ] {
        assert!(matches!(at(local), Err(LogError::Form(_))), "{local}");
    }

    let parameter =
        |name: &str, value: Value| third(&|entry| entry["parameters"][name] = value.clone());
    let form = |outcome| matches!(outcome, Err(LogError::Form(_)));
    assert_eq!(parameter("method", json!("did:webvh:1.0")), Ok(()));
    assert_eq!(
        parameter("method", json!("did:webvh:0.5")),
        Err(LogError::Version)
    );
    assert!(form(parameter("scid", json!(log.scid()))));
    assert!(form(parameter("portable", json!(true))));
    assert_eq!(parameter("portable", json!(false)), Ok(()));
    assert!(form(parameter("prerotation", json!(true))));
    assert!(form(parameter("deactivated", json!("true"))));
    assert_eq!(parameter("watchers", json!(null)), Ok(()));
    for ttl in [json!(-1), json!(1.5), json!("1"), json!((1_u64 << 31) + 1)] {
        assert!(form(parameter("ttl", ttl)));
    }
    for keys in [json!("z"), json!([1]), json!({}), json!(vec!["z"; 65])] {
        assert!(form(parameter("updateKeys", keys)));
    }
    let did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
    for witness in [
        json!([]),
        json!({"threshold": 1}),
        json!({"threshold": 1, "witnesses": []}),
        json!({"threshold": 0, "witnesses": [{"id": did}]}),
        json!({"threshold": 2, "witnesses": [{"id": did}]}),
        json!({"threshold": 1, "witnesses": [{"id": did}, {"id": did}]}),
        json!({"threshold": 1, "witnesses": [{"id": "did:web:example.org"}]}),
    ] {
        assert!(form(parameter("witness", witness)));
    }
    // The entry that names the first witnesses needs them.
    let witness = json!({"threshold": 1, "witnesses": [{"id": did}]});
    assert_eq!(parameter("witness", witness), Err(LogError::Witness));

    let state = |name: &str, value: Value| third(&|entry| entry["state"][name] = value.clone());
    let other = log.did().as_str().replace("alice", "bob");
    assert!(form(state("id", json!(other))));
    assert!(form(state("id", json!("did:web:example.org"))));
    assert!(form(state("id", json!(null))));
    assert!(form(state("verificationMethod", json!("none"))));
    assert!(form(third(&|entry| drop(
        entry.insert("more".to_owned(), json!(1))
    ))));
    assert!(form(third(&|entry| drop(entry.remove("parameters")))));
}

#[test]
fn proofs_are_for_assertion_and_by_keys_that_name_themselves() {
    let (log, own) = good();
    let entry = object(log.latest().line());
    let signed = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut proof = proof::sign(&entry, &own, "2026-11-22T00:00:02Z").unwrap();
        let members = proof.as_object_mut().unwrap();
        members.remove("proofValue");
        change(members);
        let hashes = proof::hashes(members, &entry).unwrap();
        let value = format!(
            "z{}",
            bs58::encode(own.sign_hashes(&hashes).unwrap()).into_string()
        );
        members.insert("proofValue".to_owned(), value.into());
        let mut entry = entry.clone();
        entry.insert("proof".to_owned(), json!([proof]));
        outcome(&log, Value::Object(entry).to_string())
    };
    assert_eq!(signed(&|_| {}), Ok(()));
    for (name, value) in [
        ("proofPurpose", "authentication"),
        ("cryptosuite", "eddsa-rdfc-2022"),
        ("type", "Ed25519Signature2020"),
        ("verificationMethod", "did:web:example.org#key-1"),
        (
            "verificationMethod",
            log.document().verification_method[0].id.as_str(),
        ),
        ("expires", "2030-01-01T00:00:00Z"),
        ("domain", "example.org"),
    ] {
        let change = |members: &mut Map<String, Value>| {
            members.insert(name.to_owned(), value.into());
        };
        assert_eq!(
            signed(&change),
            Err(LogError::Unauthorised),
            "{name}: {value}"
        );
    }
    let proofs = |proofs: Value| {
        let mut entry = entry.clone();
        entry.insert("proof".to_owned(), proofs);
        outcome(&log, Value::Object(entry).to_string())
    };
    let proof = proof::sign(&entry, &own, "2026-11-22T00:00:02Z").unwrap();
    let foreign = proof::sign(&entry, &key(), "2026-11-22T00:00:02Z").unwrap();
    assert_eq!(proofs(json!([proof, proof])), Ok(()));
    for bad in [
        json!([]),
        json!(null),
        json!(proof),
        json!([proof, foreign]),
        json!(vec![proof.clone(); 17]),
    ] {
        assert_eq!(proofs(bad), Err(LogError::Unauthorised));
    }
}

#[test]
fn entries_are_all_there_in_order_and_whole() {
    let (log, _) = good();
    let now = START.plus(10);
    let lines = lines(&log);
    let read = |lines: &[&str]| verify(&lines.join("\n"), now).map(|_| ());
    let [a, b, c] = lines.as_slice() else {
        panic!("three entries")
    };
    let (a, b, c) = (a.as_str(), b.as_str(), c.as_str());
    assert_eq!(read(&[a, b, c]), Ok(()));
    for out_of_order in [
        &[a, c][..],
        &[b, c],
        &[a, c, b],
        &[b, a, c],
        &[a, a],
        &[a, b, b],
        &[a, b, c, c],
    ] {
        assert_eq!(read(out_of_order), Err(LogError::Order));
    }
    let form = |outcome| matches!(outcome, Err(LogError::Form(_)));
    assert!(form(read(&[a, b, &c[..c.len() - 1]])));
    assert!(form(read(&[a, "", b])));
    assert!(form(read(&[""])));
    assert!(form(read(&[a, "[]"])));
    assert!(form(read(&[&format!("{a}{b}")])));
    assert!(form(read(&[&a.replacen('{', r#"{"versionId":"1-x","#, 1)])));
    assert!(form(
        Unverified::parse(b"\xff", &Limits::default()).map(|_| ())
    ));
    // A missing end cannot be seen.
    assert_eq!(read(&[a, b]), Ok(()));
    // Lines may end as in Windows.
    assert!(verify(&format!("{a}\r\n{b}\r\n"), now).is_ok());

    let (other, _) = good();
    let foreign = other.entries()[1].line();
    assert_eq!(read(&[a, foreign]), Err(LogError::Hash));
    let wrong_hash = b.replacen("\"versionId\":\"2-Qm", "\"versionId\":\"2-QM", 1);
    assert_eq!(read(&[a, &wrong_hash]), Err(LogError::Hash));
    let wrong_scid = a.replace(log.scid(), other.scid());
    assert_eq!(read(&[&wrong_scid]), Err(LogError::Scid));
    let wrong_first = a.replacen("\"versionId\":\"1-Qm", "\"versionId\":\"1-QM", 1);
    assert_eq!(read(&[&wrong_first]), Err(LogError::Hash));
    // The first entry stands for the SCID: another document gives another.
    let other_key = a.replace("assertionMethod\":[", "authentication\":[");
    assert_eq!(read(&[&other_key]), Err(LogError::Scid));
}

#[test]
fn logs_are_bounded() {
    let (log, _) = good();
    let jsonl = log.to_jsonl();
    let parse = |bytes, entries| {
        Unverified::parse(jsonl.as_bytes(), &Limits { bytes, entries }).map(|_| ())
    };
    assert_eq!(parse(jsonl.len(), 3), Ok(()));
    assert_eq!(parse(jsonl.len() - 1, 3), Err(LogError::TooLong));
    assert_eq!(parse(jsonl.len(), 2), Err(LogError::TooLong));
    let ten_megabytes = vec![b'x'; 10 << 20];
    let outcome = Unverified::parse(&ten_megabytes, &Limits::default());
    assert_eq!(outcome.unwrap_err(), LogError::TooLong);
}

#[test]
fn a_host_takes_one_valid_entry_at_a_time() {
    let (log, own) = good();
    let now = START.plus(3);
    let line = log.update(&Change::default(), &own, now).unwrap();
    assert!(log.append(&format!("{line}\n"), now).is_ok());
    assert_eq!(
        log.append(&line, START.plus(2)).unwrap_err(),
        LogError::Future
    );
    let next = log.append(&line, now).unwrap();
    assert_eq!(next.append(&line, now).unwrap_err(), LogError::Order);
    // Two devices: the second entry of the same number does not follow.
    let rival = log
        .update(
            &Change {
                ttl: Some(1),
                ..Change::default()
            },
            &own,
            START.plus(4),
        )
        .unwrap();
    assert_eq!(
        next.append(&rival, START.plus(4)).unwrap_err(),
        LogError::Order
    );
    let two = format!("{line}\n{rival}");
    assert!(matches!(
        log.append(&two, START.plus(4)),
        Err(LogError::Form(_))
    ));
    for entry in log.entries() {
        assert_eq!(log.append(entry.line(), now).unwrap_err(), LogError::Order);
    }
}

#[test]
fn none_of_a_thousand_mutants_verifies() {
    let (log, _) = good();
    let jsonl = log.to_jsonl();
    let now = START.plus(10);
    assert!(verify(&jsonl, now).is_ok());
    // A fixed generator, so that a failure can be had again.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for round in 0..1000 {
        let mut bytes = jsonl.clone().into_bytes();
        // Not the last byte: without its line's end the log is the same.
        let at = random(bytes.len() - 1);
        match random(4) {
            0 => {
                let new = b'!' + u8::try_from(random(94)).unwrap();
                bytes[at] = if new == bytes[at] { b'~' } else { new };
                if bytes == jsonl.as_bytes() {
                    bytes[at] = b'!';
                }
            }
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bytes[at]),
            _ => {
                let other = random(bytes.len() - 1);
                if bytes[at] == bytes[other] {
                    bytes[at] ^= 1;
                } else {
                    bytes.swap(at, other);
                }
            }
        }
        let outcome = Unverified::parse(&bytes, &Limits::default()).and_then(|log| log.verify(now));
        assert!(
            outcome.is_err(),
            "round {round}: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
}
