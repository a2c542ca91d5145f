//! What happened to one subject, in one list.

use blindprint_core::{ProfileId, UnixTime};

use super::{CsvRow, Place};

super::choices! {
    /// Kinds of events that belong together.
    TimelineGroup {
        /// Consents and their ends.
        Consents = "consents",
        /// Templates.
        Enrolments = "enrolments",
        /// Verdicts.
        Verdicts = "verdicts",
        /// Credentials.
        Credentials = "credentials",
        /// Rights requests.
        Rights = "rights",
    }
}

super::choices! {
    /// What happened.
    TimelineKind {
        /// A consent was given.
        ConsentGiven = "consent.given",
        /// A consent was refused.
        ConsentRefused = "consent.refused",
        /// A consent was taken back, or ended with the device that gave it.
        ConsentWithdrawn = "consent.withdrawn",
        /// A consent ended by itself.
        ConsentExpired = "consent.expired",
        /// A consent ended because its notice changed materially.
        ConsentInvalidated = "consent.invalidated",
        /// A template went live.
        Enrolled = "enrolment.registered",
        /// A template was destroyed.
        Erased = "enrolment.erased",
        /// A verdict said it is the same person.
        Matched = "verdict.matched",
        /// A verdict said it is not.
        Rejected = "verdict.rejected",
        /// A credential was issued.
        CredentialIssued = "credential.issued",
        /// A rights request was opened.
        RightsOpened = "rights.opened",
        /// A rights request was answered.
        RightsClosed = "rights.closed",
    }
}

/// Which events of a subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimelineFilter {
    /// Of one group only.
    pub group: Option<TimelineGroup>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRow {
    /// When.
    pub at: UnixTime,
    /// What happened.
    pub kind: TimelineKind,
    /// To which consent, enrolment, challenge or issuance.
    pub id: String,
    /// A consent's purpose, a verdict's relying party, a credential's kind, a request's right.
    pub about: Option<String>,
    /// How the compared codes were made, and thus the operating point of a verdict.
    pub profile: Option<ProfileId>,
}

impl CsvRow for TimelineRow {
    const COLUMNS: &'static [&'static str] = &[
        "time",
        "event",
        "id",
        "about",
        "profile",
        "threshold",
        "false_match_rate",
    ];

    fn fields(&self) -> Vec<String> {
        let profile = self.profile.map(ProfileId::profile);
        let point = profile.and_then(|profile| profile.operating_point);
        let text = |value: Option<String>| value.unwrap_or_default();
        vec![
            self.at.0.to_string(),
            self.kind.as_str().to_owned(),
            self.id.clone(),
            text(self.about.clone()),
            text(profile.map(|profile| profile.id.to_owned())),
            text(profile.map(|profile| profile.tau.to_string())),
            text(point.map(|point| point.fmr.to_string())),
        ]
    }

    fn place(&self) -> Place {
        Place {
            at: self.at,
            id: format!("{} {}", self.kind.as_str(), self.id),
        }
    }
}
