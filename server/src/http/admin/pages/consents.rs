//! Every consent and every refusal.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::statement::{ConsentState, Purpose};

use super::lists;
use crate::{
    domain::reports::{ConsentFilter, ConsentRow, Extent},
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

/// The states that a consent on record can be in.
const STATES: [ConsentState; 5] = [
    ConsentState::Given,
    ConsentState::Refused,
    ConsentState::Withdrawn,
    ConsentState::Expired,
    ConsentState::Invalidated,
];

#[derive(Template)]
#[template(path = "admin/pages/list.html")]
struct Consents {
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
    let page = seat.page("consents");
    let t = page.t;
    let now = app.service.clock().now();
    let state = listing.value("state");
    let purpose = listing.value("purpose");
    let filter = ConsentFilter {
        search: lists::search(&listing),
        state: STATES.into_iter().find(|it| Some(it.as_str()) == state),
        purpose: Purpose::ALL
            .into_iter()
            .find(|it| Some(it.as_str()) == purpose),
    };
    if listing.wants_csv() {
        lists::exported(&app, &seat, "consents").await?;
        return Ok(lists::file("consents", move |after| {
            let (app, filter) = (Arc::clone(&app), filter.clone());
            async move {
                let extent = Extent::After(after);
                let found = app.service.store().consent_rows(&filter, &extent, now);
                Ok(found.await?.rows)
            }
        }));
    }
    let sort = listing.sort(&["given", "expires"], lists::largest("given"));
    let extent = lists::page(&listing, sort);
    let found = app
        .service
        .store()
        .consent_rows(&filter, &extent, now)
        .await?;
    let states = STATES.into_iter().map(ConsentState::as_str);
    let purposes = Purpose::ALL.into_iter().map(Purpose::as_str);
    let table = Table::new(
        t,
        "consents",
        t.text("consents.title"),
        listing,
        vec![
            Column::new(t.text("consents.subject")),
            Column::new(t.text("consents.purpose")),
            Column::new(t.text("consents.state")),
            Column::new(t.text("consents.given")).sortable("given"),
            Column::new(t.text("consents.expires")).sortable("expires"),
            Column::new(t.text("consents.ended")),
            Column::new(t.text("consents.notice")),
        ],
    )
    .search("q", t.text("consents.search"))
    .choice(
        "state",
        t.text("consents.state"),
        lists::options(t, "consent.state", states),
    )
    .choice(
        "purpose",
        t.text("consents.purpose"),
        lists::options(t, "purpose", purposes),
    )
    .sorted(sort)
    .rows(found.rows.iter().map(|row| cells(t, row)))
    .paged(found.total)
    .exported()
    .or(t.text("consents.none"), t.text("consents.none_hint"));
    Ok(show(&Consents {
        page,
        title: "consents.title",
        words: "consents.words",
        table,
    }))
}

fn cells(t: Texts, row: &ConsentRow) -> Vec<Cell> {
    let purpose = t
        .text(&format!("purpose.{}", row.purpose.as_str()))
        .to_owned();
    let purpose = match &row.recipient {
        Some(recipient) => format!("{purpose} · {}", recipient.as_str()),
        None => purpose,
    };
    vec![
        lists::subject_link(&row.subject),
        Cell::Text(purpose),
        Cell::Badge(badge(t, row.state)),
        Cell::Time(row.given),
        Cell::Time(row.expires),
        Cell::time(row.ended),
        Cell::Link {
            href: format!("/admin/notices/{}", row.notice),
            text: row.notice.to_string(),
            code: true,
        },
    ]
}

fn badge(t: Texts, state: ConsentState) -> Badge {
    let tone = match state {
        ConsentState::Given => Tone::Good,
        ConsentState::Requested => Tone::Info,
        ConsentState::Refused | ConsentState::Withdrawn => Tone::Bad,
        ConsentState::Invalidated => Tone::Attention,
        ConsentState::Expired => Tone::Neutral,
    };
    Badge::new(tone, t.text(&format!("consent.state.{}", state.as_str())))
}
