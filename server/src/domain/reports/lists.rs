//! Lists, their filters and their orders.

use blindprint_core::{
    Audience, ConsentId, Digest, InvitationId, RightsRequestId, SubjectId, UnixTime,
    statement::{ConsentState, Purpose, Right},
};

use super::{CsvRow, Place, Search, choices};
use crate::domain::{
    ClientId, IssuerMethod,
    issued::{IssuanceId, ListId, ListKind, StatusEntry},
};

choices! {
    /// The order of lists that are told by the time alone.
    TimeSort {
        /// By when it began.
        Time = "time",
    }
}

choices! {
    /// The order of subjects.
    SubjectSort {
        /// By first consent.
        Since = "since",
        /// By last verdict.
        LastVerdict = "last-verdict",
        /// By number of verdicts.
        Verdicts = "verdicts",
    }
}

choices! {
    /// Subjects by what they have.
    EnrolledFilter {
        /// All of them.
        All = "all",
        /// With a live enrolment.
        Enrolled = "enrolled",
        /// Without one.
        NotEnrolled = "not-enrolled",
        /// About whom nothing is compared for now, as they asked.
        Restricted = "restricted",
    }
}

/// Which subjects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectFilter {
    /// Part of the DID.
    pub search: Option<Search>,
    /// By what they have.
    pub enrolled: EnrolledFilter,
}

/// One subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectRow {
    /// Who.
    pub subject: SubjectId,
    /// When the enclave first took note of a consent of theirs.
    pub since: UnixTime,
    /// Consents that allow something now.
    pub consents: u32,
    /// Enrolments that can be compared with.
    pub enrolments: u32,
    /// Verdicts about them.
    pub verdicts: u32,
    /// The last of these.
    pub last_verdict: Option<UnixTime>,
    /// Whether nothing is compared for them, because they asked for that.
    pub restricted: bool,
    /// Requests of theirs that wait for an answer.
    pub open_requests: u32,
}

choices! {
    /// The order of consents.
    ConsentSort {
        /// By when they were given or refused.
        Given = "given",
        /// By when they end by themselves.
        Expires = "expires",
    }
}

/// Which consents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsentFilter {
    /// Part of the subject's DID or of the consent's id.
    pub search: Option<Search>,
    /// What became of them.
    pub state: Option<ConsentState>,
    /// To what.
    pub purpose: Option<Purpose>,
}

/// One consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// Its id, unique among its subject's.
    pub id: ConsentId,
    /// Whose.
    pub subject: SubjectId,
    /// To what.
    pub purpose: Purpose,
    /// Who may learn of verdicts, of a consent to sharing.
    pub recipient: Option<Audience>,
    /// Under which notice.
    pub notice: Digest,
    /// What became of it.
    pub state: ConsentState,
    /// When it was given or refused.
    pub given: UnixTime,
    /// When it ends by itself.
    pub expires: UnixTime,
    /// When it ended before that.
    pub ended: Option<UnixTime>,
}

choices! {
    /// The order of relying parties.
    AudienceSort {
        /// By number of verdicts.
        Verdicts = "verdicts",
        /// By name.
        Name = "name",
        /// By acceptance rate.
        Acceptance = "acceptance",
        /// By last verdict.
        Last = "last",
    }
}

/// The verdicts for one relying party within a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceRow {
    /// Who.
    pub audience: Audience,
    /// Verdicts.
    pub verdicts: u64,
    /// Those that say it is the same person.
    pub matched: u64,
    /// People that they are about.
    pub subjects: u64,
    /// The last one.
    pub last: UnixTime,
}

choices! {
    /// What a credential is about.
    IssuanceKind {
        /// That somebody is enrolled.
        Enrolment = "enrolment",
        /// That somebody was recognised.
        Authentication = "authentication",
        /// That somebody consented.
        ConsentReceipt = "consent-receipt",
        /// What a machine client said.
        General = "general",
    }
}

choices! {
    /// What status lists say of a credential.
    IssuanceStanding {
        /// Nothing against it.
        Valid = "valid",
        /// Not to be relied on for now.
        Suspended = "suspended",
        /// Not to be relied on ever again.
        Revoked = "revoked",
    }
}

/// Which issuances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssuanceFilter {
    /// Part of the subject's DID, of the client's id, of the credential's name or of the issuance's id.
    pub search: Option<Search>,
    /// About what.
    pub kind: Option<IssuanceKind>,
    /// What status lists say.
    pub standing: Option<IssuanceStanding>,
}

/// One act of issuing, of all copies of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuanceRow {
    /// Its name.
    pub id: IssuanceId,
    /// About what.
    pub kind: IssuanceKind,
    /// Whose; `None` for what a machine client said, and once the subject is erased.
    pub subject: Option<SubjectId>,
    /// The machine client that asked for it, and what it calls the credential.
    pub client: Option<(ClientId, Option<String>)>,
    /// What status lists say.
    pub standing: IssuanceStanding,
    /// When.
    pub issued: UnixTime,
    /// Copies with a place in a status list.
    pub copies: u32,
    /// The place of one of them, by which all are meant; `None` where nothing tells a status.
    pub entry: Option<StatusEntry>,
}

/// One status list and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// Its number.
    pub id: ListId,
    /// How it is published.
    pub kind: ListKind,
    /// Under which of the service's DIDs.
    pub issuer: IssuerMethod,
    /// Places that are taken.
    pub entries: u32,
    /// Those of suspended credentials.
    pub suspended: u32,
    /// Those of revoked credentials.
    pub revoked: u32,
    /// Changes of what it says.
    pub version: u64,
    /// When it was opened.
    pub opened: UnixTime,
}

choices! {
    /// Whether an invitation is of use.
    InvitationStanding {
        /// One more enrolment can use it.
        Open = "open",
        /// It was used as often as it may be.
        UsedUp = "used-up",
        /// Its time is over.
        Over = "over",
        /// It was taken back.
        Revoked = "revoked",
    }
}

/// Which invitations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvitationFilter {
    /// Part of the remark or of the id.
    pub search: Option<Search>,
    /// Whether they are of use.
    pub standing: Option<InvitationStanding>,
}

/// One invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRow {
    /// Its name.
    pub id: InvitationId,
    /// The operator's own remark.
    pub note: Option<String>,
    /// Enrolments it is good for.
    pub uses: u32,
    /// Enrolments it was used for.
    pub used: u32,
    /// Whether it is of use.
    pub standing: InvitationStanding,
    /// When it was made.
    pub created: UnixTime,
    /// When it ends.
    pub expires: UnixTime,
}

/// Which machine clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// Part of the name or of the id.
    pub search: Option<Search>,
    /// Only those that were not taken back.
    pub in_use: bool,
}

choices! {
    /// How far a rights request is.
    RightsStanding {
        /// It waits for an answer.
        Open = "open",
        /// It waits, and its time is over.
        Overdue = "overdue",
        /// It was answered.
        Closed = "closed",
    }
}

choices! {
    /// The order of rights requests. What waits comes before what was answered.
    RightsSort {
        /// By deadline.
        Due = "due",
        /// By when they were opened.
        Opened = "opened",
    }
}

/// Which rights requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RightsFilter {
    /// Part of the subject's DID or of the request's id.
    pub search: Option<Search>,
    /// How far they are.
    pub standing: Option<RightsStanding>,
    /// For what.
    pub right: Option<Right>,
}

/// One rights request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightsRow {
    /// Its name.
    pub id: RightsRequestId,
    /// Whose; `None` once they are erased.
    pub subject: Option<SubjectId>,
    /// For what.
    pub right: Right,
    /// The name of its state in DPV, without prefix and in small letters.
    pub state: String,
    /// When it was opened.
    pub opened: UnixTime,
    /// When it must be answered.
    pub due: UnixTime,
    /// When it was.
    pub closed: Option<UnixTime>,
}

choices! {
    /// The order of invitations.
    InvitationSort {
        /// By when they were made.
        Created = "created",
        /// By when they end.
        Expires = "expires",
    }
}

choices! {
    /// What became of an event for a relying party.
    DeliveryState {
        /// It is sent again later.
        Waiting = "waiting",
        /// It has arrived.
        Delivered = "delivered",
        /// It was given up.
        Dead = "dead",
    }
}

/// Which events for relying parties.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Part of the relying party's name.
    pub search: Option<Search>,
    /// What became of them.
    pub state: Option<DeliveryState>,
    /// For one relying party.
    pub relying_party: Option<String>,
}

/// An event on its way to a relying party. Its payload is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its `jti`.
    pub id: String,
    /// To whom: id and name.
    pub relying_party: (String, String),
    /// What happened.
    pub event: String,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was made.
    pub made: UnixTime,
    /// When it is sent again at the earliest.
    pub next: UnixTime,
    /// When it arrived or was given up.
    pub ended: Option<UnixTime>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// An optional column.
fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn seconds(time: UnixTime) -> String {
    time.0.to_string()
}

impl CsvRow for SubjectRow {
    const COLUMNS: &'static [&'static str] = &[
        "subject",
        "since",
        "live_consents",
        "live_enrolments",
        "verdicts",
        "last_verdict",
        "restricted",
        "open_requests",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.subject.to_string(),
            seconds(self.since),
            self.consents.to_string(),
            self.enrolments.to_string(),
            self.verdicts.to_string(),
            text(self.last_verdict.map(|time| time.0)),
            self.restricted.to_string(),
            self.open_requests.to_string(),
        ]
    }

    fn place(&self) -> Place {
        Place {
            at: self.since,
            id: self.subject.to_string(),
        }
    }
}

impl CsvRow for ConsentRow {
    const COLUMNS: &'static [&'static str] = &[
        "consent",
        "subject",
        "purpose",
        "recipient",
        "notice",
        "state",
        "given",
        "expires",
        "ended",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.subject.to_string(),
            self.purpose.as_str().to_owned(),
            text(self.recipient.as_ref().map(Audience::as_str)),
            self.notice.to_string(),
            self.state.as_str().to_owned(),
            seconds(self.given),
            seconds(self.expires),
            text(self.ended.map(|time| time.0)),
        ]
    }

    fn place(&self) -> Place {
        Place {
            at: self.given,
            // A consent's id is unique among its subject's only.
            id: format!("{} {}", self.subject, self.id),
        }
    }
}

impl CsvRow for IssuanceRow {
    const COLUMNS: &'static [&'static str] = &[
        "issuance",
        "kind",
        "subject",
        "client",
        "credential",
        "state",
        "issued",
        "copies",
        "status_list",
        "status_index",
    ];

    fn fields(&self) -> Vec<String> {
        let client = self.client.as_ref();
        vec![
            self.id.to_string(),
            self.kind.as_str().to_owned(),
            text(self.subject.as_ref()),
            text(client.map(|(id, _)| id)),
            text(client.and_then(|(_, name)| name.as_ref())),
            self.standing.as_str().to_owned(),
            seconds(self.issued),
            self.copies.to_string(),
            text(self.entry.map(|entry| entry.list)),
            text(self.entry.map(|entry| entry.index)),
        ]
    }

    fn place(&self) -> Place {
        Place {
            at: self.issued,
            id: self.id.to_string(),
        }
    }
}

impl CsvRow for InvitationRow {
    const COLUMNS: &'static [&'static str] = &[
        "invitation",
        "note",
        "uses",
        "used",
        "state",
        "created",
        "expires",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            text(self.note.as_ref()),
            self.uses.to_string(),
            self.used.to_string(),
            self.standing.as_str().to_owned(),
            seconds(self.created),
            seconds(self.expires),
        ]
    }

    fn place(&self) -> Place {
        Place {
            at: self.created,
            id: self.id.to_string(),
        }
    }
}

impl CsvRow for RightsRow {
    const COLUMNS: &'static [&'static str] = &[
        "request", "subject", "right", "state", "opened", "due", "closed",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            text(self.subject.as_ref()),
            self.right.as_str().to_owned(),
            self.state.clone(),
            seconds(self.opened),
            seconds(self.due),
            text(self.closed.map(|time| time.0)),
        ]
    }

    fn place(&self) -> Place {
        Place {
            at: self.opened,
            id: self.id.to_string(),
        }
    }
}

impl CsvRow for DeliveryRow {
    const COLUMNS: &'static [&'static str] = &[
        "event_id",
        "relying_party",
        "event",
        "state",
        "attempts",
        "made",
        "ended",
        "error",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.relying_party.1.clone(),
            self.event.clone(),
            self.state.as_str().to_owned(),
            self.attempts.to_string(),
            seconds(self.made),
            text(self.ended.map(|time| time.0)),
            text(self.error.as_ref()),
        ]
    }

    fn place(&self) -> Place {
        Place {
            at: self.made,
            id: self.id.clone(),
        }
    }
}
