//! The queries of the dashboard. Each names its columns one by one: templates, probes, statements,
//! receipts and secrets are never among them.

mod issued;
mod overview;
mod subjects;
mod timeline;

use async_trait::async_trait;
use blindprint_core::{SubjectId, UnixTime};
use sqlx::{QueryBuilder, Row as _, Sqlite, sqlite::SqliteRow};

use super::{SqliteStore, corrupt, failed};
use crate::{
    Result,
    domain::{
        ClientRecord,
        reports::{
            AudienceRow, AudienceSort, ClientFilter, ConsentFilter, ConsentRow, ConsentSort,
            Counts, DeliveryFilter, DeliveryRow, EXPORT_BATCH, EnrolmentSeries, Extent,
            InvitationFilter, InvitationRow, InvitationSort, IssuanceFilter, IssuanceRow, ListRow,
            Listed, PAGE_ROWS, PageNumber, RightsFilter, RightsRow, RightsSort, Search, Sorted,
            Span, SubjectFilter, SubjectRow, SubjectSort, TimeSort, TimelineFilter, TimelineRow,
            VerdictSeries,
        },
    },
    store::ReportStore,
};

#[async_trait]
impl ReportStore for SqliteStore {
    async fn counts(&self, now: UnixTime) -> Result<Counts> {
        overview::counts(self, now).await
    }

    async fn enrolment_series(&self, now: UnixTime) -> Result<EnrolmentSeries> {
        overview::enrolment_series(self, now).await
    }

    async fn verdict_series(&self, span: Span, now: UnixTime) -> Result<VerdictSeries> {
        overview::verdict_series(self, span, now).await
    }

    async fn audience_rows(
        &self,
        search: Option<&Search>,
        since: UnixTime,
        page: (PageNumber, Sorted<AudienceSort>),
    ) -> Result<Listed<AudienceRow>> {
        overview::audiences(self, search, since, page).await
    }

    async fn subject_rows(
        &self,
        filter: &SubjectFilter,
        extent: &Extent<SubjectSort>,
        now: UnixTime,
    ) -> Result<Listed<SubjectRow>> {
        subjects::subjects(self, filter, extent, now).await
    }

    async fn subject_row(&self, subject: &SubjectId, now: UnixTime) -> Result<Option<SubjectRow>> {
        subjects::subject(self, subject, now).await
    }

    async fn timeline(
        &self,
        subject: &SubjectId,
        filter: TimelineFilter,
        extent: &Extent<TimeSort>,
        now: UnixTime,
    ) -> Result<Listed<TimelineRow>> {
        timeline::timeline(self, subject, filter, extent, now).await
    }

    async fn consent_rows(
        &self,
        filter: &ConsentFilter,
        extent: &Extent<ConsentSort>,
        now: UnixTime,
    ) -> Result<Listed<ConsentRow>> {
        subjects::consents(self, filter, extent, now).await
    }

    async fn issuance_rows(
        &self,
        filter: &IssuanceFilter,
        extent: &Extent<TimeSort>,
    ) -> Result<Listed<IssuanceRow>> {
        issued::issuances(self, filter, extent).await
    }

    async fn list_rows(&self, page: PageNumber) -> Result<Listed<ListRow>> {
        issued::lists(self, page).await
    }

    async fn rights_rows(
        &self,
        filter: &RightsFilter,
        extent: &Extent<RightsSort>,
        now: UnixTime,
    ) -> Result<Listed<RightsRow>> {
        subjects::rights(self, filter, extent, now).await
    }

    async fn delivery_rows(
        &self,
        filter: &DeliveryFilter,
        extent: &Extent<TimeSort>,
    ) -> Result<Listed<DeliveryRow>> {
        issued::deliveries(self, filter, extent).await
    }

    async fn invitation_rows(
        &self,
        filter: &InvitationFilter,
        extent: &Extent<InvitationSort>,
        now: UnixTime,
    ) -> Result<Listed<InvitationRow>> {
        issued::invitations(self, filter, extent, now).await
    }

    async fn client_rows(
        &self,
        filter: &ClientFilter,
        page: PageNumber,
    ) -> Result<Listed<ClientRecord>> {
        issued::clients(self, filter, page).await
    }
}

type Query = QueryBuilder<Sqlite>;

/// One list: what is selected from where, and which rows of it come first.
struct List<'a> {
    doing: &'static str,
    columns: &'a str,
    from: &'a str,
    /// The column that exports are ordered by.
    time: &'a str,
    /// What tells rows of one second apart, as [`super::super::super::domain::reports::Place`] names it.
    key: &'a str,
}

impl List<'_> {
    /// The rows that `filter` leaves, which adds conditions as ` AND …`.
    async fn read<S: Copy, T>(
        &self,
        store: &SqliteStore,
        filter: impl Fn(&mut Query),
        extent: &Extent<S>,
        order: impl Fn(S) -> &'static str,
        row: impl Fn(&SqliteRow) -> Result<T>,
    ) -> Result<Listed<T>> {
        let mut query = self.select(self.columns, &filter);
        match extent {
            Extent::Page(page, sorted) => {
                let way = if sorted.descending { "DESC" } else { "ASC" };
                let by = order(sorted.by);
                // What is missing comes last, whichever way.
                query.push(format!(
                    " ORDER BY {by} IS NULL, {by} {way}, {} {way}",
                    self.key
                ));
                query.push(" LIMIT ").push_bind(i64::from(PAGE_ROWS));
                query.push(" OFFSET ").push_bind(i64::from(page.offset()));
            }
            Extent::After(place) => {
                let (time, key) = (self.time, self.key);
                if let Some(place) = place {
                    query.push(format!(" AND ({time}, {key}) > ("));
                    query.push_bind(place.at.0).push(", ");
                    query.push_bind(place.id.clone()).push(")");
                }
                query.push(format!(" ORDER BY {time}, {key} LIMIT "));
                query.push_bind(i64::from(EXPORT_BATCH));
            }
        }
        let found = query.build().fetch_all(&store.readers).await;
        let rows: Vec<T> = found
            .map_err(failed(self.doing))?
            .iter()
            .map(row)
            .collect::<Result<_>>()?;
        let total = match extent {
            Extent::Page(..) => {
                let mut query = self.select("COUNT(*) AS total", &filter);
                let counted = query.build().fetch_one(&store.readers).await;
                whole(&counted.map_err(failed(self.doing))?, "total")?
            }
            Extent::After(_) => rows.len() as u64,
        };
        Ok(Listed { rows, total })
    }

    fn select(&self, columns: &str, filter: &impl Fn(&mut Query)) -> Query {
        let mut query = Query::new(format!("SELECT {columns} FROM {} WHERE 1 = 1", self.from));
        filter(&mut query);
        query
    }
}

/// That one of these columns holds what is searched for.
fn searched(query: &mut Query, columns: &[&str], search: Option<&Search>) {
    let Some(search) = search else { return };
    query.push(" AND (");
    for (number, column) in columns.iter().enumerate() {
        if number > 0 {
            query.push(" OR ");
        }
        query.push(format!("LOWER({column}) LIKE "));
        query.push_bind(search.pattern()).push(r" ESCAPE '\'");
    }
    query.push(")");
}

/// That a column or an expression has this value.
fn equals(query: &mut Query, expression: &str, value: Option<&str>) {
    if let Some(value) = value {
        query.push(format!(" AND {expression} = "));
        query.push_bind(value.to_owned());
    }
}

/// A number that is never negative.
fn whole(row: &SqliteRow, column: &str) -> Result<u64> {
    let number: i64 = row.try_get(column).map_err(corrupt)?;
    number.try_into().map_err(corrupt)
}
