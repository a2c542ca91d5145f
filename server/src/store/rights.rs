use async_trait::async_trait;
use blindprint_core::{
    Digest, EnrolmentId, Nonce, RightsRequestId, SubjectId, UnixTime, statement::Right,
};

use crate::{
    Result,
    domain::{
        ledger::{Draft, Stamp},
        notifying::{Job, JobId, JobState},
        record::{EnrolmentRecord, VerdictRecord},
        relying_parties::{RelyingParty, RelyingPartyId},
        retention::{Expired, Policy},
        rights::{Case, RightsState, SealedCertificate},
    },
};

/// Why a request could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOpened {
    /// The id is taken.
    Taken,
    /// The subject has as many that are not over as one may have.
    TooMany,
}

/// Which requests an officer wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// Only those that are not over, or only those that are.
    pub open: Option<bool>,
    /// In this state.
    pub state: Option<RightsState>,
    /// By this right.
    pub right: Option<Right>,
    /// Of this subject.
    pub subject: Option<SubjectId>,
    /// Due before this.
    pub due_before: Option<UnixTime>,
}

/// A credential that was issued to a subject, as the service remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuanceRecord {
    /// Its name.
    pub id: String,
    /// What it says: `enrolment`, `authentication` or `consent-receipt`.
    pub kind: String,
    /// What it stands on, if that is an enrolment.
    pub enrolment: Option<EnrolmentId>,
    /// What it stands on, if that is a consent.
    pub consent: Option<String>,
    /// What the status lists say of it.
    pub state: String,
    /// Copies with an entry in a status list.
    pub copies: u32,
    /// When.
    pub issued: UnixTime,
}

/// Requests about rights, and what is known of a subject.
#[async_trait]
pub trait RightsStore {
    /// Remembers a new request, unless its subject has `most` that are not over.
    async fn open_case(
        &self,
        case: &Case,
        most: u32,
        drafts: &[Draft],
        stamp: Stamp<'_>,
    ) -> Result<Result<(), NotOpened>>;

    /// One request.
    async fn case(&self, id: RightsRequestId) -> Result<Option<Case>>;

    /// All requests of a subject, newest first.
    async fn cases_of(&self, subject: &SubjectId) -> Result<Vec<Case>>;

    /// Requests that are not over, the next due first.
    async fn open_cases(&self) -> Result<Vec<Case>>;

    /// A page of requests, newest first, and how many there are.
    async fn cases(&self, filter: &CaseFilter, skip: u32, most: u32) -> Result<(Vec<Case>, u64)>;

    /// Keeps a request as it stands now; `false` if it is not at the version that it was moved from.
    async fn move_case(&self, case: &Case, drafts: &[Draft], stamp: Stamp<'_>) -> Result<bool>;

    /// Whether some request of the subject keeps anything from being compared.
    async fn is_restricted(&self, subject: &SubjectId) -> Result<bool>;

    /// A page of a subject's verdicts, oldest first, after the one on `after`.
    async fn verdicts_of(
        &self,
        subject: &SubjectId,
        after: Option<(UnixTime, Nonce)>,
        most: u32,
    ) -> Result<Vec<VerdictRecord>>;

    /// The credentials issued to a subject, oldest first.
    async fn issuances_of(&self, subject: &SubjectId) -> Result<Vec<IssuanceRecord>>;

    /// Whose credential has this place in a status list; `None` if it is nobody's or does not stand.
    async fn subject_of_entry(&self, list: i64, position: u32) -> Result<Option<SubjectId>>;

    /// Destroys what is kept about a request's subject, keeps the request as it stands now, and notes
    /// whom to tell, as one. What stays is listed in `docs/rights.md`. `false` if the request is not
    /// at the version that it was moved from.
    async fn forget_subject(&self, case: &Case, jobs: &[Job], stamp: Stamp<'_>) -> Result<bool>;

    /// Keeps a certificate and the request, which names nobody any more, as one. `false` if the request
    /// is not at the version that it was moved from.
    async fn keep_certificate(
        &self,
        case: &Case,
        certificate: &SealedCertificate,
        drafts: &[Draft],
        stamp: Stamp<'_>,
    ) -> Result<bool>;

    /// A certificate.
    async fn certificate(&self, name: Digest) -> Result<Option<SealedCertificate>>;
}

/// Relying parties, and what they are told.
#[async_trait]
pub trait RelyingPartyStore {
    /// Remembers one; `false` if there is one for its audience.
    async fn record_relying_party(&self, party: &RelyingParty) -> Result<bool>;

    /// One of them.
    async fn relying_party(&self, id: RelyingPartyId) -> Result<Option<RelyingParty>>;

    /// All of them, by name.
    async fn relying_parties(&self) -> Result<Vec<RelyingParty>>;

    /// Changes what is said of one; `false` if there is none of that name or its audience is another's.
    async fn change_relying_party(&self, party: &RelyingParty) -> Result<bool>;

    /// Forgets one, and what it was still to be told; `false` if there is none of that name.
    async fn remove_relying_party(&self, id: RelyingPartyId) -> Result<bool>;

    /// Those with a webhook that a verdict on the subject was for.
    async fn recipients(&self, subject: &SubjectId) -> Result<Vec<RelyingPartyId>>;

    /// Notes something to tell; what is noted already stays.
    async fn queue(&self, jobs: &[Job]) -> Result<()>;

    /// Takes the job that waits longest and is due, for as long as the lease; `None` if none is.
    async fn lease_job(&self, now: UnixTime, until: UnixTime) -> Result<Option<Job>>;

    /// The job arrived: its payload goes.
    async fn job_done(&self, id: JobId, now: UnixTime) -> Result<()>;

    /// The job failed: it waits until `next`, or is dead if there is none.
    async fn job_failed(
        &self,
        id: JobId,
        error: &str,
        next: Option<UnixTime>,
        now: UnixTime,
    ) -> Result<()>;

    /// Sends a dead job again; `false` if it is not dead.
    async fn revive_job(&self, id: JobId, now: UnixTime) -> Result<bool>;

    /// A page of jobs, newest first, and how many there are.
    async fn jobs(&self, state: Option<JobState>, skip: u32, most: u32) -> Result<(Vec<Job>, u64)>;
}

/// What has been kept long enough.
#[async_trait]
pub trait RetentionStore {
    /// What a policy would delete at `now`.
    async fn expired(&self, policy: &Policy, now: UnixTime) -> Result<Expired>;

    /// Deletes what is over at the stamp's time, but for enrolments, whose end the enclave must bring about, and logs that it did.
    async fn reap(&self, policy: &Policy, stamp: Stamp<'_>) -> Result<Expired>;

    /// Live enrolments that were neither made nor used since `since`, at most `most`.
    async fn idle_enrolments(&self, since: UnixTime, most: u32) -> Result<Vec<EnrolmentRecord>>;
}
