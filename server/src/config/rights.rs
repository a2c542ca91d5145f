//! `[rights]` and `[retention]`.

use std::collections::BTreeSet;

use blindprint_core::statement::Right;
use serde::{Deserialize, Serialize};

use crate::domain::{retention::Policy, rights::RightsTerms};

/// `[rights]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RightsSection {
    /// What is done without an officer: of access, portability and erasure.
    pub automatic: Vec<Right>,
    /// How long an erasure waits, in hours. Meanwhile it can be taken back, and nothing is compared.
    pub cooling_off_hours: u32,
    /// Days before a request is due on which officers are reminded.
    pub reminder_days: Vec<u32>,
    /// How long an event to a relying party is tried, in hours.
    pub events_hours: u32,
}

impl Default for RightsSection {
    fn default() -> Self {
        Self {
            automatic: vec![Right::Access, Right::Portability, Right::Erasure],
            cooling_off_hours: 0,
            reminder_days: vec![14, 7, 2],
            events_hours: 7 * 24,
        }
    }
}

impl RightsSection {
    /// What no type can tell is wrong, if something is.
    pub(super) fn refused(&self) -> Option<&'static str> {
        let automatic =
            |right: &Right| matches!(right, Right::Access | Right::Portability | Right::Erasure);
        if !self.automatic.iter().all(automatic) {
            return Some("rights.automatic: only access, portability and erasure need no officer");
        }
        // Whoever asks for erasure is answered within a month.
        if self.cooling_off_hours > 28 * 24 {
            return Some("rights.cooling_off_hours must be at most 672");
        }
        if !(1..=90 * 24).contains(&self.events_hours) {
            return Some("rights.events_hours must be 1 to 2160");
        }
        None
    }

    /// The same for the rules.
    pub fn terms(&self) -> RightsTerms {
        RightsTerms {
            automatic: self.automatic.iter().copied().collect::<BTreeSet<_>>(),
            cooling_off: i64::from(self.cooling_off_hours) * 3600,
            reminder_days: self.reminder_days.clone(),
        }
    }
}

/// `[retention]`: days for which things are kept; 0 means for ever.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSection {
    /// Enrolments, after their last positive verdict or their making.
    pub idle_enrolments_days: u32,
    /// Digests and receipts of erased enrolments, after the erasure.
    pub erased_enrolments_days: u32,
    /// Verdicts.
    pub verdicts_days: u32,
    /// Consents, after their end.
    pub expired_consents_days: u32,
    /// Requests about rights, after their end.
    pub rights_requests_days: u32,
    /// Events to relying parties, after they arrived or were given up.
    pub events_days: u32,
    /// Invitations, after their end.
    pub invitations_days: u32,
}

impl Default for RetentionSection {
    fn default() -> Self {
        Self {
            idle_enrolments_days: 0,
            erased_enrolments_days: 365,
            verdicts_days: 365,
            // Whoever processed must be able to show the consent for as long as claims can be made.
            expired_consents_days: 3 * 365,
            rights_requests_days: 3 * 365,
            events_days: 30,
            invitations_days: 365,
        }
    }
}

impl RetentionSection {
    /// What no type can tell is wrong, if something is.
    pub(super) fn refused(&self) -> Option<&'static str> {
        // Whether an enrolment is used is known by its verdicts.
        let told = self.verdicts_days == 0 || self.idle_enrolments_days <= self.verdicts_days;
        (!told).then_some("retention.idle_enrolments_days must be at most retention.verdicts_days")
    }

    /// The same for the reaper.
    pub const fn policy(&self) -> Policy {
        Policy {
            idle_enrolments: self.idle_enrolments_days,
            erased_enrolments: self.erased_enrolments_days,
            verdicts: self.verdicts_days,
            expired_consents: self.expired_consents_days,
            rights_requests: self.rights_requests_days,
            jobs: self.events_days,
            invitations: self.invitations_days,
        }
    }
}
