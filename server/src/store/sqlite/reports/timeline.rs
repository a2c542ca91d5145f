use blindprint_core::{SubjectId, UnixTime};
use sqlx::sqlite::SqliteRow;

use super::{List, Query, equals, subjects::consent_state};
use crate::{
    Result,
    domain::reports::{Extent, Listed, TimeSort, TimelineFilter, TimelineGroup, TimelineRow},
    store::sqlite::{SqliteStore, parsed, parsed_option, time},
};

/// Every event of every subject: the condition on `subject` reaches into each part. `{state}` is a
/// consent's state now.
const EVENTS: &str = "
    (SELECT c.subject, c.given AS at, 'consents' AS part,
            CASE WHEN c.state = 'refused' THEN 'consent.refused' ELSE 'consent.given' END AS kind, c.id, c.purpose AS about,
            NULL AS profile
     FROM consents c
     UNION ALL
     SELECT c.subject, COALESCE(c.withdrawn, c.expires), 'consents', 'consent.' || {state}, c.id, c.purpose, NULL
     FROM consents c WHERE {state} NOT IN ('given', 'refused')
     UNION ALL
     SELECT subject, enrolled, 'enrolments', 'enrolment.registered', id, purpose, profile
     FROM enrolments WHERE enrolled IS NOT NULL
     UNION ALL
     SELECT subject, erased, 'enrolments', 'enrolment.erased', id, purpose, profile
     FROM enrolments WHERE erased IS NOT NULL
     UNION ALL
     SELECT v.subject, v.given, 'verdicts',
            CASE WHEN v.matched THEN 'verdict.matched' ELSE 'verdict.rejected' END,
            v.challenge, v.audience, e.profile
     FROM verdicts v JOIN enrolments e ON e.id = v.enrolment
     UNION ALL
     SELECT subject, issued, 'credentials', 'credential.issued', id, kind, NULL
     FROM issuances WHERE subject IS NOT NULL
     UNION ALL
     SELECT subject, opened, 'rights', 'rights.opened', id, kind, NULL
     FROM rights_requests WHERE subject IS NOT NULL
     UNION ALL
     SELECT subject, closed, 'rights', 'rights.closed', id, kind, NULL
     FROM rights_requests WHERE subject IS NOT NULL AND closed IS NOT NULL) AS events";

pub(super) async fn timeline(
    store: &SqliteStore,
    subject: &SubjectId,
    filter: TimelineFilter,
    extent: &Extent<TimeSort>,
    now: UnixTime,
) -> Result<Listed<TimelineRow>> {
    let which = |query: &mut Query| {
        equals(query, "subject", Some(subject.as_str()));
        equals(query, "part", filter.group.map(TimelineGroup::as_str));
    };
    let events = EVENTS.replace("{state}", &consent_state(now.0));
    let list = List {
        doing: "reading what happened to a subject",
        columns: "at, kind, id, about, profile",
        from: &events,
        time: "at",
        key: "kind || ' ' || id",
    };
    let order = |TimeSort::Time| "at";
    let row = |row: &SqliteRow| {
        Ok(TimelineRow {
            at: time(row, "at")?,
            kind: parsed(row, "kind")?,
            id: parsed(row, "id")?,
            about: parsed_option(row, "about")?,
            profile: parsed_option(row, "profile")?,
        })
    };
    list.read(store, which, extent, order, row).await
}
