//! One subject: how they stand, and what happened to them. Nothing biometric is here to be shown.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::{ProfileId, SubjectId, problem::ProblemCode};

use super::{lists, subjects::standing};
use crate::{
    Error,
    domain::{
        admin::Permission,
        record::EnrolmentState,
        reports::{
            Extent, SubjectRow, TimeSort, TimelineFilter, TimelineGroup, TimelineKind, TimelineRow,
        },
    },
    http::{
        App, Problem,
        admin::seat::Seat,
        parameters::Segment,
        web::{
            Badge, Event, Page, Texts, Timeline, Tone,
            listing::Listing,
            show,
            table::{Cell, Column, Table},
        },
    },
};

#[derive(Template)]
#[template(path = "admin/pages/subject.html")]
struct Subject {
    page: Page,
    row: SubjectRow,
    consents: i64,
    verdicts: i64,
    open_requests: i64,
    standing: Badge,
    enrolments: Table,
    timeline: Timeline,
    /// The timeline's filter: its name, its label, whether it is set, and where it leads.
    groups: Vec<(String, bool, String)>,
    total: i64,
    before: Option<String>,
    after: Option<String>,
    csv: String,
    open_request: Option<String>,
}

pub(in crate::http::admin) async fn read(
    seat: Seat,
    listing: Listing,
    Segment(subject): Segment<SubjectId>,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("subjects");
    let t = page.t;
    let now = app.service.clock().now();
    let store = app.service.store();
    let row = store.subject_row(&subject, now).await?;
    let row = row.ok_or(Error::Refused(ProblemCode::NotFound))?;
    let filter = TimelineFilter {
        group: lists::chosen(&listing, "group"),
    };
    if listing.wants_csv() {
        lists::exported(&app, &seat, "timeline").await?;
        return Ok(lists::file("timeline", move |after| {
            let (app, subject) = (Arc::clone(&app), subject.clone());
            async move {
                let extent = Extent::After(after);
                let store = app.service.store();
                Ok(store.timeline(&subject, filter, &extent, now).await?.rows)
            }
        }));
    }
    let extent: Extent<TimeSort> = lists::page(&listing, lists::largest("time"));
    let found = store.timeline(&subject, filter, &extent, now).await?;
    let number = listing.page();
    let turned = |to: u32| listing.link(&[("page", Some(&to.to_string()))]);
    let groups = TimelineGroup::ALL.iter().map(|group| {
        let name = group.as_str();
        let text = t.text(&format!("timeline.group.{name}")).to_owned();
        let changes = [("group", Some(name)), ("page", None)];
        (text, filter.group == Some(*group), listing.link(&changes))
    });
    let everything = (
        t.text("timeline.everything").to_owned(),
        filter.group.is_none(),
        listing.link(&[("group", None), ("page", None)]),
    );
    let enrolments = store.enrolments_of(&subject).await?;
    let enrolments = enrolments.iter().map(|enrolment| {
        let (tone, key) = match enrolment.state {
            EnrolmentState::Pending => (Tone::Info, "subject.enrolment.pending"),
            EnrolmentState::Live => (Tone::Good, "subject.enrolment.live"),
            EnrolmentState::Erased => (Tone::Neutral, "subject.enrolment.erased"),
        };
        vec![
            Cell::Code(enrolment.id.to_string()),
            Cell::Badge(Badge::new(tone, t.text(key))),
            Cell::text(t.text(&format!("purpose.{}", enrolment.purpose.as_str()))),
            Cell::text(operating_point(t, enrolment.profile)),
            Cell::time(enrolment.enrolled),
        ]
    });
    let enrolments = Table::new(
        t,
        "enrolments",
        t.text("subject.enrolments"),
        listing.clone(),
        vec![
            Column::new(t.text("subject.enrolment.id")),
            Column::new(t.text("subject.enrolment.state")),
            Column::new(t.text("subject.enrolment.purpose")),
            Column::new(t.text("subject.enrolment.profile")),
            Column::new(t.text("subject.enrolment.enrolled")),
        ],
    )
    .rows(enrolments)
    .or(
        t.text("subject.no_enrolments"),
        t.text("subject.no_enrolments_hint"),
    );
    let segment = lists::segment(&subject);
    Ok(show(&Subject {
        standing: standing(t, &row),
        enrolments,
        timeline: Timeline {
            t,
            events: found.rows.iter().map(|row| event(t, row)).collect(),
        },
        groups: std::iter::once(everything).chain(groups).collect(),
        total: i64::try_from(found.total).unwrap_or(i64::MAX),
        before: (number > 1).then(|| turned(number - 1)),
        after: (number < found.pages()).then(|| turned(number + 1)),
        csv: listing.link(&[("format", Some("csv")), ("page", None)]),
        open_request: page
            .may(Permission::DecideRequests)
            .then(|| format!("/admin/rights-requests/new?subject={segment}")),
        page,
        consents: row.consents.into(),
        verdicts: row.verdicts.into(),
        open_requests: row.open_requests.into(),
        row,
    }))
}

/// How a comparison under this profile decides, and how often it errs.
fn operating_point(t: Texts, profile: ProfileId) -> String {
    let profile = profile.profile();
    match profile.operating_point {
        Some(point) => format!(
            "{} · {}",
            profile.id,
            t.fill("subject.false_matches", one_in(t, point.fmr))
        ),
        None => format!("{} · {}", profile.id, t.text("subject.not_rated")),
    }
}

/// A rate as "1 in 76,923".
fn one_in(t: Texts, rate: f64) -> String {
    if rate <= 0.0 {
        return t.text("subject.none_seen").to_owned();
    }
    t.fill("subject.one_in", t.decimal(1.0 / rate, 0))
}

fn event(t: Texts, row: &TimelineRow) -> Event {
    use TimelineKind as Kind;
    let tone = match row.kind {
        Kind::ConsentGiven | Kind::Enrolled | Kind::Matched => Tone::Good,
        Kind::Rejected | Kind::ConsentRefused | Kind::ConsentInvalidated => Tone::Attention,
        Kind::ConsentWithdrawn | Kind::Erased => Tone::Bad,
        Kind::CredentialIssued | Kind::RightsOpened | Kind::RightsClosed => Tone::Info,
        Kind::ConsentExpired => Tone::Neutral,
    };
    let family = match row.kind {
        Kind::CredentialIssued => Some("credential.kind"),
        Kind::RightsOpened | Kind::RightsClosed => Some("right"),
        Kind::Matched | Kind::Rejected => None,
        _ => Some("purpose"),
    };
    let about = row.about.as_deref().unwrap_or_default();
    let about = match family {
        Some(family) => t.text(&format!("{family}.{about}")).to_owned(),
        None => t.fill("timeline.for", about),
    };
    let point = row.profile.map(|profile| operating_point(t, profile));
    let parts = [Some(about), point, Some(row.id.clone())];
    let rights = matches!(row.kind, Kind::RightsOpened | Kind::RightsClosed);
    Event {
        at: row.at,
        tone,
        what: t
            .text(&format!(
                "timeline.kind.{}",
                row.kind.as_str().replace('.', "_")
            ))
            .to_owned(),
        detail: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        href: rights.then(|| format!("/admin/rights-requests/{}", row.id)),
    }
}
