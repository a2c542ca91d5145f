use async_trait::async_trait;
use blindprint_core::{SubjectId, UnixTime};

use crate::{
    Result,
    domain::{
        ClientRecord,
        reports::{
            AudienceRow, AudienceSort, ClientFilter, ConsentFilter, ConsentRow, ConsentSort,
            Counts, DeliveryFilter, DeliveryRow, EnrolmentSeries, Extent, InvitationFilter,
            InvitationRow, InvitationSort, IssuanceFilter, IssuanceRow, ListRow, Listed,
            PageNumber, RightsFilter, RightsRow, RightsSort, Search, Sorted, Span, SubjectFilter,
            SubjectRow, SubjectSort, TimeSort, TimelineFilter, TimelineRow, VerdictSeries,
        },
    },
};

/// What people who run the service see of its memory. Nothing is changed, and nothing biometric, no
/// ciphertext and no secret is read.
#[async_trait]
pub trait ReportStore {
    /// How many there are of everything.
    async fn counts(&self, now: UnixTime) -> Result<Counts>;

    /// Enrolments of the last 30 days.
    async fn enrolment_series(&self, now: UnixTime) -> Result<EnrolmentSeries>;

    /// Verdicts of a span.
    async fn verdict_series(&self, span: Span, now: UnixTime) -> Result<VerdictSeries>;

    /// Verdicts by relying party since the beginning of a span; `search` is part of the name.
    async fn audience_rows(
        &self,
        search: Option<&Search>,
        since: UnixTime,
        page: (PageNumber, Sorted<AudienceSort>),
    ) -> Result<Listed<AudienceRow>>;

    /// Subjects.
    async fn subject_rows(
        &self,
        filter: &SubjectFilter,
        extent: &Extent<SubjectSort>,
        now: UnixTime,
    ) -> Result<Listed<SubjectRow>>;

    /// One subject.
    async fn subject_row(&self, subject: &SubjectId, now: UnixTime) -> Result<Option<SubjectRow>>;

    /// What happened to one subject.
    async fn timeline(
        &self,
        subject: &SubjectId,
        filter: TimelineFilter,
        extent: &Extent<TimeSort>,
        now: UnixTime,
    ) -> Result<Listed<TimelineRow>>;

    /// Consents.
    async fn consent_rows(
        &self,
        filter: &ConsentFilter,
        extent: &Extent<ConsentSort>,
        now: UnixTime,
    ) -> Result<Listed<ConsentRow>>;

    /// Credentials that were issued.
    async fn issuance_rows(
        &self,
        filter: &IssuanceFilter,
        extent: &Extent<TimeSort>,
    ) -> Result<Listed<IssuanceRow>>;

    /// Status lists, newest first.
    async fn list_rows(&self, page: PageNumber) -> Result<Listed<ListRow>>;

    /// Rights requests.
    async fn rights_rows(
        &self,
        filter: &RightsFilter,
        extent: &Extent<RightsSort>,
        now: UnixTime,
    ) -> Result<Listed<RightsRow>>;

    /// Events for relying parties.
    async fn delivery_rows(
        &self,
        filter: &DeliveryFilter,
        extent: &Extent<TimeSort>,
    ) -> Result<Listed<DeliveryRow>>;

    /// Invitations.
    async fn invitation_rows(
        &self,
        filter: &InvitationFilter,
        extent: &Extent<InvitationSort>,
        now: UnixTime,
    ) -> Result<Listed<InvitationRow>>;

    /// Machine clients, newest first.
    async fn client_rows(
        &self,
        filter: &ClientFilter,
        page: PageNumber,
    ) -> Result<Listed<ClientRecord>>;
}
