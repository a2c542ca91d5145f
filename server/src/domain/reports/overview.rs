//! How the service is doing, on one page.

use super::{EnrolmentSeries, Health, Span, VerdictSeries};
use crate::{Result, domain::Service};

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub part: u64,
    /// The whole, at least 1.
    pub whole: u64,
}

impl Share {
    /// A share; `None` of nothing.
    pub const fn of(part: u64, whole: u64) -> Option<Self> {
        if whole == 0 {
            return None;
        }
        Some(Self { part, whole })
    }

    /// In tenths of a percent, rounded down: 1000 only if nothing is missing.
    pub const fn per_mille(self) -> u64 {
        self.part.saturating_mul(1000) / self.whole
    }
}

/// How many there are of what the service keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// People whom the enclave knows.
    pub subjects: u64,
    /// Consents that allow something now.
    pub consents: u64,
    /// Templates that can be compared with.
    pub enrolments: u64,
    /// Templates on their way into the enclave.
    pub pending: u64,
    /// Templates that were destroyed.
    pub erased: u64,
    /// Verdicts that were ever given.
    pub verdicts: u64,
    /// Credentials that can be relied on.
    pub credentials: u64,
    /// Invitations that can be used.
    pub invitations: u64,
    /// Changes that wait for the enclave.
    pub unfinished: u64,
    /// Rights requests that wait for an answer.
    pub open_requests: u64,
    /// Those of them whose time is over.
    pub overdue_requests: u64,
    /// Events that no relying party has taken yet, or that were given up.
    pub undelivered: u64,
}

/// How the service is doing.
#[derive(Debug, Clone)]
pub struct Overview {
    /// What is kept.
    pub counts: Counts,
    /// Enrolments of 30 days.
    pub enrolments: EnrolmentSeries,
    /// Verdicts of a span.
    pub verdicts: VerdictSeries,
    /// The processes behind the service.
    pub health: Health,
}

impl Service {
    /// How the service is doing, with the verdicts of this span.
    pub async fn dashboard(&self, span: Span) -> Result<Overview> {
        let now = self.clock.now();
        Ok(Overview {
            counts: self.store.counts(now).await?,
            enrolments: self.store.enrolment_series(now).await?,
            verdicts: self.store.verdict_series(span, now).await?,
            health: self.observed_health().await,
        })
    }
}
