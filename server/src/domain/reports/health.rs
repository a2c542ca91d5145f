//! How the processes behind the service are, as far as they say.

use std::sync::Arc;

use blindprint_core::{SubjectId, UnixTime};
use blindprint_protocol::policy::MOST_INCIDENTS;
use ciborium::Value;

use crate::{
    Result,
    backend::{EnclaveHealth, MatcherHealth},
    domain::{Service, record::Operation},
};

/// How the enclave and the matchers are at one moment.
#[derive(Debug, Clone)]
pub struct Health {
    /// What the enclave says; `None` if it does not answer.
    pub enclave: Option<Arc<EnclaveHealth>>,
    /// What each matcher says; `None` for one that does not answer.
    pub matchers: Vec<Option<MatcherHealth>>,
    /// Subjects that must wait.
    pub holds: HoldCounts,
}

/// Subjects that the enclave has lately said must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HoldCounts {
    /// For some seconds, after failed attempts.
    pub throttled: u32,
    /// Until they recover.
    pub locked: u32,
}

impl Health {
    /// Requests that wait in all matchers' queues.
    pub fn queued(&self) -> u32 {
        self.matchers
            .iter()
            .flatten()
            .map(|matcher| matcher.queued)
            .sum()
    }

    /// Requests that may wait there.
    pub fn capacity(&self) -> u32 {
        self.matchers
            .iter()
            .flatten()
            .map(|matcher| matcher.capacity)
            .sum()
    }

    /// Matchers that answer.
    pub fn answering(&self) -> usize {
        self.matchers.iter().flatten().count()
    }

    /// Whether verdicts can be given: the enclave answers, opens, and has as many matchers as it needs.
    pub fn serves(&self) -> bool {
        self.enclave.as_ref().is_some_and(|enclave| {
            enclave.incidents < MOST_INCIDENTS
                && enclave.matchers >= enclave.matchers_needed
                && self.answering() >= enclave.matchers_needed as usize
        })
    }
}

/// A change that waits for the enclave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Order in which changes began.
    pub sequence: i64,
    /// Whose.
    pub subject: SubjectId,
    /// What the enclave is asked for, by the request's name in the protocol.
    pub kind: String,
    /// When it began.
    pub begun: UnixTime,
}

impl From<Operation> for Job {
    fn from(operation: Operation) -> Self {
        Self {
            kind: kind(&operation.request).unwrap_or_default(),
            sequence: operation.sequence,
            subject: operation.subject,
            begun: operation.begun,
        }
    }
}

/// The name of a request's variant. What it carries is not decoded.
fn kind(request: &[u8]) -> Option<String> {
    match ciborium::from_reader(request).ok()? {
        Value::Text(name) => Some(name),
        Value::Map(entries) => entries.into_iter().next()?.0.into_text().ok(),
        _ => None,
    }
}

impl Service {
    /// How enclave and matchers are now. Asks them.
    pub async fn observed_health(&self) -> Health {
        let (enclave, matchers) = tokio::join!(self.enclave.health(), self.matchers.observed());
        Health {
            enclave: enclave.ok(),
            matchers,
            holds: self.holds.counts(self.clock.now()),
        }
    }

    /// Changes that wait for the enclave, oldest first.
    pub async fn jobs(&self) -> Result<Vec<Job>> {
        let operations = self.store.unfinished_operations(None).await?;
        Ok(operations.into_iter().map(Job::from).collect())
    }
}
