//! What keeps a host from showing the enclave an older state: the transparency log.
//!
//! The enclave draws a mark, seals that it did, and serves only after it has found the mark in the
//! log under a checkpoint that the witness cosigned. The witness cosigns one history only, so whatever
//! stands in the log before the mark is all that stood there when it was drawn: every tombstone among
//! it is applied, however old the state is. A mark by the same keys that this state did not draw was
//! drawn by another state, later than this one or beside it: then this one never serves again.

use std::collections::{BTreeMap, HashSet, VecDeque};

use blindprint_core::{Digest, Jws, KeyUri, Nonce, UnixTime, statement::StateMark};
use blindprint_log::{
    CheckpointNote, Entry, Frontier, Kind, LogVerifier, SignedCheckpoint, TreeHash, WitnessVerifier,
};
use serde::{Deserialize, Serialize};

use super::{Change, Policy, registry::Write, signed, subject::Cause, subject::Subject};
use crate::message::{LogSeen, Refusal};

/// Marks that a state remembers. One that is found in the log after so many others were drawn counts
/// as another state's.
const MAX_MARKS: usize = 64;

/// Which log the enclave reads, and how closely it follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogTerms {
    /// Who signs its checkpoints.
    pub log: LogVerifier,
    /// Who must have cosigned them. Without a witness the log is read to restore a state, not to serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<WitnessVerifier>,
    /// Seconds for which the enclave serves after it has drawn a mark that it then finds in the log.
    pub period: u32,
}

impl LogTerms {
    /// What stands for these terms in the attestation: over both keys' text forms, the witness's empty
    /// if there is none, and the period in decimal, each ending in a newline.
    pub fn digest(&self) -> Digest {
        let witness = self.witness.as_ref().map(ToString::to_string);
        let text = format!(
            "{}\n{}\n{}\n",
            self.log,
            witness.unwrap_or_default(),
            self.period
        );
        Digest::of("blindprint/log-terms/v1", text.as_bytes())
    }
}

/// What a state remembers of the log. Sealed with the registry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogMemory {
    /// Digest of the log's key.
    log: Option<Digest>,
    /// The tree of all entries that were read and acted on.
    frontier: Frontier,
    /// The latest marks that this state and those before it drew, the oldest first.
    marks: VecDeque<Nonce>,
    /// Whether the state was older than the hardware's counter, and has not been replayed up to a mark
    /// of its own since.
    restoring: bool,
}

/// What one boot knows of the log.
#[derive(Debug)]
pub(super) struct Freshness {
    /// Marks of this boot, the oldest first.
    drawn: VecDeque<StateMark>,
    /// Until when the enclave serves.
    until: Option<UnixTime>,
    reading: Option<Reading>,
    /// Whether another state of the same enclave has shown itself.
    rolled_back: bool,
}

impl Freshness {
    pub(super) const fn unknown() -> Self {
        Self {
            drawn: VecDeque::new(),
            until: None,
            reading: None,
            rolled_back: false,
        }
    }

    /// Takes over what was read, now that it is durable.
    pub(super) fn learn(&mut self, learnt: Learnt) {
        match learnt {
            Learnt::Drawn(mark) => {
                if self.drawn.len() >= MAX_MARKS {
                    self.drawn.pop_front();
                }
                self.drawn.push_back(mark);
            }
            Learnt::Until(until) => self.until = self.until.max(until),
        }
    }
}

/// What a change adds to [`Freshness`].
pub(super) enum Learnt {
    Drawn(StateMark),
    Until(Option<UnixTime>),
}

/// A log that is being shown, part by part.
#[derive(Debug)]
struct Reading {
    note: String,
    head: SignedCheckpoint,
    frontier: Frontier,
    /// Everything that a tombstone could end here.
    known: HashSet<Nonce>,
    ends: BTreeMap<Nonce, Kind>,
    /// When the latest mark of this boot that was found had been drawn.
    found: Option<UnixTime>,
    /// The highest count in a mark that this state does not know.
    foreign: Option<u64>,
}

/// A part of the log, as the host shows it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The signed and cosigned checkpoint that the whole leads to.
    pub checkpoint: &'a str,
    /// Index of the first entry.
    pub first: u64,
    /// Encoded entries, one after another.
    pub entries: &'a [serde_bytes::ByteBuf],
    /// Whether they end at the checkpoint.
    pub last: bool,
}

/// A mark, and where to go on with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// To be appended to the log.
    pub mark: StateMark,
    /// How many entries of the log need not be shown.
    pub log_size: u64,
}

impl Policy {
    /// Begins with a state that is not the last one: nothing is served, and nothing more than ended,
    /// before the log was replayed.
    #[must_use]
    pub fn restoring(mut self) -> Self {
        self.registry.log.restoring = true;
        self
    }

    /// What the enclave has seen of the log; `None` if it reads none.
    pub fn seen_of_log(&self) -> Option<LogSeen> {
        self.terms.log.as_ref().map(|terms| LogSeen {
            log_size: self.log_memory(terms).frontier.size(),
            fresh_until: self.freshness.until,
            restoring: self.registry.log.restoring,
            rolled_back: self.freshness.rolled_back,
        })
    }

    /// Draws a mark for the log, which is `count`th of the states when it is sealed. Asked again
    /// within a quarter of the period, it gives the same one.
    pub fn mark(
        &mut self,
        boot: Nonce,
        nonce: Nonce,
        count: u64,
        host: UnixTime,
    ) -> Result<Change<'_, Marked>, Refusal> {
        let now = self.observe(host);
        self.standing()?;
        let terms = self.terms.log.as_ref().ok_or(Refusal::Unknown)?;
        let mut memory = self.log_memory(terms);
        let log_size = memory.frontier.size();
        let recent = i64::from(terms.period / 4);
        if let Some(mark) = self.freshness.drawn.back()
            && now.since(mark.iat) < recent
            && self
                .freshness
                .until
                .is_none_or(|until| until < mark.iat.plus(i64::from(terms.period)))
        {
            let mark = mark.clone();
            return Ok(Change::nothing(self, Marked { mark, log_size }));
        }
        let mark = StateMark {
            iss: self.terms.service.clone(),
            boot,
            nonce,
            count,
            iat: now,
        };
        while memory.marks.len() >= MAX_MARKS {
            memory.marks.pop_front();
        }
        memory.marks.push_back(nonce);
        let answer = Marked {
            mark: mark.clone(),
            log_size,
        };
        let write = Write::nothing(now).remembering(memory);
        Ok(Change::writing(self, write, answer).learning(Learnt::Drawn(mark)))
    }

    /// Reads a part of the log: the next one of the log that is being shown, or the first, from
    /// [`Marked::log_size`] on. With the last part, if its entries are those under the checkpoint, all
    /// that they end has ended, and the enclave serves until a period after it drew the mark of this
    /// boot that it found.
    ///
    /// `own` is the key that signs the enclave's marks. [`Refusal::RolledBack`], now and for ever, if
    /// the log has a mark by it that this state does not know, unless the state is being restored.
    pub fn show_log(
        &mut self,
        shown: Shown<'_>,
        own: &KeyUri,
        host: UnixTime,
    ) -> Result<Change<'_, LogSeen>, Refusal> {
        let now = self.observe(host);
        self.standing()?;
        // What goes wrong on the way begins anew.
        let mut reading = match self.freshness.reading.take() {
            Some(reading)
                if reading.note == shown.checkpoint && reading.frontier.size() == shown.first =>
            {
                reading
            }
            _ => self.begin_reading(shown)?,
        };
        self.read(&mut reading, shown.entries, own)?;
        if !shown.last {
            let seen = LogSeen {
                log_size: reading.frontier.size(),
                fresh_until: self.freshness.until,
                restoring: self.registry.log.restoring,
                rolled_back: false,
            };
            self.freshness.reading = Some(reading);
            return Ok(Change::nothing(self, seen));
        }
        self.finish_reading(reading, now)
    }

    /// That no other state of the same enclave has shown itself.
    pub(super) const fn standing(&self) -> Result<(), Refusal> {
        if self.freshness.rolled_back {
            Err(Refusal::RolledBack)
        } else {
            Ok(())
        }
    }

    /// That the enclave may do more than end what there is.
    pub(super) fn fresh(&self, now: UnixTime) -> Result<(), Refusal> {
        self.standing()?;
        let witnessed = match &self.terms.log {
            Some(LogTerms {
                witness: Some(_), ..
            }) => self.freshness.until.is_some_and(|until| now < until),
            _ => true,
        };
        if witnessed && !self.registry.log.restoring {
            Ok(())
        } else {
            Err(Refusal::Unwitnessed)
        }
    }

    /// What is remembered of this log: nothing if it was another before.
    fn log_memory(&self, terms: &LogTerms) -> LogMemory {
        let log = Some(Digest::of(
            "blindprint/log-key/v1",
            terms.log.to_string().as_bytes(),
        ));
        let memory = &self.registry.log;
        if memory.log == log {
            memory.clone()
        } else {
            LogMemory {
                log,
                restoring: memory.restoring,
                ..LogMemory::default()
            }
        }
    }

    fn begin_reading(&self, shown: Shown<'_>) -> Result<Reading, Refusal> {
        let terms = self.terms.log.as_ref().ok_or(Refusal::Unknown)?;
        let frontier = self.log_memory(terms).frontier;
        if shown.first != frontier.size() {
            return Err(Refusal::Mismatch);
        }
        let note: CheckpointNote = shown.checkpoint.parse().map_err(|_| Refusal::Malformed)?;
        let head = note.verify(&terms.log).map_err(|_| Refusal::Signature)?;
        if let Some(witness) = &terms.witness {
            head.cosigned(witness).map_err(|_| Refusal::Unwitnessed)?;
        }
        Ok(Reading {
            note: shown.checkpoint.to_owned(),
            head,
            frontier,
            known: self.registry.handles(),
            ends: BTreeMap::new(),
            found: None,
            foreign: None,
        })
    }

    fn read(
        &self,
        reading: &mut Reading,
        entries: &[serde_bytes::ByteBuf],
        own: &KeyUri,
    ) -> Result<(), Refusal> {
        for encoded in entries {
            let entry = Entry::parse(encoded).map_err(|_| Refusal::Malformed)?;
            reading
                .frontier
                .append(TreeHash::of_entry(encoded))
                .map_err(|_| Refusal::Full)?;
            if entry.kind().is_tombstone() {
                let here = entry.handles().iter();
                let here = here.filter(|handle| reading.known.contains(handle));
                reading
                    .ends
                    .extend(here.map(|handle| (*handle, entry.kind())));
            } else if entry.kind() == Kind::EnclaveMark
                && let Some(mark) = entry.jws().and_then(|jws| own_mark(jws, own))
            {
                if !self.registry.log.marks.contains(&mark.nonce) {
                    reading.foreign = reading.foreign.max(Some(mark.count));
                } else if let Some(drawn) = self.drawn(&mark.nonce) {
                    reading.found = reading.found.max(Some(drawn));
                }
            }
        }
        Ok(())
    }

    /// When this boot drew a mark.
    fn drawn(&self, nonce: &Nonce) -> Option<UnixTime> {
        let mut drawn = self.freshness.drawn.iter();
        drawn.find(|mark| mark.nonce == *nonce).map(|mark| mark.iat)
    }

    fn finish_reading(
        &mut self,
        reading: Reading,
        now: UnixTime,
    ) -> Result<Change<'_, LogSeen>, Refusal> {
        let head = reading.head.checkpoint();
        if reading.frontier.size() != head.size() || reading.frontier.root() != head.root() {
            return Err(Refusal::Mismatch);
        }
        let terms = self.terms.log.as_ref().ok_or(Refusal::Unknown)?;
        let mut memory = self.log_memory(terms);
        if reading.foreign.is_some() && !memory.restoring {
            self.freshness.rolled_back = true;
            return Err(Refusal::RolledBack);
        }
        let until = reading
            .found
            .map(|drawn| drawn.plus(i64::from(terms.period)));
        memory.frontier = reading.frontier;
        memory.restoring &= reading.found.is_none();
        let seen = LogSeen {
            log_size: memory.frontier.size(),
            fresh_until: self.freshness.until.max(until),
            restoring: memory.restoring,
            rolled_back: false,
        };
        let write = self.ending(&reading.ends, now).remembering(memory);
        Ok(Change::writing(self, write, seen)
            .learning(Learnt::Until(until))
            .above(reading.foreign))
    }

    /// The change that ends everything these tombstones name.
    fn ending(&self, ends: &BTreeMap<Nonce, Kind>, now: UnixTime) -> Write {
        let mut write = Write::nothing(now);
        if ends.is_empty() {
            return write;
        }
        for (id, subject) in self.registry.subjects() {
            if ends.get(&subject.handle) == Some(&Kind::SubjectErased) {
                let tombstone = self.tombstone_of(subject, None, now);
                write = self.registry.burying(write, id.clone(), tombstone);
            } else if subject.handles().any(|handle| ends.contains_key(&handle))
                && let Some(next) = ended(subject, ends, now)
            {
                write = write.and(id.clone(), next);
            }
        }
        write
    }
}

/// The subject without what these tombstones name; `None` if they name nothing of theirs that there is.
fn ended(subject: &Subject, ends: &BTreeMap<Nonce, Kind>, now: UnixTime) -> Option<Subject> {
    let mut next = subject.clone();
    for (id, consent) in &subject.consents {
        let step = match ends.get(&consent.handle) {
            None => continue,
            Some(Kind::ConsentInvalidated | Kind::ConsentExpired) => {
                next.clone().invalidate(*id, now)
            }
            Some(_) => next.clone().withdraw(*id, None, now),
        };
        next = step.unwrap_or(next);
    }
    for (id, enrolled) in &subject.enrolments {
        if ends.contains_key(&enrolled.handle) {
            // It may have gone with its consent.
            next = next.clone().erase(*id, Cause::Asked, now).unwrap_or(next);
        }
    }
    (next != *subject).then_some(next)
}

/// The mark, if `own` signed it.
fn own_mark(jws: &Jws, own: &KeyUri) -> Option<StateMark> {
    let mark = signed::<StateMark>(jws).ok()?;
    (mark.key() == own).then(|| mark.into_statement())
}
