//! The wallet's file and the page with the recovery key.

use std::{fs, path::Path};

use age::secrecy::SecretString;
use blindprint_core::{Digest, SystemEntropy};
use blindprint_did::{KeyType, SigningKey};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_nsm::{Mode, Nsm};
use blindprint_wallet::{Error, Passphrase, RecoveryPaper, Surroundings, Trust, Wallet};
use serde_json::json;

#[test]
fn recovery_pages() {
    // The key of 32 zeros; every group but the last is of version and zeros.
    let page = "service: https://localhost:8443\nsubject: did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK\nkey: ";
    let key = recovery_key();
    let seeds = [
        format!("{page}{key}\n"),
        format!("{page}{}\n", key.to_lowercase().replace('-', " ")),
    ];
    for seed in &seeds {
        assert!(RecoveryPaper::parse(seed).is_ok());
    }
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        if let Ok(paper) = RecoveryPaper::parse(&String::from_utf8_lossy(bytes)) {
            let page = paper.text();
            let again = RecoveryPaper::parse(&page).unwrap();
            assert_eq!(
                (&again.service, &again.subject),
                (&paper.service, &paper.subject)
            );
            assert_eq!(again.text(), page);
        }
    });
}

/// The text form of 32 zeros: Crockford's base 32 of version, key and two bytes of its digest.
fn recovery_key() -> String {
    let mut bytes = [0; 35];
    bytes[0] = 1;
    let sum = Digest::of("blindprint/recovery-paper/v1", &bytes[..33]);
    bytes[33..].copy_from_slice(&sum.as_bytes()[..2]);
    let bit = |i: usize| usize::from(bytes[i / 8] >> (7 - i % 8) & 1);
    let digit = |at: usize| (0..5).fold(0, |value, i| value << 1 | bit(5 * at + i));
    let text: Vec<u8> = (0..56)
        .map(|at| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[digit(at)])
        .collect();
    text.chunks(4)
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect::<Vec<_>>()
        .join("-")
}

const PASSPHRASE: &str = "correct horse";

/// What a wallet keeps, as its file holds it once decrypted.
fn contents() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let nsm = Nsm::open(folder.path(), Mode::Production, &SystemEntropy).unwrap();
    let trust = Trust::new(nsm.root().clone(), vec![nsm.measurement()], vec![]).unwrap();
    let key = SigningKey::generate(KeyType::Ed25519, &SystemEntropy).public();
    let digest = Digest::of("fuzz", b"digest");
    let secret = digest.to_string();
    let id = "0196a3f0-7b1c-7e42-9c1f-3a5b7d9e1f20";
    let state = json!({
        "format": "blindprint-wallet/v1",
        "address": { "url": "https://localhost:8443", "ca": null },
        "service": "https://localhost:8443",
        "trust": trust.to_json(),
        "subject": key.subject(),
        "identity": secret,
        "next_identity": secret,
        "recovery": { "public": key.uri(), "secret": secret },
        "takeover": { "subject": key.subject(), "recovery": { "public": key.uri(), "secret": null } },
        "consents": [{
            "id": id, "purpose": "authentication", "recipient": null, "decision": "given", "notice": digest,
            "expires": 1_790_000_000, "consent": "a.b.c", "record": {}, "invitation": null,
            "given": "a.b.c", "withdrawal": null, "withdrawn": null,
        }],
        "enrolments": [
            { "id": id, "profile": "face-dlib128-v1", "encoding_key": secret,
              "state": { "registered": { "template": digest, "enrolled": 1_790_000_000, "receipt": null } } },
            { "id": id, "profile": "face-dlib128-v1", "encoding_key": secret,
              "state": { "sent": { "statement": "a.b.c", "recovery": "a.b.c", "submission": "AAECAwQ=", "invitation": "secret", "replaces": null } } },
        ],
    });
    serde_json::to_vec(&state).unwrap()
}

/// With a cost of 2^`log_n`, 1 KiB of memory for each.
fn seal(contents: &[u8], log_n: u8) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(PASSPHRASE.to_owned()));
    recipient.set_work_factor(log_n);
    age::encrypt(&recipient, contents).unwrap()
}

fn open(path: &Path) -> Result<Wallet, Error> {
    let surroundings = Surroundings::system(path.with_extension("cache"));
    Wallet::open(path, Passphrase::new(PASSPHRASE.to_owned())?, surroundings)
}

/// The file's own bytes. A changed header may ask for up to 2^20, which is a gigabyte.
#[test]
fn altered_files() {
    let genuine = seal(&contents(), 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.age");
    fs::write(&path, &genuine).unwrap();
    open(&path).unwrap();
    fuzz!(
        Inputs::from([genuine.clone()]),
        Budget::mebibytes(1100).seconds(30),
        |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            assert_eq!(open(&path).is_ok(), bytes == genuine);
            assert!(fs::read(&path).unwrap() == bytes, "opening changes nothing");
        }
    );
}

/// What is inside, of somebody who knows the passphrase.
#[test]
fn contents_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wallet.age");
    fuzz!(
        Inputs::from([contents()]),
        Budget::mebibytes(64).seconds(5),
        |bytes: &[u8]| {
            fs::write(&path, seal(bytes, 1)).unwrap();
            if let Ok(wallet) = open(&path) {
                let contents: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                assert_eq!(contents["subject"], wallet.subject().as_str());
            }
        }
    );
}
