use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use blindprint_egress::{Allowed, Config, Egress, Request};
use blindprint_log::WitnessVerifier;
use serde_json::Value;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_blindprint-witness"))
}

/// Runs it to its end: exit code, and what it printed.
pub fn run(arguments: &[&str]) -> (i32, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = program().args(arguments).output().unwrap();
    let text = String::from_utf8(stdout).unwrap();
    let errors = String::from_utf8(stderr).unwrap();
    (status.code().unwrap(), text + &errors)
}

/// A witness at work.
pub struct Serving {
    process: Child,
    pub url: String,
    pub vkey: WitnessVerifier,
}

impl Serving {
    /// Makes its key in this folder, unless there is one.
    pub fn start(folder: &Path, logs: &[String]) -> Self {
        let key = folder.join("key");
        let key = key.to_str().unwrap();
        let first = !folder.join("key").exists();
        if first {
            let (code, text) = run(&["keygen", "--key-file", key, "--name", "witness.example"]);
            assert_eq!(code, 0, "{text}");
        }
        let mut command = program();
        command
            .args(["serve", "--key-file", key, "--listen", "127.0.0.1:0"])
            .arg("--state")
            .arg(folder.join("state"))
            .args(logs.iter().flat_map(|log| ["--log", log]));
        if !first {
            command.arg("--resume");
        }
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Self {
            process,
            url: said["url"].as_str().unwrap().to_owned(),
            vkey: said["vkey"].as_str().unwrap().parse().unwrap(),
        }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM.
    pub fn stop(mut self) {
        let id = i32::try_from(self.process.id()).unwrap();
        let process = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        assert!(self.process.wait().unwrap().success());
    }

    pub fn cosign(&self, body: &str) -> Option<(u16, String)> {
        post(&format!("{}/add-checkpoint", self.url), body)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Status and body, or `None` if nobody answers.
pub fn post(url: &str, body: &str) -> Option<(u16, String)> {
    let host = url.strip_prefix("http://").unwrap();
    let host = host.split('/').next().unwrap();
    let egress = Egress::new(&Config {
        allow: vec![host.parse::<Allowed>().unwrap()],
        ..Config::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let request = Request::post(url, "text/plain", body);
    let answer = runtime.block_on(egress.unwrap().fetch(&request)).ok()?;
    Some((answer.status, String::from_utf8(answer.body).unwrap()))
}
