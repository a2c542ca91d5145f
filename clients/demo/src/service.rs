//! The real service, started as an operator would: one command, one empty data folder.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use blindprint_core::{SystemClock, SystemEntropy};
use blindprint_wallet::{Address, Client, Materials, Surroundings, Trust};

use crate::{Error, Result, round::SHOP, say};

/// Longest wait for the first start, in which the enclave makes its keys.
const FIRST_START: Duration = Duration::from_mins(10);
/// Longest wait for an orderly end.
const LAST_WORDS: Duration = Duration::from_secs(25);

/// A service that ends with this value, unless it is kept.
pub(crate) struct RunningService {
    /// Its HTTPS address, under the certificate authority that it made at its first start.
    pub(crate) url: String,
    folder: Option<tempfile::TempDir>,
    path: PathBuf,
    process: Option<Child>,
}

impl RunningService {
    /// Starts `blindprint serve`, found beside this program, and waits until it is ready.
    pub(crate) async fn start() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("blindprint-demo-")
            .tempdir()?;
        let path = folder.path().to_owned();
        let data = path.join("service");
        let log = File::create(path.join("service.log"))?;
        let process = Command::new(beside("blindprint")?)
            .arg("serve")
            .arg("--data")
            .arg(&data)
            .args([
                "--set",
                "listen.https=127.0.0.1:0",
                "--set",
                "listen.http=127.0.0.1:0",
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|e| Error::Setup(format!("`blindprint serve` does not start: {e}")))?;
        let mut service = Self {
            url: String::new(),
            folder: Some(folder),
            path,
            process: Some(process),
        };
        service.wait().await?;
        Ok(service)
    }

    async fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + FIRST_START;
        loop {
            if let Some(process) = &mut self.process
                && let Some(status) = process.try_wait()?
            {
                return Err(Error::Setup(format!(
                    "the service ended ({status}):\n{}",
                    self.log_end()
                )));
            }
            if let Some(url) = self.announced() {
                self.url = url;
                let surroundings = surroundings(Arc::new(Materials::in_memory()));
                let ready = self.client(&surroundings)?.ready().await.is_ok();
                if ready && self.data().join("trust.json").is_file() {
                    return Ok(());
                }
            }
            if Instant::now() > deadline {
                return Err(Error::Setup(format!(
                    "the service is not ready:\n{}",
                    self.log_end()
                )));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The address in `running.json`, once the service has written it.
    fn announced(&self) -> Option<String> {
        let text = fs::read(self.data().join("running.json")).ok()?;
        let running: serde_json::Value = serde_json::from_slice(&text).ok()?;
        Some(running.get("https")?.as_str()?.to_owned())
    }

    fn log_end(&self) -> String {
        let log = fs::read_to_string(self.path.join("service.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// The demo's own folder: the service's data, its log and the wallets.
    pub(crate) fn folder(&self) -> &Path {
        &self.path
    }

    /// The service's data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("service")
    }

    /// The certificate authority's certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.data().join("ca.pem")
    }

    pub(crate) fn address(&self) -> Result<Address> {
        Ok(Address::new(&self.url, Some(&self.authority()))?)
    }

    pub(crate) fn client(&self, surroundings: &Surroundings) -> Result<Client> {
        let clock = Arc::clone(&surroundings.clock);
        Ok(Client::new(
            &self.address()?,
            clock,
            Arc::clone(&surroundings.entropy),
        )?)
    }

    /// What the wallets pin: the file that an operator publishes.
    pub(crate) fn trust(&self) -> Result<Trust> {
        let path = self.data().join("trust.json");
        Trust::parse(&fs::read(&path)?)
            .map_err(|e| Error::Setup(format!("{}: {e}", path.display())))
    }

    pub(crate) fn operator_token(&self) -> Result<String> {
        Ok(fs::read_to_string(self.data().join("operator-token"))?
            .trim()
            .to_owned())
    }

    /// Leaves the service running and says what to open.
    pub(crate) fn keep(mut self) {
        let Some(process) = self.process.take() else {
            return;
        };
        if let Some(folder) = self.folder.take() {
            let _ = folder.keep();
        }
        let programs = std::env::current_exe().unwrap_or_default();
        say(&format!(
            "The service keeps running. Open {url}/docs for the API.\n\
             Invite yourself and make a wallet of your own:\n  \
             export PATH={programs}:$PATH\n  \
             blindprint invite --data {data}\n  \
             blindprint-wallet init --service {url} --trust {data}/trust.json --ca {data}/ca.pem\n  \
             blindprint-wallet enrol --photo me.jpg --invitation CODE\n  \
             blindprint-wallet auth --photo me-again.jpg --audience {SHOP} --nonce 81f3a2c4\n\
             Data, wallets and log: {folder}\nStop it: kill {process}",
            url = self.url,
            programs = programs.parent().unwrap_or(Path::new(".")).display(),
            data = self.data().display(),
            folder = self.path.display(),
            process = process.id()
        ));
    }

    /// Asks the service to end, and waits until it has.
    pub(crate) async fn stop(mut self) {
        if let Some(process) = &mut self.process {
            terminate(process);
            let deadline = Instant::now() + LAST_WORDS;
            while Instant::now() < deadline && matches!(process.try_wait(), Ok(None)) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The machine's clock and randomness, and `materials`.
pub(crate) fn surroundings(materials: Arc<Materials>) -> Surroundings {
    Surroundings {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        materials,
    }
}

impl Drop for RunningService {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process
            && matches!(process.try_wait(), Ok(None))
        {
            terminate(process);
            let deadline = Instant::now() + LAST_WORDS;
            while Instant::now() < deadline && matches!(process.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// An orderly end, in which the service stops its enclave and matchers as well.
fn terminate(process: &Child) {
    let pid = rustix::process::Pid::from_child(process);
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
}

/// A program of this project in the folder of this one.
fn beside(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::Setup(format!(
            "{} is missing: build the workspace first",
            path.display()
        )))
    }
}
