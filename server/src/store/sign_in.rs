use async_trait::async_trait;
use blindprint_core::{ConsentId, Digest, Jws, SubjectId, UnixTime};

use crate::{
    Result,
    domain::sign_in::{BrowserId, BrowserRecord},
};

/// Browsers in which subjects are signed in. They go with their subject.
#[async_trait]
pub trait SignInStore {
    /// Remembers one; those used longest ago go, so that its subject has `most`.
    async fn record_browser(&self, browser: &BrowserRecord, most: u32) -> Result<()>;

    /// The one with this cookie.
    async fn browser(&self, secret: Digest) -> Result<Option<BrowserRecord>>;

    /// All of a subject, the latest used first.
    async fn browsers_of(&self, subject: &SubjectId) -> Result<Vec<BrowserRecord>>;

    /// Notes that one was used.
    async fn touch_browser(&self, id: BrowserId, now: UnixTime) -> Result<()>;

    /// Notes that its subject has signed again; `false` if it is gone.
    async fn prove_browser(&self, id: BrowserId, sign_in: &Jws, now: UnixTime) -> Result<bool>;

    /// Ends one of a subject's; `false` if there is none of that name.
    async fn end_browser(&self, subject: &SubjectId, id: BrowserId) -> Result<bool>;

    /// Forgets those last used or begun so long ago.
    async fn forget_browsers(&self, seen_before: UnixTime, begun_before: UnixTime) -> Result<()>;

    /// Keeps by which statement somebody was signed in who withdraws a consent; the first stays.
    async fn record_page_withdrawal(
        &self,
        subject: &SubjectId,
        consent: ConsentId,
        sign_in: &Jws,
        now: UnixTime,
    ) -> Result<()>;

    /// That statement.
    async fn page_withdrawal(&self, subject: &SubjectId, consent: ConsentId)
    -> Result<Option<Jws>>;
}
