//! The service's memory, as named methods: no caller sees SQL.
//!
//! To add a method: state here what it must keep, implement it for each database with the same
//! SQL text (`$n`, `ON CONFLICT … RETURNING`), and add its case to `conformance.rs`, which runs
//! on every database. A method is one transaction; once it returns, what it wrote survives
//! `kill -9` and loss of power.

mod admin;
#[cfg(test)]
mod conformance;
mod credentials;
mod ledger;
mod notices;
mod reports;
mod rights;
mod sign_in;
mod sqlite;

use async_trait::async_trait;
use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Entropy, InvitationId, Nonce, SubjectId, UnixTime,
};

pub use admin::AdminStore;
pub use credentials::{CredentialStore, HostingStore};
pub use ledger::LedgerStore;
pub use notices::NoticeStore;
pub use reports::ReportStore;
pub use rights::{
    CaseFilter, IssuanceRecord, NotOpened, RelyingPartyStore, RetentionStore, RightsStore,
};
pub use sign_in::SignInStore;
pub use sqlite::SqliteStore;

use crate::{
    Result,
    domain::{
        Attempt, ClientId, ClientRecord, NotRedeemed, OfferRecord, Redemption, TokenRecord,
        ledger::{Draft, Stamp},
        record::{
            ChallengeRecord, ConsentRecord, Effect, EnrolmentRecord, InvitationRecord, NotBegun,
            Operation, PendingEnrolment, Recalled, StoredAnswer, SubjectKeys, VerdictRecord,
        },
    },
};

/// Everything that a database must do.
#[async_trait]
pub trait Store:
    RequestStore
    + SubjectStore
    + OperationStore
    + VerdictStore
    + InvitationStore
    + CredentialStore
    + HostingStore
    + AdminStore
    + OpenIdStore
    + ReportStore
    + LedgerStore
    + NoticeStore
    + RightsStore
    + RelyingPartyStore
    + RetentionStore
    + SignInStore
    + Send
    + Sync
{
    /// Whether the database answers.
    async fn ping(&self) -> Result<()>;

    /// Makes what was deleted unreadable on the disk.
    async fn purge(&self) -> Result<()>;

    /// The digest that public material must have, if it was fetched before.
    async fn material_digest(&self, key: Digest, part: &str) -> Result<Option<Digest>>;

    /// Remembers the digest of public material.
    async fn record_material(&self, key: Digest, part: &str, digest: Digest) -> Result<()>;

    /// Forgets proofs, challenges and answers that are over at `now`; answers begun before
    /// `answers_before` are.
    async fn forget_expired(&self, now: UnixTime, answers_before: UnixTime) -> Result<()>;
}

/// Requests that came before.
#[async_trait]
pub trait RequestStore {
    /// Spends a request proof; `false` if it was spent already.
    async fn spend_proof(&self, jti: Nonce, until: UnixTime) -> Result<bool>;

    /// Claims an idempotency key for a request, or recalls what came of it.
    async fn claim_key(
        &self,
        caller: &str,
        key: &str,
        request: Digest,
        now: UnixTime,
    ) -> Result<Recalled>;

    /// Keeps the answer under a claimed key.
    async fn keep_answer(&self, caller: &str, key: &str, answer: &StoredAnswer) -> Result<()>;

    /// Gives a claimed key back: nothing came of the request.
    async fn release_key(&self, caller: &str, key: &str) -> Result<()>;
}

/// Subjects, their consents and enrolments.
#[async_trait]
pub trait SubjectStore {
    /// The keys that may sign for a subject; `None` before their first consent.
    async fn keys_of(&self, subject: &SubjectId) -> Result<Option<SubjectKeys>>;

    /// Head of a subject's chain of consents; `None` before their first consent.
    async fn consent_head(&self, subject: &SubjectId) -> Result<Option<Digest>>;

    /// One consent. Its id is unique among the subject's own.
    async fn consent(&self, subject: &SubjectId, id: ConsentId) -> Result<Option<ConsentRecord>>;

    /// All consents of a subject, newest first.
    async fn consents_of(&self, subject: &SubjectId) -> Result<Vec<ConsentRecord>>;

    /// One enrolment.
    async fn enrolment(&self, id: EnrolmentId) -> Result<Option<EnrolmentRecord>>;

    /// All enrolments of a subject, newest first.
    async fn enrolments_of(&self, subject: &SubjectId) -> Result<Vec<EnrolmentRecord>>;

    /// The stored template of a live enrolment.
    async fn template(&self, enrolment: EnrolmentId) -> Result<Option<Vec<u8>>>;
}

/// Changes on their way through the enclave.
#[async_trait]
pub trait OperationStore {
    /// Notes that the enclave will be asked for a change.
    async fn begin_operation(
        &self,
        subject: &SubjectId,
        request: &[u8],
        now: UnixTime,
    ) -> Result<i64>;

    /// The same for a consent, with the consent record that it names. An invitation brings in its
    /// subject, if it still may; it brings in the same subject again.
    async fn begin_consent(
        &self,
        subject: &SubjectId,
        invitation: Option<InvitationId>,
        asked: (&[u8], &str),
        now: UnixTime,
    ) -> Result<Result<i64, NotBegun>>;

    /// The same for an enrolment: its template and the use of its invitation are noted with it.
    async fn begin_enrolment(
        &self,
        pending: &PendingEnrolment,
        request: &[u8],
        now: UnixTime,
    ) -> Result<Result<i64, NotBegun>>;

    /// Operations without an outcome, oldest first: of one subject, or of all.
    async fn unfinished_operations(&self, subject: Option<&SubjectId>) -> Result<Vec<Operation>>;

    /// Records the outcome of an operation and forgets that it was under way, as one. An outcome
    /// that is recorded twice changes nothing the second time. The drafts are logged with it, and so
    /// is what becomes of credentials.
    async fn finish_operation(
        &self,
        sequence: i64,
        effects: &[Effect],
        drafts: &[Draft],
        stamp: Stamp<'_>,
    ) -> Result<()>;
}

/// Challenges and verdicts.
#[async_trait]
pub trait VerdictStore {
    /// Remembers a challenge.
    async fn record_challenge(&self, challenge: &ChallengeRecord) -> Result<()>;

    /// One challenge.
    async fn challenge(&self, challenge: Nonce) -> Result<Option<ChallengeRecord>>;

    /// Reserves a challenge for one probe; `false` if another probe has it.
    async fn claim_challenge(&self, challenge: Nonce, probe: Digest) -> Result<bool>;

    /// Remembers a verdict and logs it, unless there is one on its challenge.
    async fn record_verdict(&self, verdict: &VerdictRecord, entropy: &dyn Entropy) -> Result<()>;

    /// Notes how long a verdict took.
    async fn measure_verdict(&self, challenge: Nonce, milliseconds: u32) -> Result<()>;

    /// The verdict on a challenge.
    async fn verdict(&self, challenge: Nonce) -> Result<Option<VerdictRecord>>;

    /// How many verdicts a subject was given.
    async fn count_verdicts(&self, subject: &SubjectId) -> Result<u64>;
}

/// Invitations.
#[async_trait]
pub trait InvitationStore {
    /// Remembers an invitation; one that is known already stays as it is.
    async fn record_invitation(&self, invitation: &InvitationRecord) -> Result<()>;

    /// One invitation.
    async fn invitation(&self, id: InvitationId) -> Result<Option<InvitationRecord>>;

    /// All invitations, newest first.
    async fn invitations(&self) -> Result<Vec<InvitationRecord>>;

    /// Takes an invitation back; `false` if there is none of that name.
    async fn revoke_invitation(&self, id: InvitationId, now: UnixTime) -> Result<bool>;
}

/// Machine clients, offers of credentials and the access tokens of both.
#[async_trait]
pub trait OpenIdStore {
    /// Remembers a machine client.
    async fn record_client(&self, client: &ClientRecord) -> Result<()>;

    /// One machine client.
    async fn client(&self, id: ClientId) -> Result<Option<ClientRecord>>;

    /// All machine clients, newest first.
    async fn clients(&self) -> Result<Vec<ClientRecord>>;

    /// Takes a machine client back, and its tokens with it; `false` if there is none of that name.
    async fn revoke_client(&self, id: ClientId, now: UnixTime) -> Result<bool>;

    /// Remembers a machine client's token.
    async fn record_token(&self, token: &TokenRecord) -> Result<()>;

    /// One token. A revoked client's is none.
    async fn token(&self, token: Digest) -> Result<Option<TokenRecord>>;

    /// Remembers an offer; one that is known already stays as it is. `false` if its subject has
    /// `most` others.
    async fn record_offer(&self, offer: &OfferRecord, most: u32) -> Result<bool>;

    /// One offer.
    async fn offer(&self, offer: Digest) -> Result<Option<OfferRecord>>;

    /// Redeems an offer for a token, as one: a code that is spent has its token. A wrong transaction
    /// code is counted; a second redemption ends the first one's token.
    async fn redeem_offer(
        &self,
        attempt: &Attempt,
        token: &TokenRecord,
        now: UnixTime,
    ) -> Result<Result<OfferRecord, NotRedeemed>>;

    /// What an offer was redeemed for so far.
    async fn redemptions(&self, offer: Digest) -> Result<Vec<Redemption>>;

    /// Remembers what an offer was redeemed for.
    async fn record_redemption(&self, redemption: &Redemption) -> Result<()>;

    /// Remembers what became of a redemption of this offer; `false` if there is none of that name.
    async fn notify(&self, offer: Digest, notification: &str, event: &str) -> Result<bool>;
}
