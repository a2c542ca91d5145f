//! What the service remembers of notices, and what ends under them.

use async_trait::async_trait;
use blindprint_consent::Notice;
use blindprint_core::{ConsentId, Digest, EnrolmentId, SubjectId, UnixTime};

use crate::{
    Result,
    domain::{Altered, PublishedFile, ledger::Stamp},
};

/// Notices that were published, and consents under them.
#[async_trait]
pub trait NoticeStore {
    /// Remembers files that are in force now. Says which of all that ever were are not among them as
    /// they were.
    async fn publish_notices(&self, files: &[PublishedFile]) -> Result<Vec<Altered>>;

    /// Keeps what people were shown; what is kept already stays.
    async fn keep_notice(&self, notice: &Notice) -> Result<()>;

    /// A notice that was kept.
    async fn notice(&self, digest: Digest) -> Result<Option<Notice>>;

    /// Writes down that consents are over at the stamp's time, and logs it; at most `most`. Returns how
    /// many.
    async fn expire_consents(&self, most: u32, stamp: Stamp<'_>) -> Result<usize>;

    /// Consents that stand under a version of a notice, at most `most`.
    async fn consents_under(
        &self,
        name: &str,
        version: u32,
        most: u32,
    ) -> Result<Vec<(SubjectId, ConsentId)>>;

    /// Live enrolments that no consent has covered since `since`, at most `most`.
    async fn uncovered_enrolments(
        &self,
        since: UnixTime,
        most: u32,
    ) -> Result<Vec<(SubjectId, EnrolmentId)>>;
}
