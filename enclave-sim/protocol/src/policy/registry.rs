use std::collections::{BTreeMap, HashSet};

use blindprint_core::{Digest, Entropy, Nonce, SubjectId, UnixTime};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{erasure::Tombstone, freshness::LogMemory, subject::Subject};
use crate::cbor;

/// Most subjects that the enclave knows at once.
pub const MAX_SUBJECTS: usize = 100_000;
/// Most of them who never enrolled: so few that their nonces alone do not fill the table.
pub const MAX_NEWCOMERS: usize = 8_000;
/// Most subjects of whom the enclave remembers that it forgot them.
const MAX_TOMBSTONES: usize = 100_000;
/// Most bytes that one record takes, encoded.
const MAX_RECORD: usize = 1 << 20;
/// First bytes of an encoded registry, of any version.
const NAME: &[u8; 6] = b"bpreg/";
/// What follows in this version.
const VERSION: &[u8; 2] = b"4\n";
/// Bytes before the records: name, version, time, incidents, tombstone key.
const HEADER: usize = 6 + 2 + 8 + 4 + 32;

/// All that must outlive the process: what is known of every subject, the highest time ever seen,
/// how many evaluations were false, what was read of the transparency log, and a little of those who
/// were just forgotten. It is of no use
/// without the secret keys that it was made with, so what it counts it counts for them. What the
/// enclave seals is [`Registry::encode`]d.
///
/// Each record is kept beside its encoding, so that writing the whole after one change encodes
/// one record. Encodings hold data keys: each is as long from the beginning as it will be, and
/// wiped when dropped.
#[derive(Debug)]
pub struct Registry {
    pub(super) seen: UnixTime,
    /// False evaluations ever found.
    pub(super) incidents: u32,
    /// What was read of the transparency log.
    pub(super) log: LogMemory,
    /// Makes the names of tombstones, so that they say nothing about whose they are.
    tombstone_key: Nonce,
    tombstones: BTreeMap<Digest, Entry<Tombstone>>,
    subjects: BTreeMap<SubjectId, Entry<Subject>>,
}

struct Entry<R> {
    record: R,
    encoded: Zeroizing<Vec<u8>>,
}

/// Why a registry is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Another version of this program wrote it. Nothing is converted: begin with an empty folder,
    /// or go back to that version.
    #[error("another version of this program wrote the registry, and this one does not convert it")]
    Version,
    /// It is damaged, or none.
    #[error("the registry does not decode")]
    Malformed,
}

impl<R: Serialize> Entry<R> {
    fn new<K: Serialize>(key: &K, record: R) -> Self {
        let encoded = cbor::encode(&[], &(key, &record))
            .expect("writing maps with text keys to memory cannot fail");
        Self { record, encoded }
    }
}

impl<R> std::fmt::Debug for Entry<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({} bytes)", self.encoded.len())
    }
}

/// What changes next.
#[derive(Debug)]
pub(super) struct Write {
    seen: UnixTime,
    incident: bool,
    records: Vec<(SubjectId, Entry<Subject>)>,
    forgotten: Vec<SubjectId>,
    tombstones: Vec<(Digest, Entry<Tombstone>)>,
    /// Older tombstones, in whose place these come.
    displaced: Vec<Digest>,
    log: Option<LogMemory>,
}

impl Write {
    /// One subject's next record.
    pub(super) fn of(subject: SubjectId, record: Subject, seen: UnixTime) -> Self {
        Self::nothing(seen).and(subject, record)
    }

    /// Another subject's next record too.
    pub(super) fn and(mut self, subject: SubjectId, record: Subject) -> Self {
        let entry = Entry::new(&subject, record);
        self.records.push((subject, entry));
        self
    }

    /// What is remembered of the log from now on.
    pub(super) fn remembering(self, log: LogMemory) -> Self {
        Self {
            log: Some(log),
            ..self
        }
    }

    /// One more false evaluation.
    pub(super) fn incident(seen: UnixTime) -> Self {
        Self {
            incident: true,
            ..Self::nothing(seen)
        }
    }

    /// Nothing but the time. As long as an incident's.
    pub(super) const fn nothing(seen: UnixTime) -> Self {
        Self {
            seen,
            incident: false,
            records: Vec::new(),
            forgotten: Vec::new(),
            tombstones: Vec::new(),
            displaced: Vec::new(),
            log: None,
        }
    }

    pub(super) fn forgetting(self, forgotten: Vec<SubjectId>) -> Self {
        Self { forgotten, ..self }
    }

    pub(super) fn forgotten(&self) -> &[SubjectId] {
        &self.forgotten
    }
}

impl Registry {
    /// A registry of nobody.
    pub fn empty(entropy: &dyn Entropy) -> Self {
        Self {
            seen: UnixTime(i64::MIN),
            incidents: 0,
            log: LogMemory::default(),
            tombstone_key: Nonce::random(entropy),
            tombstones: BTreeMap::new(),
            subjects: BTreeMap::new(),
        }
    }

    pub(super) fn subject(&self, id: &SubjectId) -> Option<&Subject> {
        self.subjects.get(id).map(|entry| &entry.record)
    }

    /// Everybody who is known.
    pub(super) fn subjects(&self) -> impl Iterator<Item = (&SubjectId, &Subject)> {
        self.subjects.iter().map(|(id, entry)| (id, &entry.record))
    }

    /// Every name that a tombstone of the log could end something by.
    pub(super) fn handles(&self) -> HashSet<Nonce> {
        self.subjects()
            .flat_map(|(_, subject)| subject.handles())
            .collect()
    }

    /// Those who never enrolled.
    pub(super) fn newcomers(&self) -> impl Iterator<Item = (&SubjectId, &Subject)> {
        self.subjects().filter(|(_, subject)| subject.is_newcomer())
    }

    /// How many subjects are known.
    pub fn len(&self) -> usize {
        self.subjects.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// What a tombstone says about `text` without saying it.
    pub(super) fn blind(&self, text: &str) -> Digest {
        Digest::of_parts(
            "blindprint/tombstone/v1",
            &[self.tombstone_key.as_bytes(), text.as_bytes()],
        )
    }

    /// What is left of a subject who was forgotten lately.
    pub(super) fn tombstone(&self, subject: &SubjectId, now: UnixTime) -> Option<&Tombstone> {
        let entry = self.tombstones.get(&self.blind(subject.as_str()))?;
        Some(&entry.record).filter(|tombstone| tombstone.stands(now))
    }

    /// With `write`, a subject goes too, and this stays for a while.
    pub(super) fn burying(
        &self,
        mut write: Write,
        subject: SubjectId,
        tombstone: Tombstone,
    ) -> Write {
        let name = self.blind(subject.as_str());
        let count = self.tombstones.len() + write.tombstones.len() - write.displaced.len();
        if count >= MAX_TOMBSTONES {
            let staying = self.tombstones.iter();
            let staying = staying.filter(|(name, _)| !write.displaced.contains(name));
            let oldest = staying.min_by_key(|(_, entry)| entry.record.at);
            write.displaced.extend(oldest.map(|(name, _)| *name));
        }
        write.forgotten.push(subject);
        write.tombstones.push((name, Entry::new(&name, tombstone)));
        write
    }

    pub(super) fn apply(&mut self, write: Write) {
        self.seen = self.seen.max(write.seen);
        self.incidents += u32::from(write.incident);
        for subject in write.forgotten {
            self.subjects.remove(&subject);
        }
        self.subjects.extend(write.records);
        for displaced in write.displaced {
            self.tombstones.remove(&displaced);
        }
        self.tombstones.extend(write.tombstones);
        if let Some(log) = write.log {
            self.log = log;
        }
        let seen = self.seen;
        self.tombstones.retain(|_, entry| entry.record.stands(seen));
    }

    /// The bytes to seal.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        self.encode_with(&Write::nothing(self.seen))
    }

    /// The bytes to seal if `write` were applied: name and version (8 bytes), time (8), incidents (4),
    /// tombstone key (32); what was read of the log, in CBOR behind its length (4); then number of
    /// tombstones (4) and each in CBOR behind its length (4), in the order of their names; then the
    /// same for the subjects. Integers are big endian.
    pub(super) fn encode_with(&self, write: &Write) -> Zeroizing<Vec<u8>> {
        let seen = self.seen.max(write.seen);
        let mut tombstones: BTreeMap<_, _> = self.tombstones.iter().collect();
        for displaced in &write.displaced {
            tombstones.remove(displaced);
        }
        tombstones.extend(write.tombstones.iter().map(|(name, entry)| (name, entry)));
        tombstones.retain(|_, entry| entry.record.stands(seen));
        let mut subjects: BTreeMap<_, _> = self.subjects.iter().collect();
        for subject in &write.forgotten {
            subjects.remove(subject);
        }
        subjects.extend(write.records.iter().map(|(id, entry)| (id, entry)));
        let log = cbor::encode(&[], write.log.as_ref().unwrap_or(&self.log))
            .expect("writing maps with text keys to memory cannot fail");
        let sections: [Vec<&[u8]>; 2] = [
            tombstones.values().map(|entry| &**entry.encoded).collect(),
            subjects.values().map(|entry| &**entry.encoded).collect(),
        ];
        let records = sections.iter().flatten();
        let size: usize = records.map(|encoded| 4 + encoded.len()).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + 4 + log.len() + 8 + size));
        bytes.extend(NAME);
        bytes.extend(VERSION);
        bytes.extend(seen.0.to_be_bytes());
        bytes.extend((self.incidents + u32::from(write.incident)).to_be_bytes());
        bytes.extend(self.tombstone_key.as_bytes());
        bytes.extend(length(log.len()));
        bytes.extend(&*log);
        for section in sections {
            bytes.extend(length(section.len()));
            for encoded in section {
                bytes.extend(length(encoded.len()));
                bytes.extend(encoded);
            }
        }
        bytes
    }

    /// The registry that was encoded. Takes exactly what [`Registry::encode`] makes.
    pub fn decode(bytes: &[u8]) -> Result<Self, RegistryError> {
        let rest = bytes.strip_prefix(NAME).ok_or(RegistryError::Malformed)?;
        let rest = rest.strip_prefix(VERSION).ok_or(RegistryError::Version)?;
        let (seen, rest) = split(rest)?;
        let (incidents, rest) = split(rest)?;
        let (tombstone_key, rest) = split(rest)?;
        let seen = UnixTime(i64::from_be_bytes(*seen));
        let (log_size, rest) = split_length(rest, MAX_RECORD)?;
        let (log, rest) = rest
            .split_at_checked(log_size)
            .ok_or(RegistryError::Malformed)?;
        let log = cbor::decode(log).ok_or(RegistryError::Malformed)?;
        let (tombstones, rest) = split_records::<_, Tombstone>(rest, MAX_TOMBSTONES)?;
        let (subjects, rest) = split_records(rest, MAX_SUBJECTS)?;
        let standing = tombstones.values().all(|entry| entry.record.stands(seen));
        if !rest.is_empty() || !standing {
            return Err(RegistryError::Malformed);
        }
        Ok(Self {
            seen,
            incidents: u32::from_be_bytes(*incidents),
            log,
            tombstone_key: Nonce::from_bytes(*tombstone_key),
            tombstones,
            subjects,
        })
    }
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length)
        .expect("records and their number are bounded far below 4 GiB")
        .to_be_bytes()
}

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), RegistryError> {
    bytes.split_first_chunk().ok_or(RegistryError::Malformed)
}

fn split_length(bytes: &[u8], limit: usize) -> Result<(usize, &[u8]), RegistryError> {
    let (length, rest) = split(bytes)?;
    let length = usize::try_from(u32::from_be_bytes(*length));
    let length = length.map_err(|_| RegistryError::Malformed)?;
    if length > limit {
        Err(RegistryError::Malformed)
    } else {
        Ok((length, rest))
    }
}

type Records<K, R> = BTreeMap<K, Entry<R>>;

/// At most `most` records, in the order of their keys, and what follows.
fn split_records<K, R>(bytes: &[u8], most: usize) -> Result<(Records<K, R>, &[u8]), RegistryError>
where
    K: Serialize + DeserializeOwned + Ord,
    R: Serialize + DeserializeOwned,
{
    let (count, mut rest) = split_length(bytes, most)?;
    let mut records = Records::new();
    for _ in 0..count {
        let (size, tail) = split_length(rest, MAX_RECORD)?;
        let (encoded, tail) = tail
            .split_at_checked(size)
            .ok_or(RegistryError::Malformed)?;
        rest = tail;
        let (key, record): (K, R) = cbor::decode(encoded).ok_or(RegistryError::Malformed)?;
        let in_order = records.last_key_value().is_none_or(|(last, _)| *last < key);
        if !in_order {
            return Err(RegistryError::Malformed);
        }
        let entry = Entry::new(&key, record);
        records.insert(key, entry);
    }
    Ok((records, rest))
}
