//! The service's own log, with a witness, a monitor and a chain.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use blindprint_tests::{Service, program};
use serde_json::Value;

use super::Chain;
use crate::get;

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn witness(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("blindprint-witness"));
    command.args(arguments);
    command
}

/// Cosigns the log with this key.
fn serve(folder: &Path, key: &str, listen: &str, log: &str) -> Running {
    let state = folder.join("state");
    let mut process = witness(&["serve", "--key-file", key, "--listen", listen, "--log", log])
        .arg("--state")
        .arg(state)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let output = process.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    assert!(line.contains(listen), "{line}");
    Running(process)
}

#[test]
fn the_log_of_a_service_is_cosigned_watched_and_anchored() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let key = key.to_str().unwrap();
    let made = witness(&["keygen", "--key-file", key, "--name", "witness.example"]).output();
    let vkey = String::from_utf8(made.unwrap().stdout).unwrap();
    let vkey = vkey.trim();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap().to_string();
    drop(free);
    let witnesses = format!(r#"transparency.witnesses=[{{vkey="{vkey}",url="http://{listen}"}}]"#);
    let service = Service::start_with(None, &[&witnesses]);

    let log = get(&service, "/v1/log", "application/json").body;
    let log = log["key"].as_str().unwrap();
    let _witness = serve(folder.path(), key, &listen, log);
    let url = format!("{}/log", service.public_url);
    let authority = service.authority();
    let ca = authority.to_str().unwrap();
    let of = ["--log", log, "--url", &url, "--ca", ca, "--witness", vkey];
    let monitor = || {
        let output = witness(&["monitor", "--once", "--json"])
            .args(of)
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), report)
    };
    let (mut code, mut report) = monitor();
    for _ in 0..60 {
        if code == Some(0) {
            break;
        }
        assert_eq!(report["findings"][0]["fault"], "uncosigned");
        thread::sleep(Duration::from_millis(500));
        (code, report) = monitor();
    }
    assert_eq!(code, Some(0), "{report}");

    let chain = Chain::start();
    let (code, said) = chain.run("watch", 0, &[&["--once"], &of[..]].concat());
    assert_eq!(code, 0, "{said}");
    let (code, said) = chain.run("verify", 0, &of);
    assert_eq!(code, 0, "{said}");
    assert_eq!(said["anchored"], 1);
    assert!(said["size"].as_u64() >= report["size"].as_u64());
}
