//! The command line against the real service, from the first start to the last withdrawal.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

use blindprint_tests::{Holder, Service};
use serde_json::Value;

#[test]
fn a_wallet_from_first_start_to_withdrawal() {
    let service = Service::start();
    let invitation = service.invitation(8);
    let alice = Holder::new();
    starts(&alice, &service);
    survives_being_killed(&alice, &invitation);
    authenticates(&alice);
    changes_keys(&alice);
    let alice = moves_to_another_file(alice);
    erases(&alice, &invitation);
    let (old, new) = (alice, Holder::new());
    takes_over(&old, &new, &service);
    enrols_again_and_withdraws(&new, &invitation);
}

fn starts(alice: &Holder, service: &Service) {
    alice.run(&["status"]).failed(2, "invalid");
    // An enclave that runs another program is not spoken to.
    let mut trust: Value =
        serde_json::from_slice(&fs::read(service.trust_file()).unwrap()).unwrap();
    trust["enclave"] = Value::from(vec!["ab".repeat(48)]);
    fs::write(alice.path("other.json"), trust.to_string()).unwrap();
    let url = service.url.as_str();
    alice
        .run(&["init", "--service", url, "--trust", "other.json"])
        .failed(1, "untrusted");
    let made = alice.init(service).ok();
    assert!(
        made["subject"]
            .as_str()
            .unwrap()
            .starts_with("did:key:z6Mk"),
        "{made}"
    );
    alice.init(service).failed(1, "already-there");

    fs::write(alice.path("wrong"), "not it\n").unwrap();
    alice
        .run(&["status", "--passphrase-file", "wrong"])
        .failed(1, "wrong-passphrase");
    let file = alice.capture("L001_1");
    alice
        .run(&["enrol", "--embedding", &file])
        .failed(2, "invalid");
    alice.enrol("L001_1", &[]).failed(1, "invitation-needed");
    assert_eq!(alice.run(&["enrol"]).code, 2);
}

/// Killed between the moment κ is on disk and the answer: whatever the service has made of the
/// request, wallet and service agree afterwards.
fn survives_being_killed(alice: &Holder, invitation: &str) {
    let file = alice.capture("L001_1");
    let enrol = [
        "enrol",
        "--consent",
        "--embedding",
        &file,
        "--invitation",
        invitation,
    ];
    alice.killed_after_writes(&enrol, 1);
    let status = alice.run(&["status"]).ok();
    let enrolments = status["enrolments"].as_array().unwrap();
    assert!(
        enrolments
            .iter()
            .all(|enrolment| enrolment["state"] == "registered"),
        "{status}"
    );
    assert_eq!(
        ids(&status["enrolments"]),
        ids(&status["service_says"]["enrolments"])
    );
    if enrolments.is_empty() {
        alice.enrol("L001_1", &["--invitation", invitation]).ok();
    } else {
        alice
            .enrol("L001_1", &["--invitation", invitation])
            .failed(2, "invalid");
    }
}

fn authenticates(alice: &Holder) {
    let same = alice.auth("L001_2").ok();
    assert_eq!(same["matched"], true);
    assert_eq!(same["says"]["aud"], "https://shop.example");
    assert!(same["stages"]["prove_ms"].as_f64().unwrap() > 0.0, "{same}");
    // What was downloaded is compared with the attestation each time, and fetched again if damaged.
    for file in fs::read_dir(alice.path("cache/material")).unwrap() {
        fs::write(file.unwrap().path(), b"damaged").unwrap();
    }
    let other = alice.auth("L002_1");
    assert_eq!(
        (other.code, &other.json["matched"]),
        (3, &Value::Bool(false)),
        "{}",
        other.stderr
    );
    assert_eq!(alice.auth("L001_1").ok()["matched"], true);
}

fn changes_keys(alice: &Holder) {
    let before = alice.run(&["status"]).ok();
    let changed = alice.run(&["rotate"]).ok();
    assert_ne!(before["key"], changed["keys"]["key"]);
    assert_eq!(before["subject"], changed["subject"]);
    // Killed after the new key is on disk: one of the two keys is the subject's, and found out.
    alice.killed_after_writes(&["rotate"], 1);
    assert_eq!(alice.run(&["status"]).ok()["subject"], before["subject"]);
    assert_eq!(alice.auth("L001_2").ok()["matched"], true);
}

fn moves_to_another_file(alice: Holder) -> Holder {
    alice.run(&["export-keys", "backup.age"]).ok();
    alice
        .run(&["export-keys", "backup.age"])
        .failed(1, "already-there");
    let mut damaged = fs::read(alice.path("backup.age")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(alice.path("damaged.age"), damaged).unwrap();
    let moved = alice.with_wallet("moved.age");
    moved
        .run(&["import-keys", "damaged.age"])
        .failed(2, "invalid");
    moved.run(&["import-keys", "backup.age"]).ok();
    assert_eq!(moved.auth("L001_2").ok()["matched"], true);
    moved
}

fn erases(alice: &Holder, invitation: &str) {
    let erased = alice.run(&["erase"]).ok();
    assert!(erased["erased"]["receipt"].is_string(), "{erased}");
    alice.auth("L001_2").failed(1, "not-enrolled");
    alice.enrol("L001_2", &["--invitation", invitation]).ok();
    assert_eq!(alice.auth("L001_1").ok()["matched"], true);
}

fn takes_over(old: &Holder, new: &Holder, service: &Service) {
    let page = new.path("recovery.txt");
    let out = page.to_str().unwrap();
    old.run(&["recovery-key", "--out", out]).ok();
    old.run(&["recovery-key"]).failed(2, "invalid");
    // Without the paper nobody puts another template in the place of this one.
    old.enrol("L001_1", &["--replace"]).failed(2, "invalid");
    let with_paper = ["--replace", "--recovery-key", out];
    old.enrol("L001_1", &with_paper).ok();

    new.init(service).ok();
    let recovered = new
        .run(&["recover", "--recovery-key", out, "replace-device"])
        .ok();
    let page = fs::read_to_string(&page).unwrap();
    assert!(
        page.contains(recovered["subject"].as_str().unwrap()),
        "{recovered}"
    );
    old.run(&["status"]).failed(1, "unauthenticated");
    // The used recovery key is worth nothing any more.
    let third = Holder::new();
    third.init(service).ok();
    third
        .run(&["recover", "--recovery-key", out, "replace-device"])
        .failed(1, "unauthenticated");
    let status = new.run(&["status"]).ok();
    assert_eq!(
        status["enrolments"],
        Value::Array(Vec::new()),
        "the old templates are gone"
    );
}

fn enrols_again_and_withdraws(new: &Holder, invitation: &str) {
    new.enrol("L001_1", &["--invitation", invitation]).ok();
    assert_eq!(new.auth("L001_2").ok()["matched"], true);
    let withdrawn = new.run(&["withdraw"]).ok();
    assert_eq!(withdrawn["consent"]["live"], false);
    new.auth("L001_2").failed(1, "not-enrolled");
    let status = new.run(&["status"]).ok();
    assert_eq!(
        status["service_says"]["enrolments"],
        Value::Array(Vec::new())
    );
    new.run(&["withdraw"]).failed(2, "invalid");
}

fn ids(enrolments: &Value) -> Vec<&str> {
    enrolments
        .as_array()
        .unwrap()
        .iter()
        .map(|enrolment| enrolment["id"].as_str().unwrap())
        .collect()
}
