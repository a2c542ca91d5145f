//! The data folder: who may read it, what lies where, and that only one server uses it.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use secrecy::zeroize::Zeroizing;

use crate::{Error, Result, error::io};

/// A folder that only its owner can enter.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
}

/// Held for as long as this process is the folder's one server.
#[derive(Debug)]
pub struct Occupied(#[expect(dead_code, reason = "dropping the file releases its lock")] File);

const DATABASE: &str = "blindprint.sqlite";

/// What tells a data folder from any other: what a first start makes at once, and what an operator may
/// put there before.
const MARKS: [&str; 4] = ["lock", DATABASE, "blindprint.toml", "operator-token"];

impl DataFolder {
    /// Makes the folder if there is none, and closes it to others. Somebody else's is left alone.
    pub fn open(path: &Path) -> Result<Self> {
        let setup = |error| Error::Setup(format!("data folder {}: {error}", path.display()));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(setup)?;
        // Every new ext4 file system has this one.
        let foreign = |name: &OsStr| name != "lost+found";
        let mut names = fs::read_dir(path)
            .map_err(setup)?
            .flatten()
            .map(|entry| entry.file_name());
        if !MARKS.iter().any(|mark| path.join(mark).exists()) && names.any(|name| foreign(&name)) {
            return Err(Error::Setup(format!(
                "{} holds something else: choose an empty or a new folder",
                path.display()
            )));
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(setup)?;
        let path = path.canonicalize().map_err(setup)?;
        Ok(Self { path })
    }

    /// The folder of a service that has started before.
    pub fn existing(path: &Path) -> Result<Self> {
        if path.join(DATABASE).is_file() {
            return Self::open(path);
        }
        Err(Error::Setup(format!(
            "no service has started with the data folder {} yet",
            path.display()
        )))
    }

    /// Claims the folder for this process.
    pub fn occupy(&self) -> Result<Occupied> {
        let path = self.path.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(io("opening the lock file"))?;
        file.try_lock().map_err(|_| {
            Error::Setup(format!(
                "another server uses the data folder {}",
                self.path.display()
            ))
        })?;
        Ok(Occupied(file))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The local certificate authority's certificate, for clients to trust.
    pub fn ca_certificate(&self) -> PathBuf {
        self.path.join("ca.pem")
    }

    /// Keys and certificates of TLS.
    pub fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }

    /// What wallets pin.
    pub fn trust(&self) -> PathBuf {
        self.path.join("trust.json")
    }

    /// The operator's bearer token.
    pub fn operator_token(&self) -> PathBuf {
        self.path.join("operator-token")
    }

    /// The key that invitations' secrets are made with.
    pub fn invitation_key(&self) -> PathBuf {
        self.path.join("invitation-key")
    }

    /// The key that codes and nonces of OAuth and `OpenID4VC` are made with.
    pub fn protocol_key(&self) -> PathBuf {
        self.path.join("protocol-key")
    }

    /// The key that signs the transparency log's checkpoints.
    pub fn log_key(&self) -> PathBuf {
        self.path.join("log-key")
    }

    /// The last checkpoint that was published, apart from the database that it is about.
    pub fn log_head(&self) -> PathBuf {
        self.path.join("log-head")
    }

    /// The service's DIDs with their keys.
    pub fn identity(&self) -> PathBuf {
        self.path.join("identity.json")
    }

    /// Held by whoever changes them.
    pub fn identity_lock(&self) -> PathBuf {
        self.path.join("identity.lock")
    }

    /// The service's name, chosen at the first start.
    pub fn service(&self) -> PathBuf {
        self.path.join("service")
    }

    /// Where this process listens, for scripts that let it choose its ports.
    pub fn running(&self) -> PathBuf {
        self.path.join("running.json")
    }

    /// The enclave's sealed state.
    pub fn enclave(&self) -> PathBuf {
        self.path.join("enclave")
    }

    /// The enclave's simulated non-volatile memory, apart from the state that it guards.
    pub fn enclave_nvram(&self) -> PathBuf {
        self.path.join("enclave-nvram")
    }

    /// The root of the simulated attestation hardware.
    pub fn simulated_root(&self) -> PathBuf {
        self.path.join("simulated-root")
    }

    /// Sockets of the processes started here.
    pub fn sockets(&self) -> PathBuf {
        self.path.join("run")
    }

    /// Public material fetched from the enclave.
    pub fn material(&self) -> PathBuf {
        self.path.join("material")
    }
}

/// Makes a folder that only its owner can enter.
pub fn private_folder(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io("making a folder in the data folder"))
}

/// Replaces a file as a whole: a crash leaves the old or the new content, never a part.
pub fn write_atomically(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    publish(path, content, mode, |partial| fs::rename(partial, path))
}

/// The content of a file of the owner's alone, which `make` fills at its first use. Where several
/// processes come first, one fills it and all read the same.
pub fn secret_or_else(path: &Path, make: impl FnOnce() -> String) -> Result<Zeroizing<String>> {
    const DOING: &str = "reading a secret in the data folder";
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return read.map(Zeroizing::new).map_err(io(DOING)),
    }
    let fresh = Zeroizing::new(make());
    // A link never replaces what another process has put there.
    publish(
        path,
        fresh.as_bytes(),
        0o600,
        |partial| match fs::hard_link(partial, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => fs::remove_file(partial),
        },
    )?;
    fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(io(DOING))
}

/// Writes a file beside `path`, has `place` put it there, and makes both durable.
fn publish(
    path: &Path,
    content: &[u8],
    mode: u32,
    place: impl FnOnce(&Path) -> std::io::Result<()>,
) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let written = (|| {
        // A crash may have left one: in a container every start has the same process id. What lies
        // there is not followed if it is a link.
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&partial)?;
        // Whatever the umask.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()?;
        place(&partial)?;
        File::open(folder_of(path))?.sync_all()
    })();
    if written.is_err() {
        // The partial file is worthless whether or not it can be removed.
        let _ = fs::remove_file(&partial);
    }
    written.map_err(io("writing a file in the data folder"))
}

/// The folder that a file lies in, which for a bare name is the current one.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_folder_and_its_secrets_are_the_owners_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&root.path().join("a/b")).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        let first = secret_or_else(&folder.operator_token(), || "first".to_owned()).unwrap();
        let second = secret_or_else(&folder.operator_token(), || "second".to_owned()).unwrap();
        assert_eq!((first.as_str(), second.as_str()), ("first", "first"));
        assert_eq!(mode(&folder.operator_token()), 0o600);
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(root.path().join("lost+found")).unwrap();
        let other = root.path().join("letter.txt");
        fs::write(&other, "").unwrap();
        assert!(matches!(
            DataFolder::open(root.path()),
            Err(Error::Setup(_))
        ));
        assert_eq!(mode(root.path()), 0o755);
        fs::remove_file(&other).unwrap();
        drop(DataFolder::open(root.path()).unwrap().occupy().unwrap());
        assert_eq!(mode(root.path()), 0o700);
        fs::write(&other, "").unwrap();
        assert!(DataFolder::open(root.path()).is_ok(), "it is marked");
        assert!(matches!(
            DataFolder::existing(root.path()),
            Err(Error::Setup(_))
        ));
    }

    #[test]
    fn a_link_in_the_way_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let (victim, file) = (root.path().join("victim"), root.path().join("file"));
        fs::write(&victim, "theirs").unwrap();
        let partial = root
            .path()
            .join(format!("file.{}.partial", std::process::id()));
        std::os::unix::fs::symlink(&victim, partial).unwrap();
        write_atomically(&file, b"ours", 0o644).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(&file).unwrap(), "ours");
        assert_eq!(mode(&file), 0o644);
    }

    #[test]
    fn one_server_a_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(root.path()).unwrap();
        let occupied = folder.occupy().unwrap();
        assert!(matches!(folder.occupy(), Err(Error::Setup(_))));
        drop(occupied);
        assert!(folder.occupy().is_ok());
    }

    #[test]
    fn a_bare_name_lies_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("trust.json")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/trust.json")), Path::new("a"));
        assert_eq!(folder_of(Path::new("/trust.json")), Path::new("/"));
    }

    #[test]
    fn writing_fails_without_a_trace() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("taken");
        fs::create_dir(&path).unwrap();
        assert!(write_atomically(&path, b"x", 0o600).is_err());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
