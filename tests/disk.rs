use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A file system of a few MiB in a mount namespace of its own, so that it can be full.
pub struct SmallDisk {
    folder: tempfile::TempDir,
    /// Keeps the namespace alive.
    holder: Child,
}

impl SmallDisk {
    /// `None` where the machine lets nobody make namespaces, as inside some containers.
    pub fn mount(mebibytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c"])
            .arg("mount -t tmpfs -o size=$1m none \"$2\" && touch \"$2/ready\" && exec sleep 3600")
            .args(["sh", &mebibytes.to_string()])
            .arg(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut disk = Self { folder, holder };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !disk.outside(disk.path()).join("ready").is_file() {
            if disk.holder.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(Instant::now() < deadline, "the file system is not mounted");
            thread::sleep(Duration::from_millis(20));
        }
        Some(disk)
    }

    /// Where programs on it find it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where this process finds `path`.
    pub fn outside(&self, path: &Path) -> PathBuf {
        Path::new("/proc")
            .join(self.holder.id().to_string())
            .join("root")
            .join(path.strip_prefix("/").unwrap())
    }

    /// Runs `program` where it sees the disk.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.holder.id().to_string()])
            .args(["--user", "--mount", "--preserve-credentials", "--"])
            .arg(program);
        command
    }

    /// Leaves not a byte free.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            let zeros = vec![0; size];
            let error = loop {
                if let Err(error) = file.write_all(&zeros) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        }
    }

    /// Makes room again.
    pub fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.outside(&self.path().join("filler"))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
