//! How long things are kept (GDPR article 5(1)(e)), and their end. A policy is configuration; what it would
//! delete can be looked at before it does.

use std::fmt;

use blindprint_core::{UnixTime, problem::ProblemCode};
use serde::Serialize;

use super::{ledger::Stamp, rights::Rights};
use crate::{Error, Result, store::Store};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Idle enrolments that are ended in one run: each is a change that the enclave makes.
const MOST_AT_ONCE: u32 = 1000;

/// A kind of thing that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// Live enrolments that nobody uses.
    IdleEnrolments,
    /// Traces of templates that are erased: digests and receipts.
    ErasedEnrolments,
    /// Verdicts.
    Verdicts,
    /// Consents that are over, and on which nothing stands any more.
    ExpiredConsents,
    /// Requests about rights that are over.
    RightsRequests,
    /// Certificates of erasures.
    Certificates,
    /// Events that arrived or were given up.
    Jobs,
    /// Invitations that are over.
    Invitations,
}

impl Kept {
    /// All of them, in the order in which they end.
    pub const ALL: [Self; 8] = [
        Self::IdleEnrolments,
        Self::Verdicts,
        Self::ErasedEnrolments,
        Self::ExpiredConsents,
        Self::RightsRequests,
        Self::Certificates,
        Self::Jobs,
        Self::Invitations,
    ];

    /// Its name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdleEnrolments => "idle enrolments",
            Self::ErasedEnrolments => "erased enrolments",
            Self::Verdicts => "verdicts",
            Self::ExpiredConsents => "expired consents",
            Self::RightsRequests => "rights requests",
            Self::Certificates => "erasure certificates",
            Self::Jobs => "events to relying parties",
            Self::Invitations => "invitations",
        }
    }
}

/// How many days things are kept; 0 means for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Enrolments, after their last positive verdict or their making.
    pub idle_enrolments: u32,
    /// What is left of enrolments, after their erasure.
    pub erased_enrolments: u32,
    /// Verdicts, after they were given.
    pub verdicts: u32,
    /// Consents, after their end.
    pub expired_consents: u32,
    /// Requests about rights, after their end.
    pub rights_requests: u32,
    /// Events, after they arrived or were given up.
    pub jobs: u32,
    /// Invitations, after their end.
    pub invitations: u32,
}

impl Policy {
    /// How many days `kept` is kept; `None` for ever.
    pub const fn days(&self, kept: Kept) -> Option<u32> {
        let days = match kept {
            Kept::IdleEnrolments => self.idle_enrolments,
            Kept::ErasedEnrolments => self.erased_enrolments,
            Kept::Verdicts => self.verdicts,
            Kept::ExpiredConsents => self.expired_consents,
            Kept::RightsRequests => self.rights_requests,
            // Each carries its own end.
            Kept::Certificates => return None,
            Kept::Jobs => self.jobs,
            Kept::Invitations => self.invitations,
        };
        if days == 0 { None } else { Some(days) }
    }

    /// What ended before this is not kept any longer at `now`.
    pub fn limit(&self, kept: Kept, now: UnixTime) -> Option<UnixTime> {
        match kept {
            Kept::Certificates => Some(now),
            _ => self.days(kept).map(|days| now.plus(-i64::from(days) * DAY)),
        }
    }
}

/// How many of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expired(Vec<(Kept, u64)>);

impl Expired {
    /// Adds a kind.
    pub fn add(&mut self, kept: Kept, count: u64) {
        self.0.push((kept, count));
    }

    /// How many of this kind.
    pub fn of(&self, kept: Kept) -> u64 {
        let found = self.0.iter().find(|(kind, _)| *kind == kept);
        found.map_or(0, |(_, count)| *count)
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}

/// What a run did, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// When.
    pub at: UnixTime,
    /// Whether nothing was deleted.
    pub dry_run: bool,
    /// One line a kind.
    pub lines: Vec<ReportLine>,
}

/// One kind in a report.
#[derive(Debug, Clone, Serialize)]
pub struct ReportLine {
    /// The kind.
    pub kept: Kept,
    /// Days that it is kept; absent if for ever, or each as long as itself says.
    pub days: Option<u32>,
    /// How many were deleted, or would be.
    pub deleted: u64,
}

impl Report {
    fn new(policy: &Policy, expired: &Expired, dry_run: bool, at: UnixTime) -> Self {
        let line = |kept| ReportLine {
            kept,
            days: policy.days(kept),
            deleted: expired.of(kept),
        };
        Self {
            at,
            dry_run,
            lines: Kept::ALL.into_iter().map(line).collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.dry_run { "would end" } else { "ended" };
        writeln!(f, "{:<28}{:>12}{:>12}", "", "kept (days)", verb)?;
        for (at, line) in self.lines.iter().enumerate() {
            let days = match (line.kept, line.days) {
                (Kept::Certificates, _) => "its own".to_owned(),
                (_, None) => "for ever".to_owned(),
                (_, Some(days)) => days.to_string(),
            };
            write!(
                f,
                "{:<28}{days:>12}{:>12}",
                line.kept.as_str(),
                line.deleted
            )?;
            if at + 1 < self.lines.len() {
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// What a run of `policy` would delete at `now`.
pub async fn would_end(store: &dyn Store, policy: &Policy, now: UnixTime) -> Result<Report> {
    let expired = store.expired(policy, now).await?;
    Ok(Report::new(policy, &expired, true, now))
}

/// Deletes what has been kept long enough, but for idle enrolments: their end the enclave must bring
/// about, and the running service has it do so.
pub async fn end(store: &dyn Store, policy: &Policy, stamp: Stamp<'_>) -> Result<Report> {
    let expired = store.reap(policy, stamp).await?;
    if expired.total() > 0 {
        store.purge().await?;
    }
    Ok(Report::new(policy, &expired, false, stamp.at))
}

impl Rights {
    /// Ends what has been kept long enough, idle enrolments included.
    pub async fn reap(&self, policy: &Policy) -> Result<Report> {
        let stamp = self.stamp();
        let idle = match policy.limit(Kept::IdleEnrolments, stamp.at) {
            Some(since) => self.end_idle(since).await?,
            None => 0,
        };
        let mut report = end(self.store(), policy, stamp).await?;
        for line in &mut report.lines {
            if line.kept == Kept::IdleEnrolments {
                line.deleted = idle;
            }
        }
        Ok(report)
    }

    /// Has the enclave end enrolments that nobody uses. One that it cannot end now waits for the next run.
    async fn end_idle(&self, since: UnixTime) -> Result<u64> {
        let mut ended = 0;
        for idle in self.store().idle_enrolments(since, MOST_AT_ONCE).await? {
            match self.end_enrolment(&idle.subject, idle.id).await {
                Ok(()) => ended += 1,
                Err(Error::RetryAfter {
                    code: ProblemCode::Unavailable,
                    ..
                }) => break,
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an idle enrolment could not be ended"
                ),
            }
        }
        Ok(ended)
    }
}
