//! Logs of did:webvh: genuine ones with faults, and such whose hashes and signatures hold whatever
//! they say.

use blindprint_core::UnixTime;
use blindprint_did::{KeyType, SigningKey};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_resolver::{
    Did, Document, Relationship, VerificationMethod,
    webvh::{Change, Creation, Entry, Limits, Log, Parameters, Unverified, did_web},
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{NOW, key};

/// With keys before, during and after pre-rotation.
fn genuine() -> Vec<Log> {
    let [first, second, third] = [1, 2, 3].map(|seed| key(KeyType::Ed25519, seed));
    let creation = Creation {
        next_keys: vec![second.public()],
        portable: true,
        ttl: Some(60),
        ..Creation::at("example.org%3A8443:dids:alice".parse().unwrap())
    };
    let log = Log::create(&creation, &first, NOW, |did| {
        let mut document = Document::new(did.clone());
        let id = did.with_fragment("key-1").unwrap();
        document.put_method(
            VerificationMethod::multikey(&id, &third.public()),
            &[Relationship::Authentication],
        );
        document
    })
    .unwrap();
    let rotation = Change {
        update_keys: Some(vec![second.public()]),
        next_keys: Some(Vec::new()),
        ..Change::default()
    };
    let mut logs = vec![log];
    let end = Change {
        deactivate: true,
        ..Change::default()
    };
    for (change, after) in [(rotation, 1), (Change::default(), 2), (end, 3)] {
        let log = logs.last().unwrap();
        let at = NOW.plus(after);
        let line = log.update(&change, &second, at).unwrap();
        logs.push(log.append(&line, at).unwrap());
    }
    logs
}

fn versions(log: &Log) -> Vec<&str> {
    log.entries().iter().map(Entry::version_id).collect()
}

fn read(jsonl: &[u8], at: UnixTime) -> Option<Log> {
    let log = Unverified::parse(jsonl, &Limits::default()).ok()?;
    log.verify(at).ok()
}

#[test]
fn altered_logs() {
    let genuine = genuine();
    let last = genuine.last().unwrap().clone();
    let end = NOW.plus(3);
    let seeds: Vec<String> = genuine.iter().map(Log::to_jsonl).collect();
    for seed in &seeds {
        assert!(read(seed.as_bytes(), end).is_some());
    }
    fuzz!(
        Inputs::from(seeds),
        Budget::mebibytes(8),
        |bytes: &[u8]| {
            // An end that was cut off is not seen, nor is white space.
            if let Some(log) = read(bytes, end) {
                assert!(versions(&last).starts_with(&versions(&log)));
                let same = &last.entries()[log.entries().len() - 1];
                assert_eq!(log.document(), same.document());
                assert_eq!(log.latest().parameters(), same.parameters());
                assert!(log.has_been(last.did()));
            }
        }
    );
}

fn members(json: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(json).ok()
}

fn multihash(object: &Map<String, Value>) -> Option<String> {
    let mut hash = vec![0x12, 0x20];
    hash.extend(Sha256::digest(
        serde_json_canonicalizer::to_vec(object).ok()?,
    ));
    Some(bs58::encode(hash).into_string())
}

fn prove(key: &SigningKey, document: &Map<String, Value>) -> Option<Value> {
    let multikey = key.public().multikey();
    let mut proof = json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": format!("did:key:{multikey}#{multikey}"),
        "created": "2026-11-22T00:00:00Z",
        "proofPurpose": "assertionMethod",
    });
    let mut hashes = [0; 64];
    hashes[..32].copy_from_slice(&Sha256::digest(
        serde_json_canonicalizer::to_vec(&proof).ok()?,
    ));
    hashes[32..].copy_from_slice(&Sha256::digest(
        serde_json_canonicalizer::to_vec(document).ok()?,
    ));
    let signature = key.sign_hashes(&hashes).unwrap();
    proof["proofValue"] = format!("z{}", bs58::encode(signature).into_string()).into();
    Some(proof)
}

/// A log of what is in `parts` (parameters and state of each entry), in which `{SCID}` stands for
/// the identifier, with hashes and signatures that hold.
fn signed(parts: &[&str], key: &SigningKey) -> Option<String> {
    let mut lines = String::new();
    let mut scid = None;
    let mut previous = None;
    for (index, pair) in parts.chunks_exact(2).enumerate() {
        let entry = json!({
            "versionId": "{SCID}",
            "versionTime": format!("2026-09-21T13:46:{:02}Z", index % 60),
            "parameters": members(pair[0])?,
            "state": members(pair[1])?,
        })
        .to_string();
        if scid.is_none() {
            scid = multihash(&members(&entry)?);
        }
        let scid = scid.as_deref()?;
        let mut entry = members(&entry.replace("{SCID}", scid))?;
        let predecessor = previous.as_deref().unwrap_or(scid);
        entry.insert("versionId".to_owned(), predecessor.into());
        let version = format!("{}-{}", index + 1, multihash(&entry)?);
        entry.insert("versionId".to_owned(), version.as_str().into());
        let proof = prove(key, &entry)?;
        entry.insert("proof".to_owned(), json!([proof]));
        lines.push_str(&Value::Object(entry).to_string());
        lines.push('\n');
        previous = Some(version);
    }
    Some(lines)
}

fn hash_of(key: &str) -> String {
    let mut hash = vec![0x12, 0x20];
    hash.extend(Sha256::digest(key));
    bs58::encode(hash).into_string()
}

#[test]
fn signed_logs() {
    let key = key(KeyType::Ed25519, 1);
    let own = key.public().multikey();
    let state = json!({
        "id": "did:webvh:{SCID}:example.org",
        "alsoKnownAs": ["did:web:example.org"],
        "verificationMethod": [
            { "id": "did:webvh:{SCID}:example.org#a", "type": "Multikey", "publicKeyMultibase": own },
        ],
        "authentication": ["#a"],
        "service": [{ "id": "#files", "type": "relativeRef", "serviceEndpoint": "https://a.example" }],
    });
    let mut moved = state.clone();
    moved["id"] = "did:webvh:{SCID}:b.example%3A8443:c".into();
    moved["alsoKnownAs"] = json!(["did:webvh:{SCID}:example.org"]);
    moved["verificationMethod"][0]["id"] = "#a".into();
    let first = json!({
        "method": "did:webvh:1.0", "scid": "{SCID}", "updateKeys": [own], "portable": true,
        "nextKeyHashes": [hash_of(&own)], "ttl": 60, "watchers": ["https://w.example"], "witness": {},
    });
    let next = json!({ "updateKeys": [own], "nextKeyHashes": [], "ttl": null });
    let end = json!({ "deactivated": true, "updateKeys": [] });
    let seeds = [
        format!("{first}\n{state}"),
        format!("{first}\n{state}\n{next}\n{moved}\n{end}\n{moved}"),
    ];
    for seed in &seeds {
        let parts: Vec<&str> = seed.lines().collect();
        assert!(read(signed(&parts, &key).unwrap().as_bytes(), NOW.plus(3600)).is_some());
    }
    fuzz!(
        Inputs::from(seeds),
        Budget::mebibytes(8),
        |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let parts: Vec<&str> = text.lines().take(16).collect();
            let Some(lines) = signed(&parts, &key) else {
                return;
            };
            if let Some(log) = read(lines.as_bytes(), NOW.plus(3600)) {
                assert_eq!(log.entries().len(), parts.len() / 2);
                check(&log, &own);
                let again = read(log.to_jsonl().as_bytes(), NOW.plus(3600)).unwrap();
                assert_eq!(versions(&again), versions(&log));
            }
        }
    );
}

/// What holds of every log all of whose entries one key signed.
fn check(log: &Log, signer: &String) {
    let mut previous: Option<(&Parameters, &Did)> = None;
    for entry in log.entries() {
        let parameters = entry.parameters();
        let id = &entry.document().id;
        let begin = format!("did:webvh:{}:", log.scid());
        assert!(id.as_str().starts_with(&begin));
        assert!(parameters.witness.is_none(), "none was asked");
        let keys = &parameters.update_keys;
        match previous {
            None => assert!(keys.contains(signer)),
            Some((before, old)) => {
                assert!(!before.deactivated);
                if before.next_key_hashes.is_empty() {
                    assert!(before.update_keys.contains(signer));
                } else {
                    assert!(keys.contains(signer));
                    let committed = |key: &String| before.next_key_hashes.contains(&hash_of(key));
                    assert!(keys.iter().all(committed));
                }
                assert!(id == old || (before.portable && parameters.portable));
            }
        }
        previous = Some((parameters, id));
    }
    if let Ok(document) = did_web(log) {
        assert_eq!(document.id.method(), "web");
        assert!(document.also_known_as.contains(&log.did().to_string()));
        let json = document.to_value().to_string();
        assert_eq!(
            Document::parse(json.as_bytes(), &document.id).unwrap(),
            document
        );
    }
}

/// `did-witness.json`, for a log that two of three witnesses must approve.
#[test]
fn approvals() {
    let key = super::key(KeyType::Ed25519, 1);
    let witnesses = [2, 3, 4].map(|seed| super::key(KeyType::Ed25519, seed));
    let ids = witnesses
        .each_ref()
        .map(|key| json!({ "id": key.public().subject() }));
    let first = json!({
        "method": "did:webvh:1.0", "scid": "{SCID}", "updateKeys": [key.public().multikey()],
        "witness": { "threshold": 2, "witnesses": ids },
    });
    let state = json!({ "id": "did:webvh:{SCID}:example.org" });
    let parts = [
        first.to_string(),
        state.to_string(),
        "{}".to_owned(),
        state.to_string(),
    ];
    let lines = signed(&parts.each_ref().map(String::as_str), &key).unwrap();
    let line: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let document = json!({ "versionId": line["versionId"] });
    let proofs = witnesses
        .each_ref()
        .map(|key| prove(key, document.as_object().unwrap()).unwrap());
    let file = |proofs: &[Value]| json!([{ "versionId": line["versionId"], "proof": proofs }]);
    let seeds = [&proofs[..], &proofs[1..], &proofs[..1]].map(|proofs| file(proofs).to_string());
    let log = Unverified::parse(lines.as_bytes(), &Limits::default()).unwrap();
    assert!(log.clone().verify(NOW.plus(3600)).is_err());
    let verify = move |file: &[u8]| log.clone().verify_witnessed(NOW.plus(3600), file).is_ok();
    assert_eq!(
        seeds.each_ref().map(|seed| verify(seed.as_bytes())),
        [true, true, false]
    );
    let values = proofs.map(|proof| proof["proofValue"].as_str().unwrap().to_owned());
    fuzz!(
        Inputs::from(seeds),
        Budget::mebibytes(8),
        |bytes: &[u8]| {
            if verify(bytes) {
                let text = String::from_utf8_lossy(bytes);
                let there = values.iter().filter(|value| text.contains(value.as_str()));
                assert!(there.count() >= 2);
            }
        }
    );
}
