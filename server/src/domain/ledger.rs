//! The transparency log: what is logged, and how it is published.
//!
//! An entry says what kind of thing happened and when. Whose it was and what it said is in a commitment
//! alone, which nothing opens once its salt is gone with its subject. Entries are appended in the
//! transaction that records what they are about ([`crate::store`]), so that no outcome is known
//! without its entry. Soon after, a signed checkpoint covers them, and from then on nobody can take
//! them away unnoticed.

mod drafts;
mod marks;
mod reading;
mod soundness;
mod witnessing;

use std::sync::Arc;

use blindprint_core::{Clock, Entropy, ServiceId, UnixTime};
use blindprint_egress::Egress;
use blindprint_log::{
    CheckpointNote, Frontier, LogError, LogKey, LogVerifier, Salt, SignedCheckpoint, TreeHash,
};
use tokio::sync::{Mutex, MutexGuard};

use crate::{Error, Result, config::Witness, store::Store};

pub use drafts::{Draft, drafts_of};
pub use reading::{MOST_OWN, Tile};

/// What an entry gets when it is appended: its time, and a salt from here.
#[derive(Clone, Copy)]
pub struct Stamp<'a> {
    /// Now.
    pub at: UnixTime,
    /// Where salts come from.
    pub entropy: &'a dyn Entropy,
}

/// An entry about a subject, with what opens its commitment.
pub struct OwnEntry {
    /// Its position in the log.
    pub index: u64,
    /// The entry as it is hashed.
    pub entry: Vec<u8>,
    /// What the commitment was made with.
    pub salt: Salt,
    /// What it was made to.
    pub event: String,
}

/// A checkpoint that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// How many entries it covers.
    pub size: u64,
    /// Its text, with all signatures.
    pub note: String,
}

/// The parts that the log needs.
pub struct LedgerParts {
    /// Memory.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What signs checkpoints.
    pub key: LogKey,
    /// What reaches witnesses.
    pub egress: Egress,
    /// Who countersigns.
    pub witnesses: Vec<Witness>,
    /// The last checkpoint that is known from elsewhere than the database, if there is one.
    pub known: Option<String>,
}

/// The log, published.
pub struct Ledger {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    key: LogKey,
    verifier: LogVerifier,
    egress: Egress,
    witnesses: Vec<Witness>,
    state: Mutex<State>,
}

/// Whether checkpoints may be signed.
enum State {
    /// Nobody has looked whether what is stored is what was signed.
    Unchecked { known: Option<String> },
    /// It is.
    Sound,
    /// It is not: another signature would cover up what happened.
    Unsound(&'static str),
}

impl Ledger {
    /// The name of a service's log: its address without the scheme.
    pub fn origin(service: &ServiceId) -> String {
        let origin = service.as_str();
        let address = origin
            .split_once("://")
            .map_or(origin, |(_, address)| address);
        format!("{address}/log")
    }

    /// A log over these parts.
    pub fn new(parts: LedgerParts) -> Self {
        Self {
            verifier: parts.key.verifier(),
            state: Mutex::new(State::Unchecked { known: parts.known }),
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            key: parts.key,
            egress: parts.egress,
            witnesses: parts.witnesses,
        }
    }

    /// What its checkpoints are verified with.
    pub const fn verifier(&self) -> &LogVerifier {
        &self.verifier
    }

    /// Who countersigns them.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// What entries get that are appended now.
    pub fn stamp(&self) -> Stamp<'_> {
        Stamp {
            at: self.clock.now(),
            entropy: &*self.entropy,
        }
    }

    /// Signs what the log holds now, if that is more than what was signed last. Returns the latest
    /// checkpoint; `None` while there is nothing to sign.
    ///
    /// Nothing is signed any more once what is stored turns out not to be what was signed before.
    pub async fn publish(&self) -> Result<Option<SignedCheckpoint>> {
        let _sound = self.sound().await?;
        let size = self.store.log_size().await?;
        if let Some(head) = self.head().await?
            && head.checkpoint().size() >= size
        {
            return Ok(Some(head));
        }
        if size == 0 {
            return Ok(None);
        }
        let root = self.frontier(size).await?.root();
        let head = self.key.sign(size, root).map_err(broken)?;
        let signed = SignedHead {
            size,
            note: head.to_string(),
        };
        self.store.record_head(&signed, self.clock.now()).await?;
        metrics::gauge!("blindprint_log_size").set(precise(size));
        Ok(Some(head))
    }

    /// Why nothing is published any more; `None` if all is well, as far as is known.
    pub async fn unsound(&self) -> Option<&'static str> {
        match *self.state.lock().await {
            State::Unsound(why) => Some(why),
            State::Unchecked { .. } | State::Sound => None,
        }
    }

    /// Logs what `value` says of the service, unless it said the same the last time.
    pub async fn follow(&self, fact: &str, value: &str, draft: &Draft) -> Result<()> {
        let logged = self
            .store
            .log_fact(fact, value, draft, self.stamp())
            .await?;
        if let Some(index) = logged {
            tracing::info!(fact, index, "a change of the service is logged");
        }
        Ok(())
    }

    /// The latest checkpoint that was signed.
    async fn head(&self) -> Result<Option<SignedCheckpoint>> {
        let known = self.store.latest_head(false).await?;
        known.map(|head| self.signed(&head.note)).transpose()
    }

    /// Own checkpoints, read again.
    fn signed(&self, note: &str) -> Result<SignedCheckpoint> {
        note.parse::<CheckpointNote>()
            .and_then(|note| note.verify(&self.verifier))
            .map_err(broken)
    }

    /// What the log's hashes say of its first `size` entries.
    async fn frontier(&self, size: u64) -> Result<Frontier> {
        let places = Frontier::needs(size).map_err(broken)?;
        let nodes = self.hashes(&places).await?;
        Frontier::of(size, nodes).map_err(broken)
    }

    async fn hashes(&self, places: &[u64]) -> Result<Vec<TreeHash>> {
        let found = self.store.log_hashes(places).await?;
        found.ok_or_else(|| Error::broken("reading the log")("it lacks a hash".into()))
    }

    /// Whoever signs holds this; that is one at a time.
    async fn sound(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state.lock().await;
        if let State::Unchecked { known } = &*state {
            let found = self.examine(known.as_deref()).await?;
            if let Some(why) = found {
                tracing::error!(why, "nothing of the log is signed any more");
            }
            *state = found.map_or(State::Sound, State::Unsound);
        }
        match *state {
            State::Unsound(why) => Err(Error::broken("publishing the log")(why.into())),
            State::Unchecked { .. } | State::Sound => Ok(state),
        }
    }
}

fn broken(error: LogError) -> Error {
    Error::broken("keeping the log")(error.into())
}

/// For metrics: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "no log is so long")]
const fn precise(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
