use std::collections::BTreeMap;

use blindprint_core::{SubjectId, UnixTime};

use super::subject::Subject;

/// Most subjects that the enclave knows at once.
pub const MAX_SUBJECTS: usize = 100_000;
/// Most of them who never enrolled: so few that their nonces alone do not fill the table.
pub const MAX_NEWCOMERS: usize = 8_000;
/// Most bytes that one subject's record takes, encoded.
const MAX_RECORD: usize = 1 << 20;
/// First bytes of an encoded registry.
const FORMAT: &[u8; 8] = b"bpreg/2\n";

/// All that must outlive the process: what is known of every subject, the highest time ever seen,
/// and how many evaluations were false. It is of no use without the secret keys that it was made
/// with, so what it counts it counts for them. What the enclave seals is [`Registry::encode`]d.
///
/// Each record is kept beside its encoding, so that writing the whole after one change encodes
/// one record.
#[derive(Debug)]
pub struct Registry {
    pub(super) seen: UnixTime,
    /// False evaluations ever found.
    pub(super) incidents: u32,
    subjects: BTreeMap<SubjectId, Entry>,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    record: Subject,
    encoded: Vec<u8>,
}

/// A registry that does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the registry does not decode")]
pub struct MalformedRegistry;

impl Entry {
    fn new(subject: &SubjectId, record: Subject) -> Self {
        let mut encoded = Vec::new();
        ciborium::into_writer(&(subject, &record), &mut encoded)
            .expect("writing maps with text keys to memory cannot fail");
        Self { record, encoded }
    }
}

/// What changes next.
#[derive(Debug)]
pub(super) struct Write {
    seen: UnixTime,
    incident: bool,
    record: Option<(SubjectId, Entry)>,
    forgotten: Vec<SubjectId>,
}

impl Write {
    /// One subject's next record.
    pub(super) fn of(subject: SubjectId, record: Subject, seen: UnixTime) -> Self {
        let entry = Entry::new(&subject, record);
        Self {
            record: Some((subject, entry)),
            ..Self::nothing(seen)
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
            record: None,
            forgotten: Vec::new(),
        }
    }

    pub(super) fn forgetting(self, forgotten: Vec<SubjectId>) -> Self {
        Self { forgotten, ..self }
    }

    pub(super) fn forgotten(&self) -> &[SubjectId] {
        &self.forgotten
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            seen: UnixTime(i64::MIN),
            incidents: 0,
            subjects: BTreeMap::new(),
        }
    }
}

impl Registry {
    pub(super) fn subject(&self, id: &SubjectId) -> Option<&Subject> {
        self.subjects.get(id).map(|entry| &entry.record)
    }

    /// Those who never enrolled.
    pub(super) fn newcomers(&self) -> impl Iterator<Item = (&SubjectId, &Subject)> {
        let subjects = self.subjects.iter();
        let records = subjects.map(|(id, entry)| (id, &entry.record));
        records.filter(|(_, subject)| subject.is_newcomer())
    }

    /// How many subjects are known.
    pub fn len(&self) -> usize {
        self.subjects.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    pub(super) fn apply(&mut self, write: Write) {
        self.seen = self.seen.max(write.seen);
        self.incidents += u32::from(write.incident);
        for subject in write.forgotten {
            self.subjects.remove(&subject);
        }
        self.subjects.extend(write.record);
    }

    /// The bytes to seal.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_with(&Write::nothing(self.seen))
    }

    /// The bytes to seal if `write` were applied: format, time (8 bytes), incidents (4), number of
    /// records (4), then each record in CBOR behind its length (4), in the order of the subjects;
    /// integers big endian.
    pub(super) fn encode_with(&self, write: &Write) -> Vec<u8> {
        let mut entries: BTreeMap<_, _> = self.subjects.iter().collect();
        for subject in &write.forgotten {
            entries.remove(subject);
        }
        entries.extend(write.record.iter().map(|(id, entry)| (id, entry)));
        let size: usize = self
            .subjects
            .values()
            .map(|entry| 4 + entry.encoded.len())
            .sum();
        let mut bytes = Vec::with_capacity(size + 4096);
        bytes.extend(FORMAT);
        bytes.extend(self.seen.max(write.seen).0.to_be_bytes());
        bytes.extend((self.incidents + u32::from(write.incident)).to_be_bytes());
        bytes.extend(length(entries.len()));
        for entry in entries.into_values() {
            bytes.extend(length(entry.encoded.len()));
            bytes.extend(&entry.encoded);
        }
        bytes
    }

    /// The registry that was encoded. Takes exactly what [`Registry::encode`] makes.
    pub fn decode(bytes: &[u8]) -> Result<Self, MalformedRegistry> {
        let rest = bytes.strip_prefix(FORMAT).ok_or(MalformedRegistry)?;
        let (seen, rest) = rest.split_first_chunk().ok_or(MalformedRegistry)?;
        let (incidents, rest) = rest.split_first_chunk().ok_or(MalformedRegistry)?;
        let (count, mut rest) = split_length(rest, MAX_SUBJECTS)?;
        let mut registry = Self {
            seen: UnixTime(i64::from_be_bytes(*seen)),
            incidents: u32::from_be_bytes(*incidents),
            subjects: BTreeMap::new(),
        };
        for _ in 0..count {
            let (size, tail) = split_length(rest, MAX_RECORD)?;
            let (encoded, tail) = tail.split_at_checked(size).ok_or(MalformedRegistry)?;
            rest = tail;
            let (subject, record): (SubjectId, Subject) =
                ciborium::from_reader(encoded).map_err(|_| MalformedRegistry)?;
            if registry
                .subjects
                .last_key_value()
                .is_some_and(|(last, _)| *last >= subject)
            {
                return Err(MalformedRegistry);
            }
            let entry = Entry::new(&subject, record);
            if entry.encoded != encoded {
                return Err(MalformedRegistry);
            }
            registry.subjects.insert(subject, entry);
        }
        if rest.is_empty() {
            Ok(registry)
        } else {
            Err(MalformedRegistry)
        }
    }
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length)
        .expect("records and their number are bounded far below 4 GiB")
        .to_be_bytes()
}

fn split_length(bytes: &[u8], limit: usize) -> Result<(usize, &[u8]), MalformedRegistry> {
    let (length, rest) = bytes.split_first_chunk().ok_or(MalformedRegistry)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| MalformedRegistry)?;
    if length > limit {
        Err(MalformedRegistry)
    } else {
        Ok((length, rest))
    }
}
