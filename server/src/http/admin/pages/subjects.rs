//! Everybody whom the enclave knows.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::lists;
use crate::{
    domain::reports::{EnrolledFilter, Extent, SubjectFilter, SubjectRow},
    http::{
        App, Problem,
        admin::seat::Seat,
        web::{
            Badge, Page, Texts, Tone,
            listing::Listing,
            show,
            table::{Cell, Column, Table},
        },
    },
};

#[derive(Template)]
#[template(path = "admin/pages/list.html")]
struct Subjects {
    page: Page,
    title: &'static str,
    words: &'static str,
    table: Table,
}

pub(in crate::http::admin) async fn list(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("subjects");
    let t = page.t;
    let now = app.service.clock().now();
    let filter = SubjectFilter {
        search: lists::search(&listing),
        enrolled: lists::chosen(&listing, "state").unwrap_or_default(),
    };
    if listing.wants_csv() {
        lists::exported(&app, &seat, "subjects").await?;
        return Ok(lists::file("subjects", move |after| {
            let (app, filter) = (Arc::clone(&app), filter.clone());
            async move {
                let extent = Extent::After(after);
                let found = app.service.store().subject_rows(&filter, &extent, now);
                Ok(found.await?.rows)
            }
        }));
    }
    let columns = ["since", "verdicts", "last-verdict"];
    let sort = listing.sort(&columns, lists::largest("since"));
    let extent = lists::page(&listing, sort);
    let found = app
        .service
        .store()
        .subject_rows(&filter, &extent, now)
        .await?;
    let states = EnrolledFilter::ALL
        .iter()
        .skip(1)
        .map(|state| state.as_str());
    let table = Table::new(
        t,
        "subjects",
        t.text("subjects.title"),
        listing,
        vec![
            Column::new(t.text("subjects.subject")),
            Column::new(t.text("subjects.state")),
            Column::new(t.text("subjects.enrolments")).numeric(),
            Column::new(t.text("subjects.consents")).numeric(),
            Column::new(t.text("subjects.verdicts"))
                .sortable("verdicts")
                .numeric(),
            Column::new(t.text("subjects.last_verdict")).sortable("last-verdict"),
            Column::new(t.text("subjects.since")).sortable("since"),
        ],
    )
    .search("q", t.text("subjects.search"))
    .choice(
        "state",
        t.text("subjects.state"),
        lists::options(t, "subjects.state_of", states),
    )
    .sorted(sort)
    .rows(found.rows.iter().map(|row| cells(t, row)))
    .paged(found.total)
    .exported()
    .or(t.text("subjects.none"), t.text("subjects.none_hint"));
    Ok(show(&Subjects {
        page,
        title: "subjects.title",
        words: "subjects.words",
        table,
    }))
}

fn cells(t: Texts, row: &SubjectRow) -> Vec<Cell> {
    vec![
        lists::subject_link(&row.subject),
        Cell::Badge(standing(t, row)),
        Cell::Number(row.enrolments.into()),
        Cell::Number(row.consents.into()),
        Cell::Number(row.verdicts.into()),
        Cell::time(row.last_verdict),
        Cell::Time(row.since),
    ]
}

/// How somebody stands, in one chip: what matters most.
pub(super) fn standing(t: Texts, row: &SubjectRow) -> Badge {
    let (tone, key) = if row.restricted {
        (Tone::Attention, "subjects.state_of.restricted")
    } else if row.enrolments > 0 {
        (Tone::Good, "subjects.state_of.enrolled")
    } else {
        (Tone::Neutral, "subjects.state_of.not-enrolled")
    };
    Badge::new(tone, t.text(key))
}
