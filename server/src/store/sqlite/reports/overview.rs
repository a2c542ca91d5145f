use blindprint_core::UnixTime;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Query, searched, whole};
use crate::{
    Result,
    domain::reports::{
        AudienceRow, AudienceSort, Counts, Day, EnrolmentSeries, Listed, PAGE_ROWS, PageNumber,
        Search, Sorted, Span, VerdictBucket, VerdictSeries,
    },
    store::sqlite::{SqliteStore, corrupt, failed, parsed, time},
};

pub(super) async fn counts(store: &SqliteStore, now: UnixTime) -> Result<Counts> {
    let row = sqlx::query(
        "SELECT
           (SELECT COUNT(*) FROM subjects) AS subjects,
           (SELECT COUNT(*) FROM consents
            WHERE state = 'given' AND given <= $1 AND expires > $1) AS consents,
           (SELECT COUNT(*) FROM enrolments WHERE state = 'live') AS enrolments,
           (SELECT COUNT(*) FROM enrolments WHERE state = 'pending') AS pending,
           (SELECT COUNT(*) FROM enrolments WHERE state = 'erased') AS erased,
           (SELECT COUNT(*) FROM verdicts) AS verdicts,
           (SELECT COUNT(*) FROM issuances WHERE state = 'valid') AS credentials,
           (SELECT COUNT(*) FROM invitations
            WHERE used < uses AND expires > $1 AND revoked IS NULL) AS invitations,
           (SELECT COUNT(*) FROM operations) AS unfinished,
           (SELECT COUNT(*) FROM rights_requests WHERE closed IS NULL) AS open_requests,
           (SELECT COUNT(*) FROM rights_requests
            WHERE closed IS NULL AND due < $1) AS overdue_requests,
           (SELECT COUNT(*) FROM jobs WHERE state <> 'delivered') AS undelivered",
    )
    .bind(now.0)
    .fetch_one(&store.readers)
    .await
    .map_err(failed("counting what is kept"))?;
    Ok(Counts {
        subjects: whole(&row, "subjects")?,
        consents: whole(&row, "consents")?,
        enrolments: whole(&row, "enrolments")?,
        pending: whole(&row, "pending")?,
        erased: whole(&row, "erased")?,
        verdicts: whole(&row, "verdicts")?,
        credentials: whole(&row, "credentials")?,
        invitations: whole(&row, "invitations")?,
        unfinished: whole(&row, "unfinished")?,
        open_requests: whole(&row, "open_requests")?,
        overdue_requests: whole(&row, "overdue_requests")?,
        undelivered: whole(&row, "undelivered")?,
    })
}

pub(super) async fn enrolment_series(
    store: &SqliteStore,
    now: UnixTime,
) -> Result<EnrolmentSeries> {
    const DOING: &str = "reading how many were enrolled";
    let begin = EnrolmentSeries::first_day(now).begin();
    let before = sqlx::query(
        "SELECT COUNT(*) AS live FROM enrolments
         WHERE enrolled < $1 AND (erased IS NULL OR erased >= $1)",
    )
    .bind(begin.0)
    .fetch_one(&store.readers)
    .await
    .map_err(failed(DOING))?;
    let rows = sqlx::query(
        "SELECT day, SUM(enrolled) AS enrolled, SUM(erased) AS erased FROM
           (SELECT enrolled / 86400 AS day, 1 AS enrolled, 0 AS erased FROM enrolments
            WHERE enrolled >= $1
            UNION ALL
            SELECT erased / 86400 AS day, 0 AS enrolled, 1 AS erased FROM enrolments
            WHERE erased >= $1) AS changes
         GROUP BY day",
    )
    .bind(begin.0)
    .fetch_all(&store.readers)
    .await
    .map_err(failed(DOING))?;
    let changes: Vec<_> = rows
        .iter()
        .map(|row| {
            let day = Day(row.try_get("day").map_err(corrupt)?);
            Ok((day, whole(row, "enrolled")?, whole(row, "erased")?))
        })
        .collect::<Result<_>>()?;
    Ok(EnrolmentSeries::up_to(
        now,
        whole(&before, "live")?,
        &changes,
    ))
}

/// Percentiles by nearest rank, of the verdicts that were measured.
const VERDICTS: &str = "
    WITH spanned AS (
      SELECT $2 * (given / $2) AS step, matched, milliseconds FROM verdicts WHERE given >= $1
    ),
    ranked AS (
      SELECT step, milliseconds,
             ROW_NUMBER() OVER (PARTITION BY step ORDER BY milliseconds) AS place,
             COUNT(*) OVER (PARTITION BY step) AS measured
      FROM spanned WHERE milliseconds IS NOT NULL
    )
    SELECT counted.step, counted.matched, counted.rejected,
           (SELECT milliseconds FROM ranked
            WHERE ranked.step = counted.step AND place = (measured + 1) / 2) AS median,
           (SELECT milliseconds FROM ranked
            WHERE ranked.step = counted.step AND place = (measured * 95 + 99) / 100) AS p95
    FROM (SELECT step, SUM(CASE WHEN matched THEN 1 ELSE 0 END) AS matched,
                 SUM(CASE WHEN matched THEN 0 ELSE 1 END) AS rejected
          FROM spanned GROUP BY step) AS counted";

pub(super) async fn verdict_series(
    store: &SqliteStore,
    span: Span,
    now: UnixTime,
) -> Result<VerdictSeries> {
    let begin = span.begin(now);
    let known = verdict_buckets(store, begin, span.step()).await?;
    // One step that is longer than all time since 1970 holds the whole span.
    let whole = verdict_buckets(store, begin, i64::MAX).await?;
    let whole = whole.first().copied();
    let whole = whole.unwrap_or(VerdictBucket::empty(begin));
    Ok(VerdictSeries::over(
        span,
        now,
        &known,
        VerdictBucket { at: begin, ..whole },
    ))
}

async fn verdict_buckets(
    store: &SqliteStore,
    begin: UnixTime,
    step: i64,
) -> Result<Vec<VerdictBucket>> {
    let rows = sqlx::query(VERDICTS)
        .bind(begin.0)
        .bind(step)
        .fetch_all(&store.readers)
        .await
        .map_err(failed("reading when verdicts were given"))?;
    rows.iter()
        .map(|row| {
            Ok(VerdictBucket {
                at: time(row, "step")?,
                matched: whole(row, "matched")?,
                rejected: whole(row, "rejected")?,
                median: milliseconds(row, "median")?,
                p95: milliseconds(row, "p95")?,
            })
        })
        .collect()
}

fn milliseconds(row: &SqliteRow, column: &str) -> Result<Option<u32>> {
    let number: Option<i64> = row.try_get(column).map_err(corrupt)?;
    number.map(u32::try_from).transpose().map_err(corrupt)
}

pub(super) async fn audiences(
    store: &SqliteStore,
    search: Option<&Search>,
    since: UnixTime,
    (page, sorted): (PageNumber, Sorted<AudienceSort>),
) -> Result<Listed<AudienceRow>> {
    const DOING: &str = "reading for whom verdicts were given";
    let filtered = |select: &str| {
        let mut query = Query::new(format!("{select} FROM verdicts WHERE given >= "));
        query.push_bind(since.0);
        searched(&mut query, &["audience"], search);
        query
    };
    let mut query = filtered(
        "SELECT audience, COUNT(*) AS verdicts,
                SUM(CASE WHEN matched THEN 1 ELSE 0 END) AS accepted,
                COUNT(DISTINCT subject) AS subjects, MAX(given) AS last",
    );
    let by = match sorted.by {
        AudienceSort::Verdicts => "verdicts",
        AudienceSort::Name => "audience",
        AudienceSort::Acceptance => "SUM(CASE WHEN matched THEN 1000 ELSE 0 END) / COUNT(*)",
        AudienceSort::Last => "last",
    };
    let way = if sorted.descending { "DESC" } else { "ASC" };
    query.push(format!(" GROUP BY audience ORDER BY {by} {way}, audience"));
    query.push(" LIMIT ").push_bind(i64::from(PAGE_ROWS));
    query.push(" OFFSET ").push_bind(i64::from(page.offset()));
    let found = query.build().fetch_all(&store.readers).await;
    let rows = found
        .map_err(failed(DOING))?
        .iter()
        .map(|row| {
            Ok(AudienceRow {
                audience: parsed(row, "audience")?,
                verdicts: whole(row, "verdicts")?,
                matched: whole(row, "accepted")?,
                subjects: whole(row, "subjects")?,
                last: time(row, "last")?,
            })
        })
        .collect::<Result<_>>()?;
    let mut query = filtered("SELECT COUNT(DISTINCT audience) AS total");
    let counted = query.build().fetch_one(&store.readers).await;
    let total = whole(&counted.map_err(failed(DOING))?, "total")?;
    Ok(Listed { rows, total })
}
