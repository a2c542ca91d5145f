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
