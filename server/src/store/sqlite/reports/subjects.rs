use blindprint_core::{
    SubjectId, UnixTime,
    statement::{ConsentState, Purpose, Right},
};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{List, Query, equals, searched};
use crate::{
    Result,
    domain::reports::{
        ConsentFilter, ConsentRow, ConsentSort, EnrolledFilter, Extent, Listed, PageNumber,
        RightsFilter, RightsRow, RightsSort, RightsStanding, Sorted, SubjectFilter, SubjectRow,
        SubjectSort,
    },
    store::sqlite::{
        SqliteStore, corrupt, count, parsed, parsed_option, purpose, time, time_option,
    },
};

const ENROLLED: &str = "EXISTS (SELECT 1 FROM enrolments e
    WHERE e.subject = s.subject AND e.state = 'live')";
const RESTRICTED: &str = "EXISTS (SELECT 1 FROM rights_requests r
    WHERE r.subject = s.subject AND r.restricts)";

pub(super) async fn subjects(
    store: &SqliteStore,
    filter: &SubjectFilter,
    extent: &Extent<SubjectSort>,
    now: UnixTime,
) -> Result<Listed<SubjectRow>> {
    let which = |query: &mut Query| {
        searched(query, &["s.subject"], filter.search.as_ref());
        match filter.enrolled {
            EnrolledFilter::All => query,
            EnrolledFilter::Enrolled => query.push(format!(" AND {ENROLLED}")),
            EnrolledFilter::NotEnrolled => query.push(format!(" AND NOT {ENROLLED}")),
            EnrolledFilter::Restricted => query.push(format!(" AND {RESTRICTED}")),
        };
    };
    read_subjects(store, which, extent, now).await
}

pub(super) async fn subject(
    store: &SqliteStore,
    subject: &SubjectId,
    now: UnixTime,
) -> Result<Option<SubjectRow>> {
    let this = |query: &mut Query| equals(query, "s.subject", Some(subject.as_str()));
    let extent = Extent::Page(PageNumber::FIRST, Sorted::ascending(SubjectSort::Since));
    let found = read_subjects(store, this, &extent, now).await?;
    Ok(found.rows.into_iter().next())
}

async fn read_subjects(
    store: &SqliteStore,
    filter: impl Fn(&mut Query),
    extent: &Extent<SubjectSort>,
    UnixTime(now): UnixTime,
) -> Result<Listed<SubjectRow>> {
    let columns = format!(
        "s.subject, s.since, {RESTRICTED} AS restricted,
         (SELECT COUNT(*) FROM consents c
          WHERE c.subject = s.subject AND {}) AS consents,
         (SELECT COUNT(*) FROM enrolments e
          WHERE e.subject = s.subject AND e.state = 'live') AS enrolments,
         (SELECT COUNT(*) FROM verdicts v WHERE v.subject = s.subject) AS verdicts,
         (SELECT MAX(v.given) FROM verdicts v WHERE v.subject = s.subject) AS last_verdict,
         (SELECT COUNT(*) FROM rights_requests r
          WHERE r.subject = s.subject AND r.closed IS NULL) AS open_requests",
        live(now)
    );
    let list = List {
        doing: "reading the subjects",
        columns: &columns,
        from: "subjects s",
        time: "s.since",
        key: "s.subject",
    };
    let order = |sort| match sort {
        SubjectSort::Since => "s.since",
        SubjectSort::LastVerdict => "last_verdict",
        SubjectSort::Verdicts => "verdicts",
    };
    list.read(store, filter, extent, order, subject_row).await
}

fn subject_row(row: &SqliteRow) -> Result<SubjectRow> {
    Ok(SubjectRow {
        subject: parsed(row, "subject")?,
        since: time(row, "since")?,
        consents: count(row, "consents")?,
        enrolments: count(row, "enrolments")?,
        verdicts: count(row, "verdicts")?,
        last_verdict: time_option(row, "last_verdict")?,
        restricted: row.try_get("restricted").map_err(corrupt)?,
        open_requests: count(row, "open_requests")?,
    })
}

/// The state of the consent `c` at a time.
pub(super) fn consent_state(now: i64) -> String {
    format!("CASE WHEN c.state = 'given' AND c.expires <= {now} THEN 'expired' ELSE c.state END")
}

fn live(now: i64) -> String {
    format!("{} = 'given'", consent_state(now))
}

pub(super) async fn consents(
    store: &SqliteStore,
    filter: &ConsentFilter,
    extent: &Extent<ConsentSort>,
    UnixTime(now): UnixTime,
) -> Result<Listed<ConsentRow>> {
    let state = consent_state(now);
    let which = |query: &mut Query| {
        searched(query, &["c.subject", "c.id"], filter.search.as_ref());
        equals(query, "c.purpose", filter.purpose.map(Purpose::as_str));
        equals(query, &state, filter.state.map(ConsentState::as_str));
    };
    let columns = format!(
        "c.id, c.subject, c.purpose, c.recipient, c.notice, c.given, c.expires,
         c.withdrawn AS ended, {state} AS state"
    );
    let list = List {
        doing: "reading consents",
        columns: &columns,
        from: "consents c",
        time: "c.given",
        key: "c.subject || ' ' || c.id",
    };
    let order = |sort| match sort {
        ConsentSort::Given => "c.given",
        ConsentSort::Expires => "c.expires",
    };
    let row = |row: &SqliteRow| {
        let state: &str = row.try_get("state").map_err(corrupt)?;
        Ok(ConsentRow {
            id: parsed(row, "id")?,
            subject: parsed(row, "subject")?,
            purpose: purpose(row)?,
            recipient: parsed_option(row, "recipient")?,
            notice: parsed(row, "notice")?,
            state: named(ConsentState::ALL, ConsentState::as_str, state)?,
            given: time(row, "given")?,
            expires: time(row, "expires")?,
            ended: time_option(row, "ended")?,
        })
    };
    list.read(store, which, extent, order, row).await
}

/// Whichever of `all` has this name.
fn named<T: Copy>(
    all: impl IntoIterator<Item = T>,
    name: impl Fn(T) -> &'static str,
    text: &str,
) -> Result<T> {
    let mut all = all.into_iter();
    all.find(|one| name(*one) == text)
        .ok_or_else(|| corrupt("an unknown name"))
}

pub(super) async fn rights(
    store: &SqliteStore,
    filter: &RightsFilter,
    extent: &Extent<RightsSort>,
    UnixTime(now): UnixTime,
) -> Result<Listed<RightsRow>> {
    let which = |query: &mut Query| {
        searched(query, &["r.subject", "r.id"], filter.search.as_ref());
        equals(query, "r.kind", filter.right.map(Right::as_str));
        match filter.standing {
            None => query,
            Some(RightsStanding::Open) => query.push(" AND r.closed IS NULL"),
            Some(RightsStanding::Closed) => query.push(" AND r.closed IS NOT NULL"),
            Some(RightsStanding::Overdue) => query
                .push(" AND r.closed IS NULL AND r.due < ")
                .push_bind(now),
        };
    };
    let list = List {
        doing: "reading rights requests",
        columns: "r.id, r.subject, r.kind, r.state, r.opened, r.due, r.closed",
        from: "rights_requests r",
        time: "r.opened",
        key: "r.id",
    };
    let order = |sort| match sort {
        // What was answered has no deadline any more, and comes last.
        RightsSort::Due => "CASE WHEN r.closed IS NULL THEN r.due END",
        RightsSort::Opened => "r.opened",
    };
    let row = |row: &SqliteRow| {
        let right: &str = row.try_get("kind").map_err(corrupt)?;
        Ok(RightsRow {
            id: parsed(row, "id")?,
            subject: parsed_option(row, "subject")?,
            right: named(Right::ALL, Right::as_str, right)?,
            state: row.try_get("state").map_err(corrupt)?,
            opened: time(row, "opened")?,
            due: time(row, "due")?,
            closed: time_option(row, "closed")?,
        })
    };
    list.read(store, which, extent, order, row).await
}
