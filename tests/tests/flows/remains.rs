//! What is left of somebody who had everything erased: nothing of the template, the code or the keys.

mod search;

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::Arc,
};

use aes_gcm::{AeadInPlace as _, Aes256Gcm, KeyInit as _, Nonce, Tag};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{EnrolmentId, ProfileId, SubjectId};
use blindprint_protocol::{
    DataKey,
    frame::{self, MAX_REQUEST, MAX_RESPONSE},
    message::{DataKeyOf, EnclaveRequest, EnclaveResponse},
};
use blindprint_template::{BiometricCode, CODE_BITS, EncodingKey, encode};
use blindprint_tests::{Person, Process, Service, block_on};
use blindprint_wallet::{Erasing, Materials, Passphrase};
use search::Needles;
use serde_json::Value;
use sqlx::{Column as _, Row as _, SqlitePool, ValueRef as _};

#[test]
fn nothing_of_a_template_its_code_or_its_keys_is_left_after_an_erasure() {
    let service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    let invitation = service.invitation(1);
    let mut person = block_on(Person::new("L001", &service, &materials));
    block_on(async {
        person.consent(&invitation).await.unwrap();
        person.enrol(&invitation).await.unwrap();
        assert!(person.show_themselves().await.unwrap().verdict.matched);
    });
    let enrolment = person.enrolled().unwrap();

    // The host's own view, while it may have it.
    let key = data_key(&service, person.wallet.subject(), enrolment);
    let database = service.data().join("blindprint.sqlite");
    let template = block_on(template(&database, enrolment, &key));
    let (kappa, code) = code(&person, enrolment);
    let needles = Needles::of([&template, &code, key.as_slice(), &kappa]);
    let keys = Needles::of([key.as_slice(), &kappa]);
    let backup = tempfile::tempdir().unwrap();
    back_up(&service, backup.path());
    // The search finds what there is.
    assert!(Needles::of([key.as_slice()]).found_in_memory(service.pid(Process::Enclave)));
    assert!(needles.found_in(&template));

    let erased = block_on(person.wallet.erase_everything()).unwrap();
    assert!(matches!(erased, Erasing::Done(_)), "{erased:?}");

    let folder = service.data();
    needles.nowhere_below(&folder);
    assert!(!needles.found_in(service.log().as_bytes()));
    for process in [Process::Server, Process::Enclave, Process::Matcher] {
        assert!(
            !keys.found_in_memory(service.pid(process)),
            "a key is in the memory of {process:?}"
        );
    }
    // Nor does an earlier backup give it back, however well it is read.
    needles.nowhere_below(backup.path());
    for value in block_on(values(&backup.path().join("blindprint.sqlite"))) {
        assert!(!needles.found_in(&value));
    }
}

/// Asks the enclave as the host does.
fn data_key(service: &Service, subject: &SubjectId, enrolment: EnrolmentId) -> [u8; 32] {
    let request = EnclaveRequest::DataKey {
        subject: subject.clone(),
        of: DataKeyOf::Enrolment(enrolment),
    };
    let mut stream = UnixStream::connect(service.data().join("run/enclave.sock")).unwrap();
    stream
        .write_all(&frame::encode(&request, MAX_REQUEST).unwrap())
        .unwrap();
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).unwrap();
    let mut body = vec![0; frame::length(prefix, MAX_RESPONSE).unwrap()];
    stream.read_exact(&mut body).unwrap();
    match frame::decode(&body).unwrap() {
        EnclaveResponse::DataKey { key } => *DataKey::expose(&key),
        other => panic!("{other:?}"),
    }
}

/// The template that the database holds, decrypted: version, nonce, ciphertext, tag.
async fn template(database: &Path, enrolment: EnrolmentId, key: &[u8; 32]) -> Vec<u8> {
    let pool = open(database).await;
    let row = sqlx::query("SELECT ciphertext, template FROM enrolments WHERE id = $1")
        .bind(enrolment.to_string())
        .fetch_one(&pool)
        .await
        .unwrap();
    let (stored, digest): (Vec<u8>, String) = (row.get(0), row.get(1));
    pool.close().await;
    let digest = URL_SAFE_NO_PAD.decode(digest).unwrap();
    let mut associated = enrolment.0.as_bytes().to_vec();
    associated.extend(digest);
    let (header, rest) = stored.split_at(13);
    let (ciphertext, tag) = rest.split_at(rest.len() - 16);
    let mut template = ciphertext.to_vec();
    Aes256Gcm::new(key.into())
        .decrypt_in_place_detached(
            Nonce::from_slice(&header[1..]),
            &associated,
            &mut template,
            Tag::from_slice(tag),
        )
        .unwrap();
    template
}

/// κ and the code that was enrolled, from an export of the wallet.
fn code(person: &Person, enrolment: EnrolmentId) -> ([u8; 32], Vec<u8>) {
    let path = person.folder.path().join("export.age");
    let passphrase = || "only for this test".to_owned();
    let wallets = Passphrase::new(passphrase()).unwrap();
    person.wallet.export(&path, Some(&wallets)).unwrap();
    let identity = age::scrypt::Identity::new(passphrase().into());
    let state = age::decrypt(&identity, &fs::read(&path).unwrap()).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    let record = state["enrolments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|record| record["id"] == enrolment.to_string())
        .unwrap();
    let kappa = URL_SAFE_NO_PAD
        .decode(record["encoding_key"].as_str().unwrap())
        .unwrap();
    let kappa: [u8; 32] = kappa.try_into().unwrap();
    let profile: ProfileId = serde_json::from_value(record["profile"].clone()).unwrap();
    let key = EncodingKey::from_bytes(kappa);
    let code = encode(profile, &key, person.capture(1).values()).unwrap();
    (kappa, bytes(&code))
}

/// A code as 256 bytes: each bit by its distance to the codes of one bit.
fn bytes(code: &BiometricCode) -> Vec<u8> {
    let single =
        |set: Option<usize>| BiometricCode::from_bits((0..CODE_BITS).map(|at| Some(at) == set));
    let weight = code.hamming(&single(None));
    let bits: Vec<bool> = (0..CODE_BITS)
        .map(|at| code.hamming(&single(Some(at))) < weight)
        .collect();
    bits.chunks(8)
        .map(|bits| {
            bits.iter()
                .rev()
                .fold(0, |byte, &bit| byte << 1 | u8::from(bit))
        })
        .collect()
}

/// The data folder as a backup taken at this moment has it.
fn back_up(service: &Service, to: &Path) {
    let mut folders = vec![(service.data(), to.to_owned())];
    while let Some((from, to)) = folders.pop() {
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let (kind, to) = (entry.file_type().unwrap(), to.join(entry.file_name()));
            if kind.is_dir() {
                folders.push((entry.path(), to));
            } else if kind.is_file() {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
}

async fn open(database: &Path) -> SqlitePool {
    SqlitePool::connect(&format!("sqlite://{}", database.display()))
        .await
        .unwrap()
}

/// Every value in every table.
async fn values(database: &Path) -> Vec<Vec<u8>> {
    let pool = open(database).await;
    let tables: Vec<(String,)> =
        sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table'")
            .fetch_all(&pool)
            .await
            .unwrap();
    let mut values = Vec::new();
    for (table,) in tables {
        let query = format!("SELECT * FROM \"{table}\"");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .fetch_all(&pool)
            .await
            .unwrap();
        for row in &rows {
            for column in row.columns() {
                let at = column.ordinal();
                if !row.try_get_raw(at).unwrap().is_null() {
                    values.extend(row.try_get_unchecked::<Vec<u8>, _>(at));
                }
            }
        }
    }
    assert!(values.len() > 20, "the backup holds next to nothing");
    values
}
