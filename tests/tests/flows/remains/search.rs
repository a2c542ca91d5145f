use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
};

/// Every window of this many bytes is looked for.
const WINDOW: usize = 32;
/// A window holds one such block of what it is from, at a multiple of its length.
const BLOCK: usize = WINDOW / 2;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 24;

/// Secrets to look for: each window of 32 bytes of each.
pub struct Needles {
    secrets: Vec<Vec<u8>>,
    blocks: HashSet<[u8; BLOCK]>,
    /// One bit for the first three bytes of each block, because most places begin with others.
    beginnings: Vec<bool>,
}

impl Needles {
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Self {
        let secrets: Vec<Vec<u8>> = secrets.into_iter().map(<[u8]>::to_vec).collect();
        let mut blocks = HashSet::new();
        let mut beginnings = vec![false; 1 << 24];
        for secret in &secrets {
            assert!(secret.len() >= WINDOW, "too short to be searched");
            for block in secret.chunks_exact(BLOCK) {
                // What is found by chance is no finding.
                let different: HashSet<&u8> = block.iter().collect();
                assert!(different.len() > 4, "{block:?} is not random");
                beginnings[beginning(block)] = true;
                blocks.insert(block.try_into().unwrap());
            }
        }
        Self {
            secrets,
            blocks,
            beginnings,
        }
    }

    pub fn found_in(&self, bytes: &[u8]) -> bool {
        bytes.windows(BLOCK).enumerate().any(|(at, block)| {
            self.beginnings[beginning(block)]
                && self.blocks.contains(block)
                && self.is_window_around(bytes, at)
        })
    }

    /// Whether a whole window lies around the block at `at`.
    fn is_window_around(&self, bytes: &[u8], at: usize) -> bool {
        let first = at.saturating_sub(BLOCK);
        let last = (at + WINDOW).min(bytes.len());
        bytes[first..last].windows(WINDOW).any(|window| {
            let holds = |secret: &Vec<u8>| secret.windows(WINDOW).any(|own| own == window);
            self.secrets.iter().any(holds)
        })
    }

    /// That no file below a folder holds any of it.
    pub fn nowhere_below(&self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                self.nowhere_below(&path);
            } else if kind.is_file() {
                let found = self.found_in(&fs::read(&path).unwrap());
                assert!(!found, "{} holds a secret", path.display());
            }
        }
    }

    /// Whether a process has any of it in the memory that it can write to.
    pub fn found_in_memory(&self, process: i32) -> bool {
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        let memory = File::open(format!("/proc/{process}/mem"))
            .expect("reading another process's memory takes root");
        let ranges = maps.lines().filter_map(writable);
        let mut found = false;
        let mut read = 0;
        for (start, end) in ranges {
            let mut at = start;
            while at < end {
                let length = CHUNK.min(usize::try_from(end - at).unwrap());
                let mut chunk = vec![0; length];
                match memory.read_exact_at(&mut chunk, at) {
                    Ok(()) => read += length,
                    // Guard pages, and what was unmapped meanwhile.
                    Err(error) if error.kind() != io::ErrorKind::PermissionDenied => break,
                    Err(error) => panic!("{error}"),
                }
                found |= self.found_in(&chunk);
                if length < CHUNK {
                    break;
                }
                // Windows across two chunks count too.
                at += u64::try_from(CHUNK - WINDOW).unwrap();
            }
        }
        assert!(
            read > 1 << 20,
            "hardly any memory could be read: {read} bytes"
        );
        found
    }
}

fn beginning(block: &[u8]) -> usize {
    usize::from(block[0]) << 16 | usize::from(block[1]) << 8 | usize::from(block[2])
}

/// The range of a line of `/proc/PID/maps`, if it can be written to.
fn writable(line: &str) -> Option<(u64, u64)> {
    let mut parts = line.split_whitespace();
    let (range, access) = (parts.next()?, parts.next()?);
    let (start, end) = range.split_once('-')?;
    let parse = |text| u64::from_str_radix(text, 16).ok();
    let special = line.ends_with("[vvar]") || line.ends_with("[vsyscall]");
    (access.starts_with("rw") && !special).then_some((parse(start)?, parse(end)?))
}
