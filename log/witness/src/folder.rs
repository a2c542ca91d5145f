//! Files that are either whole or absent, and readable by nobody else.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::WitnessError;

/// A folder that one process uses at a time.
pub(crate) struct Folder {
    path: PathBuf,
    #[expect(dead_code, reason = "dropping the file releases its lock")]
    lock: File,
}

impl Folder {
    /// Makes the folder if there is none, and claims it.
    pub(crate) fn claim(path: &Path) -> Result<Self, WitnessError> {
        make(path).map_err(WitnessError::file(path))?;
        let lock = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&lock)
            .map_err(WitnessError::file(&lock))?;
        lock.try_lock().map_err(|_| {
            WitnessError::Invalid(format!("another process uses {}", path.display()))
        })?;
        Ok(Self {
            path: path.to_owned(),
            lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the file of this name holds, or `None` if there is none.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, WitnessError> {
        let path = self.path.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(WitnessError::file(&path)(error)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| WitnessError::file(&path)(error.into()))
    }

    /// Puts `value` in the place of the file of this name. It is on the disk when this returns; after a
    /// crash there is either the old file or the new one.
    pub(crate) fn replace<T: Serialize>(&self, name: &str, value: &T) -> Result<(), WitnessError> {
        let path = self.path.join(name);
        self.try_replace(&path, value)
            .map_err(WitnessError::file(&path))
    }

    fn try_replace<T: Serialize>(&self, path: &Path, value: &T) -> io::Result<()> {
        let new = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(&self.path)?.sync_all()
    }
}

/// Writes a file that must not be there yet.
pub(crate) fn create(path: &Path, contents: &[u8]) -> Result<(), WitnessError> {
    let written = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(contents)?;
        file.sync_all()
    };
    written().map_err(WitnessError::file(path))
}

fn make(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}
