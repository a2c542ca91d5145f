use std::{
    fs::{self, File},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use blindprint_core::{SystemClock, SystemEntropy, wire::Invite};
use blindprint_wallet::{Address, Client, Trust};
use rustix::process::{Pid, Signal, kill_process};

use crate::{SmallDisk, block_on, program};

/// The service's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// `blindprint serve`; the others end with it.
    Server,
    /// Holds the keys.
    Enclave,
    /// Compares.
    Matcher,
}

/// `blindprint serve` with an empty data folder. Ends with this value.
pub struct Service {
    folder: tempfile::TempDir,
    disk: Option<SmallDisk>,
    settings: Vec<String>,
    process: Child,
    /// Plain HTTP on this machine; the same after a restart.
    pub url: String,
    /// HTTPS, by the name in its certificate, its DIDs and its credentials; the same after a restart.
    pub public_url: String,
}

impl Service {
    /// Starts it and waits until it answers; the first start makes keys.
    pub fn start() -> Self {
        Self::start_with(None, &[])
    }

    /// As [`Self::start`], with its data on a disk of its own and with `settings` (`key=value`).
    pub fn start_with(disk: Option<SmallDisk>, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, secure) = (free_port(), free_port());
        let mut all = vec![
            format!("listen.https=127.0.0.1:{secure}"),
            format!("listen.http=127.0.0.1:{port}"),
        ];
        all.extend(settings.iter().map(|&setting| setting.to_owned()));
        let mut service = Self {
            process: launch(&folder, disk.as_ref(), &all),
            folder,
            disk,
            settings: all,
            url: format!("http://localhost:{port}"),
            public_url: format!("https://localhost:{secure}"),
        };
        service.wait();
        service
    }

    /// Ends one of the processes as hard as can be.
    pub fn kill(&mut self, process: Process) {
        match process {
            Process::Server => {
                self.process.kill().unwrap();
                self.process.wait().unwrap();
            }
            Process::Enclave => self.kill_child("blindprint-encl"),
            Process::Matcher => self.kill_child("blindprint-matc"),
        }
    }

    /// Starts a killed server again without waiting for it.
    pub fn launch_again(&mut self) {
        self.process = launch(&self.folder, self.disk.as_ref(), &self.settings);
    }

    /// Ends it in an orderly way, and starts it again with these settings besides.
    pub fn restart_with(&mut self, settings: &[&str]) {
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
        self.settings
            .extend(settings.iter().map(|&setting| setting.to_owned()));
        self.launch_again();
        self.wait();
    }

    /// Waits until a service that was launched has given up, and tells what it logged.
    pub fn fails_to_start(&mut self) -> String {
        let status = self.process.wait().unwrap();
        assert!(!status.success(), "the service has ended in peace");
        self.log()
    }

    /// Waits until the service takes requests.
    pub fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(10);
        while block_on(self.client().ready()).is_err() || !self.trust_file().is_file() {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "the service ended:\n{}", self.log());
            assert!(
                Instant::now() < deadline,
                "the service does not start:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// What all starts have logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("service.log")).unwrap()
    }

    /// The disk that it was started on.
    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().unwrap()
    }

    /// A caller without a wallet.
    pub fn client(&self) -> Client {
        Client::new(
            &self.address(),
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
        )
        .unwrap()
    }

    /// Where wallets find it.
    pub fn address(&self) -> Address {
        Address::new(&self.url, None).unwrap()
    }

    /// Where wallets find it over HTTPS, which their credentials are received over.
    pub fn secure_address(&self) -> Address {
        Address::new(&self.public_url, Some(&self.authority())).unwrap()
    }

    /// The file that wallets pin.
    pub fn trust_file(&self) -> PathBuf {
        self.data().join("trust.json")
    }

    /// The authority of its HTTPS, in PEM.
    pub fn authority(&self) -> PathBuf {
        self.data().join("ca.pem")
    }

    /// What wallets pin.
    pub fn trust(&self) -> Trust {
        Trust::parse(&fs::read(self.trust_file()).unwrap()).unwrap()
    }

    /// An invitation for this many enrolments.
    pub fn invitation(&self, uses: u32) -> String {
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

    /// What the operator's command `blindprint …` prints.
    pub fn operate(&self, arguments: &[&str]) -> String {
        let output = Command::new(program("blindprint"))
            .arg("--data")
            .arg(data_folder(&self.folder, self.disk.as_ref()))
            .args(self.settings.iter().flat_map(|setting| ["--set", setting]))
            .args(arguments)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        let data = data_folder(&self.folder, self.disk.as_ref());
        match &self.disk {
            Some(disk) => disk.outside(&data),
            None => data,
        }
    }

    /// The id of one of the processes.
    pub fn pid(&self, process: Process) -> i32 {
        let name = match process {
            Process::Server => return Pid::from_child(&self.process).as_raw_nonzero().get(),
            Process::Enclave => "blindprint-encl",
            Process::Matcher => "blindprint-matc",
        };
        self.child(name).unwrap().as_raw_nonzero().get()
    }

    /// It may be between two lives.
    fn kill_child(&self, name: &str) {
        if let Some(pid) = self.child(name) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    fn child(&self, name: &str) -> Option<Pid> {
        let parent = format!("PPid:\t{}\n", self.process.id());
        let child = fs::read_dir("/proc").unwrap().find_map(|entry| {
            let entry = entry.unwrap();
            let status = fs::read_to_string(entry.path().join("status")).ok()?;
            let found = status.starts_with(&format!("Name:\t{name}")) && status.contains(&parent);
            found.then(|| entry.file_name().to_str().unwrap().parse().unwrap())
        });
        child.and_then(Pid::from_raw)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An orderly end, so that enclave and matcher end as well.
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}

fn launch(folder: &tempfile::TempDir, disk: Option<&SmallDisk>, settings: &[String]) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.path().join("service.log"))
        .unwrap();
    let server = program("blindprint");
    let mut command = match disk {
        Some(disk) => disk.command(&server),
        None => Command::new(server),
    };
    command
        .arg("serve")
        .arg("--data")
        .arg(data_folder(folder, disk));
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// As the service sees it.
fn data_folder(folder: &tempfile::TempDir, disk: Option<&SmallDisk>) -> PathBuf {
    disk.map_or(folder.path(), SmallDisk::path).join("data")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
