//! An act on its way into the transaction that it is about.
//!
//! What administrators decide is carried out by rules that know nothing of administrators. While their
//! work runs, the store writes the act at the head of each transaction that it begins, until one of them
//! commits: then both are recorded, or neither.

use std::sync::{Arc, Mutex, PoisonError};

use blindprint_core::{Entropy, UnixTime};

use super::{Act, Admin};
use crate::{Result, domain::ledger::Stamp};

tokio::task_local! {
    static CARRIED: Arc<Carried>;
}

/// An act that is carried.
pub(crate) struct Carried {
    act: Act,
    at: UnixTime,
    entropy: Arc<dyn Entropy>,
    /// The position of its entry in the log, as far as a transaction got. It may not have committed.
    entry: Mutex<Option<u64>>,
}

impl Carried {
    /// What this task carries.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CARRIED.try_with(Arc::clone).ok()
    }

    /// The act.
    pub(crate) const fn act(&self) -> &Act {
        &self.act
    }

    /// The time and salt of its entry.
    pub(crate) fn stamp(&self) -> Stamp<'_> {
        Stamp {
            at: self.at,
            entropy: &*self.entropy,
        }
    }

    /// Where it was written last.
    pub(crate) fn entry(&self) -> Option<u64> {
        *self.entry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was written there, in a transaction that has yet to commit.
    pub(crate) fn written(&self, entry: u64) {
        *self.entry.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry);
    }
}

impl Admin {
    /// Does an administrator's work, and records the act in the first transaction of it that commits. If
    /// none does, it is recorded by itself: as done, or as refused.
    pub async fn carry<T>(&self, act: Act, work: impl Future<Output = Result<T>>) -> Result<T> {
        let carried = Arc::new(Carried {
            act,
            at: self.clock.now(),
            entropy: Arc::clone(&self.entropy),
            entry: Mutex::new(None),
        });
        let done = CARRIED.scope(Arc::clone(&carried), work).await;
        let recorded = match carried.entry() {
            Some(entry) => self.store.has_act(entry, carried.act()).await?,
            None => false,
        };
        match &done {
            _ if recorded => {}
            Ok(_) => self.record(carried.act()).await?,
            Err(error) if error.code().status() < 500 => {
                self.record(&carried.act().clone().refused()).await?;
            }
            // It may be tried again.
            Err(_) => {}
        }
        done
    }
}
