//! Whether the service's transparency log holds what happened to this wallet's subject, and is still
//! the log that it was.
//!
//! The log's key is pinned at the first look. Every later look begins from the checkpoint of the one
//! before: a log that is shorter, or has signed two histories, cannot talk its way out of it, and both
//! checkpoints are kept.

mod own;
mod receipt;

use std::{collections::BTreeMap, time::Duration};

use blindprint_core::{ServiceId, UnixTime, wire::LogDescription};
use blindprint_log::{
    Audit, Checkpoint, CheckpointNote, Frontier, LogError, LogVerifier, SignedCheckpoint,
    WitnessVerifier,
};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, Wallet};

pub use own::OwnEvent;
pub use receipt::ProvenReceipt;

/// How often, and how long in all, a checkpoint is waited for that covers what was just appended.
const PAUSE: Duration = Duration::from_millis(300);
const PAUSES: u32 = 30;

/// What is known of a log.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeenLog {
    /// What its checkpoints are verified with, since the first look.
    key: LogVerifier,
    /// The last checkpoint that was believed.
    checkpoint: Option<String>,
    /// One that contradicts it: evidence against whoever signed both.
    contradiction: Option<String>,
    /// Where an audit of all entries goes on.
    frontier: Option<Frontier>,
}

/// What a look at the log has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// The log's name.
    pub origin: String,
    /// What its checkpoints are verified with.
    pub key: String,
    /// Entries under the checkpoint.
    pub size: u64,
    /// Entries under the checkpoint of the look before, which it was shown to extend.
    pub extends: Option<u64>,
    /// When each witness that was asked for, or that the service names, countersigned it.
    pub witnessed: BTreeMap<String, UnixTime>,
    /// How many entries of each kind there are, if all were read.
    pub read: Option<BTreeMap<&'static str, u64>>,
    /// What the log holds about the subject, each shown to be in it.
    pub own: Vec<OwnEvent>,
}

impl Wallet {
    /// Verifies the service's log: that its checkpoint is signed, extends the last one seen and is
    /// countersigned by `witnesses`; that everything this wallet knows to have happened is in it. With
    /// `full`, that all its entries are what the checkpoint covers.
    pub async fn verify_log(
        &mut self,
        full: bool,
        witnesses: &[WitnessVerifier],
    ) -> Result<LogReport> {
        let attested = self.attest().await?;
        let description = self.client.log_description().await?;
        let seen = self.seen(&description)?;
        // First the entries, then a checkpoint that must cover them.
        let own = self.own_entries().await?;
        let covers = own.last().map_or(0, |last| last.index + 1);
        let head = self.head(&seen.key, covers).await?;
        let extends = self.follow(&seen, &head).await?;
        let witnessed = countersigned(&head, &description, witnesses)?;
        let own = self.check_own(own, head.checkpoint(), &attested).await?;
        let mut seen = SeenLog {
            checkpoint: Some(head.to_string()),
            ..seen
        };
        let read = if full {
            let (frontier, kinds) = self.read_all(&seen, head.checkpoint()).await?;
            seen.frontier = Some(frontier);
            Some(kinds)
        } else {
            None
        };
        let report = LogReport {
            origin: head.checkpoint().origin().to_owned(),
            key: seen.key.to_string(),
            size: head.checkpoint().size(),
            extends,
            witnessed,
            read,
            own,
        };
        self.state.log = Some(seen);
        self.save()?;
        Ok(report)
    }

    /// Two checkpoints that contradict each other, if the log has ever shown such: the one believed
    /// and the other.
    pub fn log_evidence(&self) -> Option<(&str, &str)> {
        let seen = self.state.log.as_ref()?;
        Some((seen.checkpoint.as_deref()?, seen.contradiction.as_deref()?))
    }

    /// What is known of the log, whose key stays what it was at the first look.
    fn seen(&self, description: &LogDescription) -> Result<SeenLog> {
        let key: LogVerifier = description
            .key
            .parse()
            .map_err(|error| Error::ServiceFailed(format!("its log's key: {error}")))?;
        let known = self.state.log.clone();
        if known.as_ref().is_some_and(|seen| seen.key != key) {
            return Err(Error::LogRefuted(
                "it is signed with another key than at the first look".to_owned(),
            ));
        }
        if key.name() != origin(&self.state.service) {
            return Err(Error::LogRefuted("it is another service's".to_owned()));
        }
        Ok(known.unwrap_or(SeenLog {
            key,
            checkpoint: None,
            contradiction: None,
            frontier: None,
        }))
    }

    /// The latest checkpoint, once it covers `covers` entries.
    async fn head(&self, key: &LogVerifier, covers: u64) -> Result<SignedCheckpoint> {
        for _ in 0..PAUSES {
            let note = self.client.checkpoint().await?;
            let head = note.verify(key).map_err(refuted)?;
            if head.checkpoint().size() >= covers {
                return Ok(head);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Error::LogRefuted(format!(
            "no checkpoint covers the {covers} entries that there are"
        )))
    }

    /// That `head` extends what was seen before. Returns how many entries that were.
    async fn follow(&mut self, seen: &SeenLog, head: &SignedCheckpoint) -> Result<Option<u64>> {
        let Some(before) = seen.before()? else {
            return Ok(None);
        };
        let newer = head.checkpoint();
        let followed = match newer.follows(&before) {
            Ok(()) if newer.size() == before.size() => Ok(()),
            Ok(()) => {
                let proof = self.client.consistency(before.size(), newer.size()).await?;
                newer.extends(&before, &proof)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = followed {
            self.state.log = Some(SeenLog {
                contradiction: Some(head.to_string()),
                ..seen.clone()
            });
            self.save()?;
            return Err(Error::LogRefuted(format!(
                "{error} ({} entries before, {} now); `log evidence` shows both checkpoints",
                before.size(),
                newer.size()
            )));
        }
        Ok(Some(before.size()))
    }

    /// Reads every entry that no audit has read yet, and counts them by kind.
    async fn read_all(
        &self,
        seen: &SeenLog,
        head: &Checkpoint,
    ) -> Result<(Frontier, BTreeMap<&'static str, u64>)> {
        let from = seen.frontier.clone().unwrap_or_default();
        let known: Vec<Checkpoint> = seen.before()?.into_iter().collect();
        let mut audit = Audit::begin(from, &known, head).map_err(refuted)?;
        let mut kinds = BTreeMap::new();
        while let Some(bundle) = audit.wants() {
            let bytes = self.client.log_tile(&bundle).await?;
            for (_, entry) in audit.take(&bytes).map_err(refuted)? {
                *kinds.entry(entry.kind().as_str()).or_default() += 1;
            }
        }
        Ok((audit.finish().map_err(refuted)?, kinds))
    }
}

impl SeenLog {
    fn before(&self) -> Result<Option<Checkpoint>> {
        let Some(note) = &self.checkpoint else {
            return Ok(None);
        };
        let note: CheckpointNote = note.parse().map_err(refuted)?;
        let head = note.verify(&self.key).map_err(refuted)?;
        Ok(Some(head.checkpoint().clone()))
    }
}

/// Every witness that was asked for must have countersigned; those that the service names may.
fn countersigned(
    head: &SignedCheckpoint,
    description: &LogDescription,
    wanted: &[WitnessVerifier],
) -> Result<BTreeMap<String, UnixTime>> {
    let mut witnessed = BTreeMap::new();
    for witness in wanted {
        let at = head
            .cosigned(witness)
            .map_err(|error| Error::LogRefuted(format!("{}: {error}", witness.name())))?;
        witnessed.insert(witness.name().to_owned(), at);
    }
    for named in &description.witnesses {
        let Ok(witness) = named.parse::<WitnessVerifier>() else {
            continue;
        };
        if let Ok(at) = head.cosigned(&witness) {
            witnessed.insert(witness.name().to_owned(), at);
        }
    }
    Ok(witnessed)
}

/// The name of a service's log.
fn origin(service: &ServiceId) -> String {
    let origin = service.as_str();
    let address = origin
        .split_once("://")
        .map_or(origin, |(_, address)| address);
    format!("{address}/log")
}

fn refuted(error: LogError) -> Error {
    Error::LogRefuted(error.to_string())
}
