//! What a witness promises: of each log one history, growing, on the disk before it is signed.

use std::sync::{Arc, Mutex, PoisonError};

use blindprint_core::{Clock, Digest, UnixTime};
use blindprint_log::{
    AddCheckpoint, Checkpoint, LogError, LogVerifier, SignedCheckpoint, TreeHash, WitnessKey,
    WitnessVerifier,
};
use serde::{Deserialize, Serialize};

use crate::{WitnessError, folder::Folder};

/// Names a log's files in the folder.
const FILE_LABEL: &str = "blindprint/witness-log/v1";
/// Says whose folder it is.
const OWNER: &str = "witness.json";

/// A witness at work.
pub(crate) struct Witness {
    key: WitnessKey,
    logs: Vec<LogVerifier>,
    clock: Arc<dyn Clock>,
    /// Comparing with what is there, replacing it and signing are one step.
    memory: Mutex<Folder>,
}

/// Why a checkpoint is not cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// None of the logs that this witness follows.
    UnknownLog,
    /// Not signed by the log.
    Unsigned,
    /// Smaller than what it is to be compared with.
    Shrunk,
    /// Ask again with a proof from this size.
    OtherSize(u64),
    /// As large as the last one, and another: the log has two histories.
    Forked,
    /// The proof does not show that the log only grew.
    Unproven,
    /// The disk cannot be trusted to remember.
    Forgetful,
}

/// What is remembered of a log.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    origin: String,
    size: u64,
    root: TreeHash,
    /// When it was cosigned first.
    at: UnixTime,
    /// As the log signed it.
    note: String,
}

/// Two notes that convict a log.
#[derive(Serialize)]
struct Fork<'a> {
    log: &'a LogVerifier,
    at: UnixTime,
    first: &'a str,
    second: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    witness: WitnessVerifier,
}

impl Witness {
    /// A witness of these logs that remembers in `memory`. With `resume` it must have a memory, so
    /// that a folder that was lost or mistaken is noticed.
    pub(crate) fn start(
        key: WitnessKey,
        logs: Vec<LogVerifier>,
        memory: Folder,
        resume: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WitnessError> {
        let path = memory.path().display();
        match memory.read::<Owner>(OWNER)? {
            Some(owner) if owner.witness == key.verifier() => {}
            Some(owner) => {
                return Err(WitnessError::Invalid(format!(
                    "{path} is the memory of {}",
                    owner.witness.name()
                )));
            }
            None if resume => {
                return Err(WitnessError::Invalid(format!(
                    "{path} holds no memory: a witness that has forgotten what it cosigned must \
                     not go on under its key"
                )));
            }
            None => {
                tracing::warn!(
                    "{path} is empty: this witness begins without any memory of its logs"
                );
                let witness = key.verifier();
                memory.replace(OWNER, &Owner { witness })?;
            }
        }
        let witness = Self {
            key,
            logs,
            clock,
            memory: Mutex::new(memory),
        };
        // A memory that cannot be read is found out now, and not by the first request.
        for log in &witness.logs {
            last(&witness.lock(), log.name())?;
        }
        Ok(witness)
    }

    pub(crate) fn verifier(&self) -> WitnessVerifier {
        self.key.verifier()
    }

    /// Cosigns what extends the log's last checkpoint, and remembers it first. Blocks on the disk.
    pub(crate) fn add(&self, request: AddCheckpoint) -> Result<String, Refusal> {
        let AddCheckpoint {
            old_size,
            path,
            checkpoint,
        } = request;
        let mut keys = self
            .logs
            .iter()
            .filter(|log| log.name() == checkpoint.origin())
            .peekable();
        if keys.peek().is_none() {
            return Err(Refusal::UnknownLog);
        }
        let (log, head) = keys
            .find_map(|log| Some((log, checkpoint.clone().verify(log).ok()?)))
            .ok_or(Refusal::Unsigned)?;
        if old_size > head.checkpoint().size() {
            return Err(Refusal::Shrunk);
        }

        let memory = self.lock();
        let last = last(&memory, log.name()).map_err(forgetful)?;
        let known = last.as_ref().map(|(last, _)| last);
        let size = known.map_or(0, Checkpoint::size);
        if size != old_size {
            return Err(Refusal::OtherSize(size));
        }
        if let Some((last, note)) = &last
            && head.checkpoint().follows(last) == Err(LogError::Forked)
        {
            self.keep(log, note, &head, &memory);
            return Err(Refusal::Forked);
        }
        AddCheckpoint::check(old_size, path, known, &head).map_err(|_| Refusal::Unproven)?;
        let at = self.clock.now();
        if known.is_none_or(|last| last.size() < head.checkpoint().size()) {
            let last = Last {
                origin: log.name().to_owned(),
                size: head.checkpoint().size(),
                root: head.checkpoint().root(),
                at,
                note: head.to_string(),
            };
            memory
                .replace(&file(log.name()), &last)
                .map_err(forgetful)?;
        }
        let cosignature = self.key.cosign(&head, at);
        Ok(cosignature.map_err(forgetful)?.to_string())
    }

    /// Keeps the proof of a fork: the first for each log and size, so that nobody fills the disk.
    fn keep(&self, log: &LogVerifier, first: &str, second: &SignedCheckpoint, memory: &Folder) {
        let size = second.checkpoint().size();
        let name = format!("fork-{}", file(&format!("{}\n{size}", log.name())));
        tracing::error!(
            log = log.name(),
            size,
            evidence = name,
            "the log has signed two histories"
        );
        let fork = Fork {
            log,
            at: self.clock.now(),
            first,
            second: second.to_string(),
        };
        let kept = memory.read::<serde_json::Value>(&name);
        if matches!(kept, Ok(None))
            && let Err(error) = memory.replace(&name, &fork)
        {
            tracing::error!(%error, "the proof of it was not kept");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Folder> {
        // What it guards is on the disk, where a panic leaves the old or the new.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last checkpoint of a log that was cosigned, and its note.
fn last(memory: &Folder, origin: &str) -> Result<Option<(Checkpoint, String)>, WitnessError> {
    let Some(last) = memory.read::<Last>(&file(origin))? else {
        return Ok(None);
    };
    if last.origin != origin {
        return Err(LogError::Origin.into());
    }
    let checkpoint = Checkpoint::new(origin, last.size, last.root)?;
    Ok(Some((checkpoint, last.note)))
}

fn forgetful(error: impl Into<WitnessError>) -> Refusal {
    tracing::error!(error = %error.into(), "nothing is cosigned");
    Refusal::Forgetful
}

fn file(origin: &str) -> String {
    format!("{}.json", Digest::of(FILE_LABEL, origin.as_bytes()))
}

#[cfg(test)]
mod tests;
