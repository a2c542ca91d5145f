//! What a real enclave's platform would hold: a sealing key and a counter that never goes back.
//! Here both are files, so a host that copies or replaces them defeats them; `docs/threat-model.md`
//! excludes that.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use blindprint_core::{Digest, Entropy};
use blindprint_protocol::policy::Mark;
use secrecy::SecretBox;
use zeroize::Zeroizing;

use crate::{
    EnclaveError, file,
    seal::{SealingKey, genesis},
};

/// Memory beside the processor that remembers the last state and is told of each new one.
pub trait MonotonicCounter: Send {
    /// The last mark.
    fn read(&self) -> Mark;

    /// Remembers `next`, which has a higher count than the last mark. After an error the last one
    /// still holds, or `next` does, but no other.
    fn advance(&mut self, next: Mark) -> io::Result<()>;
}

/// Bytes between the two slots: one sector, so that writing one cannot tear the other.
const SLOT: usize = 512;
const MARK: usize = 8 + 32;

/// [`MonotonicCounter`] in a file of two slots that are written in turn: a torn write leaves the
/// other slot, and no write needs room on the disk.
///
/// Slot: count (8 bytes, big endian), state (32), check digest of both (32).
pub struct NvramFile {
    file: File,
    last: Mark,
    /// Which slot the next mark goes to: not the last one's.
    next: u64,
}

impl NvramFile {
    /// Opens the file, or makes an empty one.
    pub fn open(path: &Path) -> Result<Self, EnclaveError> {
        if let Some(folder) = path.parent() {
            file::make_folder(folder).map_err(EnclaveError::io(folder))?;
        }
        let (file, slots, blank) = Self::read_file(path).map_err(EnclaveError::io(path))?;
        let (last, next) = match slots {
            [Some(left), Some(right)] if left.count < right.count => (right, 0),
            [Some(mark), _] => (mark, 1),
            [None, Some(mark)] => (mark, 0),
            [None, None] if blank => (genesis(), 1),
            [None, None] => return Err(EnclaveError::Counter(path.to_owned())),
        };
        Ok(Self { file, last, next })
    }

    /// The file at its full length, its slots, and whether no mark was ever written.
    fn read_file(path: &Path) -> io::Result<(File, [Option<Mark>; 2], bool)> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        if file.metadata()?.len() == 0 {
            file.set_len(2 * SLOT as u64)?;
            file.sync_all()?;
        }
        let mut bytes = [0; 2 * SLOT];
        file.read_exact_at(&mut bytes, 0)?;
        let (left, right) = bytes.split_at(SLOT);
        let blank = bytes.iter().all(|byte| *byte == 0);
        Ok((file, [decode(left), decode(right)], blank))
    }
}

fn check(mark: &[u8]) -> Digest {
    Digest::of("blindprint/nvram/v1", mark)
}

fn encode(mark: Mark) -> Vec<u8> {
    let mut bytes = mark.count.to_be_bytes().to_vec();
    bytes.extend(mark.state.as_bytes());
    bytes.extend(check(&bytes).as_bytes());
    bytes
}

fn decode(slot: &[u8]) -> Option<Mark> {
    let (mark, rest) = slot.split_at_checked(MARK)?;
    let (sum, _) = rest.split_first_chunk()?;
    let (count, state) = mark.split_first_chunk()?;
    (check(mark) == Digest::from_bytes(*sum)).then_some(Mark {
        count: u64::from_be_bytes(*count),
        state: Digest::from_bytes(state.try_into().ok()?),
    })
}

impl MonotonicCounter for NvramFile {
    fn read(&self) -> Mark {
        self.last
    }

    fn advance(&mut self, next: Mark) -> io::Result<()> {
        if next.count <= self.last.count {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "marks count upwards",
            ));
        }
        self.file
            .write_all_at(&encode(next), self.next * SLOT as u64)?;
        self.file.sync_data()?;
        self.last = next;
        self.next = 1 - self.next;
        Ok(())
    }
}

/// The sealing key in `folder`, made there first if need be.
pub fn sealing_key(folder: &Path, entropy: &dyn Entropy) -> Result<SealingKey, EnclaveError> {
    let path: PathBuf = folder.join("sealing-key");
    file::make_folder(folder).map_err(EnclaveError::io(folder))?;
    let stored = file::read(&path).map_err(EnclaveError::io(&path))?;
    let bytes = if let Some(bytes) = stored {
        Zeroizing::new(bytes)
    } else {
        let mut fresh = Zeroizing::new(vec![0; 32]);
        entropy.fill(&mut fresh);
        file::replace(&path, &[fresh.as_slice()]).map_err(EnclaveError::io(&path))?;
        fresh
    };
    let mut key = SecretBox::new(Box::new([0; 32]));
    {
        use secrecy::ExposeSecretMut as _;
        if bytes.len() != 32 {
            let source = io::Error::new(io::ErrorKind::InvalidData, "a sealing key has 32 bytes");
            return Err(EnclaveError::Io { path, source });
        }
        key.expose_secret_mut().copy_from_slice(&bytes);
    }
    Ok(SealingKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(count: u64) -> Mark {
        Mark {
            count,
            state: Digest::of("test", &count.to_be_bytes()),
        }
    }

    #[test]
    fn a_torn_write_leaves_the_mark_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nvram");
        let mut nvram = NvramFile::open(&path).unwrap();
        assert_eq!(nvram.read(), genesis());
        for count in 1..=4 {
            nvram.advance(mark(count)).unwrap();
        }
        assert!(nvram.advance(mark(4)).is_err() && nvram.advance(mark(3)).is_err());
        drop(nvram);
        assert_eq!(NvramFile::open(&path).unwrap().read(), mark(4));

        // 5 goes where 3 was.
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&encode(mark(5))[..20], SLOT as u64)
            .unwrap();
        assert_eq!(NvramFile::open(&path).unwrap().read(), mark(4));
        file.write_all_at(&[7; 8], 0).unwrap();
        assert!(matches!(
            NvramFile::open(&path),
            Err(EnclaveError::Counter(_))
        ));
    }

    #[test]
    fn a_counter_that_was_never_advanced_starts_at_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nvram");
        for _ in 0..2 {
            assert_eq!(NvramFile::open(&path).unwrap().read(), genesis());
        }
    }
}
