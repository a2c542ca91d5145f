use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value, json};

use crate::{Service, capture, program};

/// Somebody at the command line: a wallet file, a passphrase, captures.
pub struct Holder {
    folder: tempfile::TempDir,
    wallet: &'static str,
}

/// What a command did.
pub struct Said {
    /// Its exit status.
    pub code: i32,
    /// What it printed.
    pub json: Value,
    /// What it said besides.
    pub stderr: String,
}

impl Said {
    /// That it succeeded.
    pub fn ok(self) -> Value {
        assert_eq!(self.code, 0, "{}{}", self.json, self.stderr);
        self.json
    }

    /// That it failed with this exit status and kind of error.
    pub fn failed(self, code: i32, kind: &str) {
        assert_eq!(
            (self.code, self.json["error"].as_str()),
            (code, Some(kind)),
            "{}",
            self.stderr
        );
    }
}

impl Holder {
    /// With no wallet yet.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("passphrase"), "a passphrase for tests\n").unwrap();
        Self {
            folder,
            wallet: "wallet.age",
        }
    }

    /// The same person with another wallet file.
    #[must_use]
    pub fn with_wallet(self, wallet: &'static str) -> Self {
        Self { wallet, ..self }
    }

    /// A file in their folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What tells the wallet's program which wallet it works with.
    pub fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("BLINDPRINT_WALLET", self.path(self.wallet)),
            ("BLINDPRINT_WALLET_PASSPHRASE_FILE", self.path("passphrase")),
            ("BLINDPRINT_CACHE", self.path("cache")),
        ]
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("blindprint-wallet"));
        command
            .args(arguments)
            .arg("--json")
            .envs(self.environment())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs `blindprint-wallet` with `arguments`.
    pub fn run(&self, arguments: &[&str]) -> Said {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(arguments).output().unwrap();
        let json = serde_json::from_slice(&stdout).unwrap_or(Value::Null);
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Said {
            code: status.code().unwrap_or(-1),
            json,
            stderr,
        }
    }

    /// Makes a wallet for the service.
    pub fn init(&self, service: &Service) -> Said {
        let trust = service.trust_file();
        let trust = trust.to_str().unwrap();
        self.run(&["init", "--service", &service.url, "--trust", trust])
    }

    /// The same over HTTPS, which credentials are received over.
    pub fn init_securely(&self, service: &Service) -> Said {
        let (trust, authority) = (service.trust_file(), service.authority());
        let (trust, authority) = (trust.to_str().unwrap(), authority.to_str().unwrap());
        let url = service.public_url.as_str();
        self.run(&[
            "init",
            "--service",
            url,
            "--trust",
            trust,
            "--ca",
            authority,
        ])
    }

    /// Runs a command and kills it, as hard as can be, as soon as it has written the key file
    /// `writes` times.
    pub fn killed_after_writes(&self, arguments: &[&str], writes: u32) {
        let wallet = self.path(self.wallet);
        let mut child = self
            .command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_mins(2);
        let (mut last, mut seen) = (modified(&wallet), 0);
        while seen < writes && Instant::now() < deadline && child.try_wait().unwrap().is_none() {
            let now = modified(&wallet);
            if now != last {
                (last, seen) = (now, seen + 1);
            }
            thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(seen, writes, "the command did not get so far");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Writes a capture of the data set as JSON; gives its path.
    pub fn capture(&self, name: &str) -> String {
        let path = self.path(&format!("{name}.json"));
        let embedding = json!({ "modality": "face", "model": blindprint_face::FACE_MODEL, "values": capture(name).values() });
        fs::write(&path, embedding.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Enrols with a capture of the data set.
    pub fn enrol(&self, capture: &str, more: &[&str]) -> Said {
        let file = self.capture(capture);
        self.run(&[&["enrol", "--consent", "--embedding", file.as_str()], more].concat())
    }

    /// Shows a capture of the data set to a shop.
    pub fn auth(&self, capture: &str) -> Said {
        let file = self.capture(capture);
        let shop = [
            "--audience",
            "https://shop.example",
            "--nonce",
            "81f3a2c4e5",
        ];
        self.run(&[&["auth", "--embedding", file.as_str()], shop.as_slice()].concat())
    }
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}
