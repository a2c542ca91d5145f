//! The program as an operator starts it.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

fn blindprint(data: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_blindprint"))
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .expect("it starts")
}

#[test]
fn invitations_are_made_where_a_service_was_and_nowhere_else() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    assert!(!blindprint(&data, &["invite"]).status.success());
    assert!(!data.exists());
    // It gets as far as the database.
    let settings = [
        "listen.https=127.0.0.1:0",
        "listen.http_enabled=false",
        "enclave.binary=/nowhere",
    ];
    let mut serve = vec!["serve"];
    serve.extend(settings.iter().flat_map(|&setting| ["--set", setting]));
    assert!(!blindprint(&data, &serve).status.success());
    assert!(blindprint(&data, &["invite"]).status.success());
    let database = std::fs::metadata(data.join("blindprint.sqlite")).unwrap();
    assert_eq!(database.permissions().mode() & 0o777, 0o600);
}

#[test]
fn clients_are_made_listed_and_revoked_beside_a_running_service_or_without() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let make: &[&str] = &["client", "add", "--scope", "credentials:verify", "shop"];
    assert!(
        !blindprint(&data, make).status.success(),
        "no service was there"
    );
    assert!(!data.exists());
    let settings = [
        "listen.https=127.0.0.1:0",
        "listen.http_enabled=false",
        "enclave.binary=/nowhere",
    ];
    let mut serve = vec!["serve"];
    serve.extend(settings.iter().flat_map(|&setting| ["--set", setting]));
    assert!(!blindprint(&data, &serve).status.success());
    let made = blindprint(&data, &[make, &["--json"]].concat());
    assert!(made.status.success());
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let id = made["client_id"].as_str().unwrap();
    let secret = made["client_secret"].as_str().unwrap();
    assert_eq!(secret.len(), 43);
    let list = || {
        let listed = blindprint(&data, &["client", "list"]);
        String::from_utf8(listed.stdout).unwrap()
    };
    assert_eq!(list(), format!("{id}  shop  credentials:verify\n"));
    for wrong in [
        vec!["client", "add", "shop"],
        vec!["client", "add", "--scope", "everything", "shop"],
        vec!["client", "add", "--scope", "credentials:verify", ""],
        vec!["client", "revoke", "nobody"],
        vec!["client", "revoke", "2b1c7f0e-52a4-4a66-9c3e-6f2f3d1f6a51"],
    ] {
        assert!(!blindprint(&data, &wrong).status.success(), "{wrong:?}");
    }
    assert!(
        blindprint(&data, &["client", "revoke", id])
            .status
            .success()
    );
    assert!(list().ends_with("(revoked)\n"));
    // The secret is nowhere.
    for name in ["blindprint.sqlite", "blindprint.sqlite-wal"] {
        let bytes = std::fs::read(data.join(name)).unwrap_or_default();
        assert!(
            !bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        );
    }
}

#[test]
fn an_identity_is_made_at_the_first_start_shown_and_rotated() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    assert!(!blindprint(&data, &["identity", "show"]).status.success());
    assert!(!data.exists());
    let serve = [
        "serve",
        "--set",
        "service.public_url=https://id.example.org",
        "--set",
        "listen.https=127.0.0.1:0",
        "--set",
        "listen.http_enabled=false",
        "--set",
        "enclave.binary=/nowhere",
    ];
    // A start that gets no further than the database makes none yet.
    assert!(!blindprint(&data, &serve).status.success());
    let shown = blindprint(&data, &["identity", "show"]);
    let missing = String::from_utf8(shown.stderr).unwrap();
    assert!(missing.contains("identity.json"), "{missing}");
    assert!(!blindprint(&data, &["identity", "rotate"]).status.success());
    assert!(!data.join("identity.json").exists());
}
