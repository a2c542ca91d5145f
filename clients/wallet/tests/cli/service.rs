//! The real service for tests: `blindprint serve` with an empty data folder.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use blindprint_core::{SystemClock, SystemEntropy, wire::Invite};
use blindprint_wallet::{Address, Client};

/// Ends with this value.
pub(crate) struct Service {
    folder: tempfile::TempDir,
    process: Child,
    pub(crate) url: String,
}

impl Service {
    /// Starts it and waits until it answers; the first start makes keys.
    pub(crate) fn start() -> Self {
        let binary =
            Path::new(env!("CARGO_BIN_EXE_blindprint-wallet")).with_file_name("blindprint");
        assert!(
            binary.is_file(),
            "{} is missing: `cargo build --workspace` first",
            binary.display()
        );
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("service.log")).unwrap();
        let process = Command::new(binary)
            .arg("serve")
            .arg("--data")
            .arg(folder.path().join("data"))
            .args([
                "--set",
                "listen.https=127.0.0.1:0",
                "--set",
                "listen.http=127.0.0.1:0",
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut service = Self {
            folder,
            process,
            url: String::new(),
        };
        service.wait();
        service
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(10);
        loop {
            let log = || fs::read_to_string(self.folder.path().join("service.log")).unwrap();
            assert!(
                self.process.try_wait().unwrap().is_none(),
                "the service ended:\n{}",
                log()
            );
            assert!(
                Instant::now() < deadline,
                "the service does not start:\n{}",
                log()
            );
            if let Some(url) = self.announced() {
                self.url = url;
                if block_on(self.client().ready()).is_ok() && self.trust().is_file() {
                    return;
                }
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn announced(&self) -> Option<String> {
        let running = fs::read(self.data().join("running.json")).ok()?;
        let running: serde_json::Value = serde_json::from_slice(&running).ok()?;
        Some(running.get("http")?.as_str()?.to_owned())
    }

    fn client(&self) -> Client {
        let address = Address::new(&self.url, None).unwrap();
        Client::new(&address, Arc::new(SystemClock), Arc::new(SystemEntropy)).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn trust(&self) -> PathBuf {
        self.data().join("trust.json")
    }

    /// An invitation for this many enrolments.
    pub(crate) fn invitation(&self, uses: u32) -> String {
        let token = fs::read_to_string(self.data().join("operator-token")).unwrap();
        let invite = Invite {
            uses,
            valid_for: 3600,
            note: None,
        };
        block_on(self.client().invite(token.trim(), &invite))
            .unwrap()
            .secret
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An orderly end, so that enclave and matcher end as well.
        let pid = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
