use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Barrier, thread};

use blindprint_core::{ManualClock, SystemEntropy};
use blindprint_log::{CheckpointNote, LogKey, Tree};
use tempfile::TempDir;

use super::*;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// A log that can be asked for any of its heads.
struct Log {
    key: LogKey,
    tree: Tree,
}

impl Log {
    fn of(size: u32) -> Self {
        let mut log = Self {
            key: LogKey::generate("log.example/log", &SystemEntropy).unwrap(),
            tree: Tree::default(),
        };
        log.grow(size);
        log
    }

    fn grow(&mut self, entries: u32) {
        for _ in 0..entries {
            let entry = self.tree.size().to_string();
            self.tree.append_bytes(entry.as_bytes());
        }
    }

    /// The same log, having gone another way after `size` entries.
    fn fork(&self, size: u64, entries: u32) -> Self {
        let mut fork = Self {
            key: LogKey::from_seed("log.example/log", &self.key.to_seed()).unwrap(),
            tree: Tree::default(),
        };
        fork.grow(u32::try_from(size).unwrap());
        for _ in 0..entries {
            fork.tree.append_bytes(b"another story");
        }
        fork
    }

    fn head(&self, size: u64) -> SignedCheckpoint {
        self.key
            .sign(size, self.tree.root_at(size).unwrap())
            .unwrap()
    }

    fn request(&self, older: u64, newer: u64) -> AddCheckpoint {
        let proof = self.tree.consistency(older, newer).unwrap();
        AddCheckpoint::new(proof, &self.head(newer)).unwrap()
    }
}

struct Place {
    folder: TempDir,
    key: WitnessKey,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            key: WitnessKey::generate("witness.example", &SystemEntropy).unwrap(),
        }
    }

    fn start(&self, log: &Log) -> Witness {
        self.try_start(log, false).unwrap()
    }

    fn try_start(&self, log: &Log, resume: bool) -> Result<Witness, WitnessError> {
        let key = WitnessKey::from_seed("witness.example", &self.key.to_seed()).unwrap();
        Witness::start(
            key,
            vec![log.key.verifier()],
            Folder::claim(self.folder.path())?,
            resume,
            Arc::new(ManualClock::at(NOW)),
        )
    }

    fn files(&self, prefix: &str) -> usize {
        files(self.folder.path(), prefix)
    }
}

fn files(folder: &Path, prefix: &str) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .filter(|file| {
            let name = file.as_ref().unwrap().file_name();
            name.to_str().unwrap().starts_with(prefix)
        })
        .count()
}

#[test]
fn a_growing_log_is_cosigned_again_and_again() {
    let log = Log::of(9);
    let place = Place::new();
    let witness = place.start(&log);
    for (older, newer) in [(0, 0), (0, 1), (1, 1), (1, 5), (5, 8), (8, 9), (9, 9)] {
        let lines = witness.add(log.request(older, newer)).unwrap();
        let cosigned = log
            .head(newer)
            .with_cosignature(&lines, &witness.verifier())
            .unwrap();
        assert_eq!(cosigned.cosigned(&witness.verifier()), Ok(NOW));
    }
}

#[test]
fn whoever_errs_about_the_size_is_told() {
    let log = Log::of(9);
    let place = Place::new();
    let witness = place.start(&log);
    let refused = witness.add(log.request(3, 5));
    assert_eq!(refused.unwrap_err(), Refusal::OtherSize(0));
    witness.add(log.request(0, 7)).unwrap();
    for (older, newer) in [(0, 9), (5, 9), (5, 5)] {
        let refused = witness.add(log.request(older, newer));
        assert_eq!(refused.unwrap_err(), Refusal::OtherSize(7));
    }
    let mut request = log.request(9, 9);
    request.checkpoint = log.head(8).to_string().parse().unwrap();
    assert_eq!(witness.add(request).unwrap_err(), Refusal::Shrunk);
}

#[test]
fn other_logs_and_other_keys_are_refused() {
    let log = Log::of(3);
    let place = Place::new();
    let witness = place.start(&log);
    let impostor = Log::of(3);
    let refused = witness.add(impostor.request(0, 3));
    assert_eq!(refused.unwrap_err(), Refusal::Unsigned);
    let stranger = LogKey::generate("log.example/other", &SystemEntropy).unwrap();
    let head = stranger.sign(3, log.tree.root()).unwrap();
    let proof = log.tree.consistency(0, 3).unwrap();
    let refused = witness.add(AddCheckpoint::new(proof, &head).unwrap());
    assert_eq!(refused.unwrap_err(), Refusal::UnknownLog);
}

#[test]
fn a_log_may_change_its_key_while_both_are_trusted() {
    let log = Log::of(5);
    let newer = Log::of(5);
    let place = Place::new();
    let witness = Witness::start(
        WitnessKey::generate("witness.example", &SystemEntropy).unwrap(),
        vec![log.key.verifier(), newer.key.verifier()],
        Folder::claim(place.folder.path()).unwrap(),
        false,
        Arc::new(ManualClock::at(NOW)),
    )
    .unwrap();
    witness.add(log.request(0, 3)).unwrap();
    witness.add(newer.request(3, 5)).unwrap();
}

#[test]
fn a_fork_is_refused_and_its_proof_is_kept_once() {
    let log = Log::of(6);
    let place = Place::new();
    let witness = place.start(&log);
    witness.add(log.request(0, 6)).unwrap();
    let fork = log.fork(4, 2);
    for _ in 0..2 {
        let refused = witness.add(fork.request(6, 6));
        assert_eq!(refused.unwrap_err(), Refusal::Forked);
    }
    assert_eq!(place.files("fork-"), 1);
    let longer = log.fork(4, 9);
    let refused = witness.add(longer.request(6, 13));
    assert_eq!(refused.unwrap_err(), Refusal::Unproven);
    witness.add(log.request(6, 6)).unwrap();
}

#[test]
fn a_wrong_proof_is_refused() {
    let log = Log::of(9);
    let place = Place::new();
    let witness = place.start(&log);
    let mut proven = log.request(0, 4);
    proven.path.push(TreeHash::EMPTY);
    assert_eq!(witness.add(proven).unwrap_err(), Refusal::Unproven);
    witness.add(log.request(0, 5)).unwrap();
    let right = log.request(5, 9);
    for wrong in 0..right.path.len() {
        let mut request = right.clone();
        request.path[wrong] = TreeHash::EMPTY;
        assert_eq!(witness.add(request).unwrap_err(), Refusal::Unproven);
    }
    let mut empty = right.clone();
    empty.path.clear();
    assert_eq!(witness.add(empty).unwrap_err(), Refusal::Unproven);
    let mut longer = right.clone();
    longer.path.extend([TreeHash::EMPTY; 100]);
    assert_eq!(witness.add(longer).unwrap_err(), Refusal::Unproven);
    witness.add(right).unwrap();
}

#[test]
fn a_restart_remembers_and_a_lost_memory_is_noticed() {
    let log = Log::of(9);
    let place = Place::new();
    assert!(place.try_start(&log, true).is_err(), "nothing to resume");
    let witness = place.start(&log);
    witness.add(log.request(0, 7)).unwrap();
    assert!(
        place.try_start(&log, true).is_err(),
        "one process at a time"
    );
    drop(witness);
    let witness = place.try_start(&log, true).unwrap();
    let refused = witness.add(log.request(0, 9));
    assert_eq!(refused.unwrap_err(), Refusal::OtherSize(7));
    drop(witness);
    let other = Place {
        key: WitnessKey::generate("witness.example", &SystemEntropy).unwrap(),
        ..place
    };
    assert!(other.try_start(&log, false).is_err(), "another's memory");
}

#[test]
fn a_memory_that_cannot_be_read_stops_the_start() {
    let log = Log::of(3);
    let place = Place::new();
    let witness = place.start(&log);
    witness.add(log.request(0, 3)).unwrap();
    drop(witness);
    fs::write(
        place.folder.path().join(file(log.key.verifier().name())),
        "{",
    )
    .unwrap();
    assert!(place.try_start(&log, true).is_err());
}

#[test]
fn what_cannot_be_written_is_not_cosigned() {
    let log = Log::of(3);
    let place = Place::new();
    let witness = place.start(&log);
    witness.add(log.request(0, 1)).unwrap();
    // Not even root may write into a file that is a folder.
    let name = file(log.key.verifier().name()).replace(".json", ".new");
    fs::create_dir(place.folder.path().join(&name)).unwrap();
    let refused = witness.add(log.request(1, 3));
    assert_eq!(refused.unwrap_err(), Refusal::Forgetful);
    fs::remove_dir(place.folder.path().join(&name)).unwrap();
    witness.add(log.request(1, 3)).unwrap();
}

#[test]
fn nobody_else_may_read_the_memory() {
    let log = Log::of(3);
    let place = Place::new();
    let witness = place.start(&log);
    witness.add(log.request(0, 3)).unwrap();
    for file in fs::read_dir(place.folder.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}

#[test]
fn of_two_histories_told_at_once_one_is_cosigned() {
    let log = Log::of(8);
    let fork = log.fork(2, 6);
    let place = Place::new();
    let witness = place.start(&log);
    let barrier = Barrier::new(2);
    let tell = |history: &Log| {
        barrier.wait();
        let mut cosigned: Vec<CheckpointNote> = Vec::new();
        let mut known = 0;
        for size in 3..=8 {
            let request = history.request(known, size);
            let head = request.checkpoint.clone();
            match witness.add(request) {
                Ok(_) => cosigned.push(head),
                Err(Refusal::OtherSize(_) | Refusal::Forked | Refusal::Unproven) => {}
                Err(refusal) => panic!("{refusal:?}"),
            }
            known = size;
        }
        cosigned
    };
    let cosigned = thread::scope(|scope| {
        let told = scope.spawn(|| tell(&log));
        let other = scope.spawn(|| tell(&fork));
        [told.join().unwrap(), other.join().unwrap()]
    });
    // Whoever came first: nothing of the other story was cosigned.
    assert!(cosigned.iter().any(Vec::is_empty));
    assert!(cosigned.iter().any(|notes| notes.len() == 6));
}
