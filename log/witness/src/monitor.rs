//! Follows a log, reads everything that it shows, and compares what it shows to others.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Write as _},
    sync::Arc,
    time::Duration,
};

use blindprint_core::{Clock, UnixTime};
use blindprint_log::{
    Audit, Checkpoint, CheckpointNote, Frontier, LogError, LogVerifier, SignedCheckpoint, TreeHash,
    WitnessVerifier,
};
use blindprint_reader::{LogReader, ReadError};
use serde::{Deserialize, Serialize};

use crate::{WitnessError, folder::Folder};

mod report;

pub(crate) use report::{Finding, Report};
use report::{Seen, Vantage};

/// What is remembered between runs.
const MEMORY: &str = "monitor.json";
/// Heads verified in this run that a slower address may still show.
const MAX_VERIFIED: usize = 4096;

/// A log, seen from several places.
pub(crate) struct Monitor {
    /// The first is the one whose cosignatures are demanded.
    places: Vec<LogReader>,
    witnesses: Vec<WitnessVerifier>,
    /// How old the cosignature of a checkpoint may be, in seconds.
    max_age: i64,
    memory: Option<Folder>,
    clock: Arc<dyn Clock>,
    /// The largest head that was ever verified.
    last: Option<SignedCheckpoint>,
    /// What was read in this run; the next round reads on from here.
    frontier: Frontier,
    /// Roots by size, of heads in this frontier's history.
    verified: BTreeMap<u64, TreeHash>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    log: LogVerifier,
    checkpoint: String,
}

impl Monitor {
    /// A monitor of the log at `places`, which all have its key. What it saw before, it reads from
    /// `memory`.
    pub(crate) fn new(
        places: Vec<LogReader>,
        witnesses: Vec<WitnessVerifier>,
        max_age: Option<Duration>,
        memory: Option<Folder>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WitnessError> {
        let log = places.first().map(LogReader::key);
        let last = match memory.as_ref().map(|memory| memory.read::<Memory>(MEMORY)) {
            None => None,
            Some(read) => match read? {
                None => None,
                Some(Memory { log: of, .. }) if Some(&of) != log => {
                    let of = of.name();
                    return Err(WitnessError::Invalid(format!("the state is about {of}")));
                }
                Some(Memory { log, checkpoint }) => {
                    Some(checkpoint.parse::<CheckpointNote>()?.verify(&log)?)
                }
            },
        };
        Ok(Self {
            places,
            witnesses,
            max_age: max_age
                .and_then(|age| i64::try_from(age.as_secs()).ok())
                .unwrap_or(i64::MAX),
            memory,
            clock,
            last,
            frontier: Frontier::default(),
            verified: BTreeMap::new(),
        })
    }

    /// Looks at the log once, from everywhere, and reads what is new.
    pub(crate) async fn look(&mut self) -> Result<Report, WitnessError> {
        let at = self.clock.now();
        let mut findings = Vec::new();
        let mut seen = Vec::new();
        for (index, place) in self.places.iter().enumerate() {
            match place.checkpoint().await {
                Ok(head) => {
                    if index == 0 {
                        findings.extend(self.uncosigned(place, &head, at));
                    }
                    seen.push(Vantage {
                        url: place.base().clone(),
                        reader: place.clone(),
                        head,
                    });
                }
                Err(ReadError::Fetch(error)) => {
                    findings.push(Finding::unreachable(place.base(), error.to_string()));
                }
                Err(ReadError::Log(error)) => {
                    findings.push(Finding::unsigned(place.base(), error.to_string()));
                }
            }
        }
        let Some(largest) = seen
            .iter()
            .max_by_key(|vantage| vantage.head.checkpoint().size())
            .cloned()
        else {
            return Ok(Report::new(at, self.places[0].key().clone(), findings));
        };
        let conflict = match self.compare(&largest, &seen).await {
            Ok(frontier) => {
                self.accept(&largest.head, frontier)?;
                None
            }
            Err(ReadError::Fetch(error)) => {
                Some(Finding::unreachable(&largest.url, error.to_string()))
            }
            Err(ReadError::Log(error)) => Some(self.convict(error, &largest, &seen)),
        };
        findings.extend(conflict);
        let mut report = Report::new(at, self.places[0].key().clone(), findings);
        report.size = Some(largest.head.checkpoint().size());
        report.root = Some(largest.head.checkpoint().root());
        if report.misbehaves()
            && let Some(memory) = &self.memory
        {
            report.evidence = Some(memory.path().join(report.file_name()));
            memory.replace(&report.file_name(), &report)?;
        }
        Ok(report)
    }

    /// The demanded cosignatures that `head` lacks.
    fn uncosigned(&self, place: &LogReader, head: &SignedCheckpoint, at: UnixTime) -> Vec<Finding> {
        self.witnesses
            .iter()
            .filter_map(|witness| {
                let why = match head.cosigned(witness) {
                    Ok(time) if at.since(time) <= self.max_age => return None,
                    Ok(time) => format!("cosigned {} s ago", at.since(time)),
                    Err(error) => error.to_string(),
                };
                Some(Finding::uncosigned(place.base(), witness, &why))
            })
            .collect()
    }

    /// Reads up to the largest head and finds out whether all the others are its past.
    async fn compare(&self, largest: &Vantage, seen: &[Vantage]) -> Result<Frontier, ReadError> {
        let others = seen.iter().map(|vantage| vantage.head.checkpoint());
        let others: Vec<Checkpoint> = others
            .chain(self.last.as_ref().map(SignedCheckpoint::checkpoint))
            .filter(|head| self.verified.get(&head.size()) != Some(&head.root()))
            .cloned()
            .collect();
        // What lies behind the frontier can be compared only by reading everything again.
        let again = others.iter().any(|head| head.size() < self.frontier.size())
            || largest.head.checkpoint().size() < self.frontier.size();
        let from = if again {
            Frontier::default()
        } else {
            self.frontier.clone()
        };
        let head = largest.head.checkpoint();
        let audit = Audit::begin(from, &others, head)?;
        let mut progress = Progress::to(head.size());
        largest
            .reader
            .read(audit, &mut |read| progress.show(read))
            .await
    }

    fn accept(&mut self, head: &SignedCheckpoint, frontier: Frontier) -> Result<(), WitnessError> {
        let checkpoint = head.checkpoint();
        self.verified.insert(checkpoint.size(), checkpoint.root());
        while self.verified.len() > MAX_VERIFIED {
            self.verified.pop_first();
        }
        self.frontier = frontier;
        let grown = self
            .last
            .as_ref()
            .is_none_or(|last| last.checkpoint().size() < checkpoint.size());
        if grown {
            if let Some(memory) = &self.memory {
                let log = self.places[0].key().clone();
                let checkpoint = head.to_string();
                memory.replace(MEMORY, &Memory { log, checkpoint })?;
            }
            self.last = Some(head.clone());
        }
        Ok(())
    }

    /// What the log did, with everything that proves it.
    fn convict(&self, error: LogError, largest: &Vantage, seen: &[Vantage]) -> Finding {
        let mut notes: Vec<Seen> = seen.iter().map(Seen::from).collect();
        notes.extend(self.last.iter().map(|last| Seen::before(last.to_string())));
        Finding::misbehaviour(error, &largest.url, notes)
    }
}

/// How far a long reading has come, where somebody watches.
struct Progress {
    of: u64,
    shown: bool,
}

impl Progress {
    fn to(of: u64) -> Self {
        let shown = io::stderr().is_terminal();
        Self { of, shown }
    }

    fn show(&mut self, read: u64) {
        if self.shown {
            // Without a terminal any more, nobody misses it.
            let _ = write!(io::stderr(), "\rreading entries: {read} of {}", self.of);
            if read >= self.of {
                let _ = writeln!(io::stderr());
            }
        }
    }
}
