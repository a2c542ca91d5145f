//! Logs that didwebvh-ts 2.8 wrote, and the specification's example of a hash.

use serde_json::Value;

use super::*;

const DEACTIVATED: &str = include_str!("vectors/deactivated.jsonl");
const WITNESSED: &str = include_str!("vectors/witnessed.jsonl");
const WITNESSES: &[u8] = include_bytes!("vectors/witnessed.json");
/// After all of them.
const NOW: UnixTime = UnixTime(1_800_000_000);

/// The example under "Generate Entry Hash", of which the specification gives the result.
#[test]
fn the_specifications_entry_hash() {
    let entry = r#"{"versionId": "QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGE", "versionTime": "2025-04-01T17:39:50Z", "parameters": {"witness": {"threshold": 2, "witnesses": [{"id": "did:key:z6Mkkc51mg2vpQzKWAbWQZupeGYhowaBjYkmvcKMTqteqHB4", "weight": 1}, {"id": "did:key:z6MkuDdJdKLCgwZuQuEi9xG6LVgJJ9Tebr74CXPYPSumqgJs", "weight": 1}, {"id": "did:key:z6MkoSWmQyp4fTk4ZQy4KUsss9dFX51XfEUzKKKj1J1JUsrF", "weight": 1}]}, "updateKeys": ["z6MkgzBDcBFV3sk4ypPE5YXMZHmS213A3HpYY2LmcVKV15jr"], "nextKeyHashes": ["QmZreDcjvWEpyRFznQeExWNCsvMLk5i59AcRJJuQC8UodJ"], "method": "did:webvh:0.5", "scid": "QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGE"}, "state": {"@context": ["https://www.w3.org/ns/did/v1"], "id": "did:webvh:QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGE:domain.example"}}"#;
    let entry = blindprint_did::json::object(entry.as_bytes()).unwrap();
    let scid = "QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGE";
    let hash = hash::entry_hash(&entry, scid).unwrap();
    assert_eq!(hash, "QmQ6FJ4fk2xheSSQoEjVpTgx9AQPKhJgtR9hn1nr4EeCrZ");
    assert_eq!(hash::scid(&entry, scid).unwrap(), scid);
}

#[test]
fn every_version_of_a_log_with_pre_rotation() {
    let lines: Vec<&str> = DEACTIVATED.lines().collect();
    for count in 1..=lines.len() {
        let log = verify(&lines[..count].join("\n"), NOW).unwrap();
        assert_eq!(log.entries().len(), count);
        assert_eq!(log.is_deactivated(), count == lines.len());
        let pre_rotation = !log.latest().parameters().next_key_hashes.is_empty();
        assert_eq!(pre_rotation, count < 4, "settled by the fourth entry");
    }
    let log = verify(DEACTIVATED, NOW).unwrap();
    assert_eq!(log.entries()[4].document().service.len(), 1);
    assert_eq!(log.to_jsonl(), DEACTIVATED);
}

#[test]
fn two_of_three_witnesses_approve_each_entry() {
    let read = || Unverified::parse(WITNESSED.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(read().verify(NOW).unwrap_err(), LogError::Witness);
    let log = read().verify_witnessed(NOW, WITNESSES).unwrap();
    assert_eq!(
        log.entries()[0]
            .parameters()
            .witness
            .as_ref()
            .unwrap()
            .threshold,
        2
    );
    assert_eq!(
        log.latest().parameters().watchers,
        ["https://watcher.example"]
    );
    assert!(log.latest().parameters().portable);

    let check = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut file: Vec<Value> = serde_json::from_slice(WITNESSES).unwrap();
        change(&mut file);
        let file = serde_json::to_vec(&file).unwrap();
        read().verify_witnessed(NOW, &file).map(|_| ())
    };
    let proofs =
        |file: &mut Vec<Value>, at: usize| file[at]["proof"].as_array_mut().unwrap().clone();
    // The second entry's proofs approve the first one too, which is all that a controller keeps.
    assert_eq!(check(&|file| drop(file.remove(0))), Ok(()));
    // Proofs of versions that are not published yet are ignored, and so is a broken one too many.
    assert_eq!(
        check(&|file| {
            let mut later = file[1].clone();
            later["versionId"] = "3-QmUnpublished".into();
            file.push(later);
            let broken = proofs(file, 0)[0].clone();
            file[1]["proof"].as_array_mut().unwrap().push(broken);
        }),
        Ok(())
    );
    let witness = Err(LogError::Witness);
    assert_eq!(check(&Vec::clear), witness);
    // Approval of the first entry is none of the second.
    assert_eq!(check(&|file| file.truncate(1)), witness);
    assert_eq!(
        check(&|file| drop(file[1]["proof"].as_array_mut().unwrap().pop())),
        witness
    );
    // One witness twice is one witness.
    assert_eq!(
        check(&|file| {
            let proof = proofs(file, 1)[0].clone();
            file[1]["proof"] = vec![proof.clone(), proof].into();
        }),
        witness
    );
    // A proof of another version under this one's name.
    assert_eq!(
        check(&|file| {
            let proofs = proofs(file, 0);
            file[1]["proof"] = proofs.into();
        }),
        witness
    );
    for malformed in [&b"{}"[..], b"[1]", b"[", b"[]}", b"[],\"list\":[]"] {
        let outcome = read().verify_witnessed(NOW, malformed);
        assert!(matches!(outcome, Err(LogError::Form(_))), "{malformed:?}");
    }
}

/// What didwebvh-ts wrote is refused as soon as it is not what it wrote.
#[test]
fn no_value_of_a_log_can_be_another() {
    let lines: Vec<Value> = DEACTIVATED
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut changed = 0;
    for (at, line) in lines.iter().enumerate() {
        for pointer in leaves(line, String::new()) {
            let mut entry = line.clone();
            let leaf = entry.pointer_mut(&pointer).unwrap();
            *leaf = match leaf {
                Value::String(text) => format!("{text}x").into(),
                Value::Bool(flag) => (!*flag).into(),
                _ => Value::from(1),
            };
            let mut log: Vec<String> = DEACTIVATED.lines().map(str::to_owned).collect();
            log[at] = entry.to_string();
            assert!(verify(&log.join("\n"), NOW).is_err(), "{at}{pointer}");
            changed += 1;
        }
    }
    assert!(changed > 100, "{changed}");
}

fn leaves(value: &Value, pointer: String) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                leaves(
                    value,
                    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")),
                )
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, value)| leaves(value, format!("{pointer}/{index}")))
            .collect(),
        _ => vec![pointer],
    }
}
