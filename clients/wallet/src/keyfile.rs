//! The encrypted file that holds everything a wallet must not lose: age (age-encryption.org/v1)
//! with a passphrase, replaced atomically, used by one process at a time.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use age::{DecryptError, Decryptor, Encryptor, scrypt, secrecy::SecretString};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::Entropy;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{Error, Result};

/// Largest key file read, in bytes: far above hundreds of enrolments with their receipts.
const MAX_FILE: u64 = 16 << 20;
/// A hostile file must not cost more than 2^20 × 1 KiB = 1 GiB of memory to refuse.
const MAX_LOG_N: u8 = 20;

/// What unlocks a key file. It cannot be printed or cloned and is overwritten on drop.
pub struct Passphrase {
    secret: SecretString,
    /// log2 of scrypt's cost (RFC 7914 parameter N).
    log_n: u8,
}

impl Passphrase {
    /// A person's passphrase: stretched with 2^17 (128 MiB, about half a second).
    pub fn new(text: String) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::Invalid("the passphrase is empty".to_owned()));
        }
        Ok(Self {
            secret: SecretString::from(text),
            log_n: 17,
        })
    }

    /// 256 random bits, for wallets that a program drives: no stretching is needed.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(entropy.bytes());
        Self {
            secret: SecretString::from(URL_SAFE_NO_PAD.encode(*bytes)),
            log_n: 10,
        }
    }

    /// The first line of a file.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::file(path, e))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        file.take(4096)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::file(path, e))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::Invalid(format!("{} is not UTF-8 text", path.display())))?;
        Self::new(text.lines().next().unwrap_or_default().to_owned())
    }
}

/// An open key file. The lock lasts as long as this value.
pub(crate) struct KeyFile {
    path: PathBuf,
    passphrase: Passphrase,
    _lock: File,
}

impl KeyFile {
    /// Writes a new file; refuses to overwrite one.
    pub(crate) fn create(path: &Path, passphrase: Passphrase, contents: &[u8]) -> Result<Self> {
        let lock = lock(path)?;
        let file = Self {
            path: path.to_owned(),
            passphrase,
            _lock: lock,
        };
        write_new(path, &file.seal(contents)?)?;
        Ok(file)
    }

    /// Opens a file and gives what it holds.
    pub(crate) fn open(path: &Path, passphrase: Passphrase) -> Result<(Self, Zeroizing<Vec<u8>>)> {
        let lock = lock(path)?;
        let contents = read_with(path, &passphrase)?;
        Ok((
            Self {
                path: path.to_owned(),
                passphrase,
                _lock: lock,
            },
            contents,
        ))
    }

    /// Replaces the contents. After a crash at any instant the file holds the old or the new ones.
    pub(crate) fn save(&self, contents: &[u8]) -> Result<()> {
        replace(&self.path, &self.seal(contents)?)
    }

    /// Writes `contents` to a new file, under this file's passphrase or another.
    pub(crate) fn write_copy(
        &self,
        path: &Path,
        passphrase: Option<&Passphrase>,
        contents: &[u8],
    ) -> Result<()> {
        let passphrase = passphrase.unwrap_or(&self.passphrase);
        write_new(
            path,
            &seal(passphrase, contents).map_err(|e| Error::file(path, e))?,
        )
    }

    fn seal(&self, contents: &[u8]) -> Result<Vec<u8>> {
        seal(&self.passphrase, contents).map_err(|e| Error::file(&self.path, e))
    }
}

/// Decrypts the file at `path` without taking its lock.
pub(crate) fn read_with(path: &Path, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>> {
    let damaged = |reason| Error::Damaged {
        path: path.to_owned(),
        reason,
    };
    let file = File::open(path).map_err(|e| Error::file(path, e))?;
    let mut sealed = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut sealed)
        .map_err(|e| Error::file(path, e))?;
    if sealed.len() as u64 > MAX_FILE {
        return Err(damaged("it is too long"));
    }
    let decryptor =
        Decryptor::new(sealed.as_slice()).map_err(|_| damaged("its header does not parse"))?;
    if !decryptor.is_scrypt() {
        return Err(damaged("it is not encrypted with a passphrase"));
    }
    let mut identity = scrypt::Identity::new(passphrase.secret.clone());
    identity.set_max_work_factor(MAX_LOG_N);
    let mut reader = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(|e| match e {
            DecryptError::ExcessiveWork { .. } => damaged("it asks for too much work"),
            DecryptError::InvalidHeader
            | DecryptError::InvalidMac
            | DecryptError::UnknownFormat => damaged("its header was changed"),
            _ => Error::WrongPassphrase,
        })?;
    // Plaintext is never longer than ciphertext, so the buffer does not move and leave copies.
    let mut contents = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut contents).map_err(|_| {
        contents.zeroize();
        damaged("it was changed or cut off")
    })?;
    Ok(contents)
}

fn seal(passphrase: &Passphrase, contents: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut recipient = scrypt::Recipient::new(passphrase.secret.clone());
    recipient.set_work_factor(passphrase.log_n);
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        .expect("a single passphrase is a valid set of recipients");
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(contents)?;
    writer.finish()?;
    Ok(sealed)
}

fn lock(path: &Path) -> Result<File> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|e| Error::file(&lock_path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(path.to_owned())),
        Err(TryLockError::Error(e)) => Err(Error::file(&lock_path, e)),
    }
}

pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = write_temporary(path, bytes)?;
    temporary
        .persist(path)
        .map_err(|e| Error::file(path, e.error))?;
    sync_folder(path)
}

/// Writes a file that nobody else may read, and never over another.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = write_temporary(path, bytes)?;
    temporary
        .persist_noclobber(path)
        .map_err(|e| match e.error.kind() {
            std::io::ErrorKind::AlreadyExists => Error::AlreadyThere(path.to_owned()),
            _ => Error::file(path, e.error),
        })?;
    sync_folder(path)
}

fn write_temporary(path: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile> {
    let folder = folder_of(path);
    let failed = |e| Error::file(path, e);
    // Created with mode 0600.
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temporary.write_all(bytes).map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    Ok(temporary)
}

/// Makes the rename itself durable.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(|e| Error::file(folder, e))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use blindprint_core::SystemEntropy;

    use super::*;

    fn cheap(text: &str) -> Passphrase {
        Passphrase {
            secret: SecretString::from(text.to_owned()),
            log_n: 4,
        }
    }

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/wallet.age");
        (folder, path)
    }

    #[test]
    fn contents_survive_and_nobody_else_may_read_the_file() {
        let (_folder, path) = file();
        let created = KeyFile::create(&path, cheap("open sesame"), b"first").unwrap();
        created.save(b"second").unwrap();
        drop(created);
        let (_file, contents) = KeyFile::open(&path, cheap("open sesame")).unwrap();
        assert_eq!(contents.as_slice(), b"second");
        assert!(!fs::read(&path).unwrap().windows(6).any(|w| w == b"second"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_wrong_passphrase_is_told_from_damage() {
        let (_folder, path) = file();
        drop(KeyFile::create(&path, cheap("right"), b"contents of the wallet").unwrap());
        assert!(matches!(
            KeyFile::open(&path, cheap("wrong")),
            Err(Error::WrongPassphrase)
        ));

        let whole = fs::read(&path).unwrap();
        for cut in [0, 1, 20, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(
                matches!(
                    KeyFile::open(&path, cheap("right")),
                    Err(Error::Damaged { .. })
                ),
                "cut at {cut}"
            );
        }
        for flipped in [3, whole.len() - 40, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[flipped] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(
                KeyFile::open(&path, cheap("right")).is_err(),
                "flipped at {flipped}"
            );
        }
        fs::write(&path, [whole.as_slice(), b"x"].concat()).unwrap();
        assert!(matches!(
            KeyFile::open(&path, cheap("right")),
            Err(Error::Damaged { .. })
        ));
    }

    #[test]
    fn a_file_that_asks_for_too_much_work_is_refused() {
        let (_folder, path) = file();
        drop(KeyFile::create(&path, cheap("p"), b"x").unwrap());
        let header =
            String::from_utf8_lossy(&fs::read(&path).unwrap()).replacen(" 4\n", " 30\n", 1);
        fs::write(&path, header.as_bytes()).unwrap();
        assert!(matches!(
            KeyFile::open(&path, cheap("p")),
            Err(Error::Damaged {
                reason: "it asks for too much work",
                ..
            })
        ));
    }

    #[test]
    fn one_process_at_a_time_and_no_overwriting() {
        let (_folder, path) = file();
        let first = KeyFile::create(&path, cheap("p"), b"x").unwrap();
        assert!(matches!(
            KeyFile::open(&path, cheap("p")),
            Err(Error::InUse(_))
        ));
        drop(first);
        assert!(matches!(
            KeyFile::create(&path, cheap("p"), b"y"),
            Err(Error::AlreadyThere(_))
        ));
        assert_eq!(read_with(&path, &cheap("p")).unwrap().as_slice(), b"x");
    }

    #[test]
    fn passphrases_come_from_the_first_line_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        fs::write(&path, "first line\nsecond\n").unwrap();
        let (_f, wallet) = file();
        let sealed = folder.path().join("sealed");
        let file = KeyFile::create(&wallet, cheap("other"), b"y").unwrap();
        file.write_copy(&sealed, Some(&cheap("first line")), b"x")
            .unwrap();
        assert!(matches!(
            file.write_copy(&sealed, None, b"x"),
            Err(Error::AlreadyThere(_))
        ));
        assert!(read_with(&sealed, &Passphrase::read(&path).unwrap()).is_ok());
        fs::write(&path, "\n").unwrap();
        assert!(Passphrase::read(&path).is_err());
        assert!(read_with(&sealed, &Passphrase::random(&SystemEntropy)).is_err());
    }
}
