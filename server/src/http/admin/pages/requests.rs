//! Requests by which subjects exercise their rights, the next due first.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::{UnixTime, statement::Right};

use super::lists;
use crate::{
    domain::{
        admin::Permission,
        reports::{Extent, RightsFilter, RightsRow, RightsStanding},
        rights::RightsState,
    },
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

const DAY: i64 = 86_400;
/// A deadline that is nearer asks for attention.
const NEAR: i64 = 7 * DAY;

#[derive(Template)]
#[template(path = "admin/pages/requests.html")]
struct Requests {
    page: Page,
    table: Table,
    may_open: bool,
}

pub(in crate::http::admin) async fn list(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("requests");
    let t = page.t;
    let now = app.service.clock().now();
    let right = listing.value("right");
    let filter = RightsFilter {
        search: lists::search(&listing),
        standing: lists::chosen(&listing, "state"),
        right: Right::ALL.into_iter().find(|it| Some(it.as_str()) == right),
    };
    if listing.wants_csv() {
        lists::exported(&app, &seat, "rights-requests").await?;
        return Ok(lists::file("rights-requests", move |after| {
            let (app, filter) = (Arc::clone(&app), filter.clone());
            async move {
                let extent = Extent::After(after);
                let found = app.service.store().rights_rows(&filter, &extent, now);
                Ok(found.await?.rows)
            }
        }));
    }
    let sort = listing.sort(&["due", "opened"], lists::smallest("due"));
    let extent = lists::page(&listing, sort);
    let found = app
        .service
        .store()
        .rights_rows(&filter, &extent, now)
        .await?;
    let states = RightsStanding::ALL.iter().map(|state| state.as_str());
    let rights = Right::ALL.into_iter().map(Right::as_str);
    let columns = vec![
        Column::new(t.text("requests.right")),
        Column::new(t.text("requests.subject")),
        Column::new(t.text("requests.state")),
        Column::new(t.text("requests.left")),
        Column::new(t.text("requests.due")).sortable("due"),
        Column::new(t.text("requests.opened")).sortable("opened"),
    ];
    let table = Table::new(t, "requests", t.text("requests.title"), listing, columns)
        .search("q", t.text("requests.search"))
        .choice(
            "state",
            t.text("requests.state"),
            lists::options(t, "requests.standing", states),
        )
        .choice(
            "right",
            t.text("requests.right"),
            lists::options(t, "right", rights),
        )
        .sorted(sort)
        .rows(found.rows.iter().map(|row| cells(t, row, now)))
        .paged(found.total)
        .exported()
        .or(t.text("requests.none"), t.text("requests.none_hint"));
    Ok(show(&Requests {
        may_open: page.may(Permission::DecideRequests),
        page,
        table,
    }))
}

fn cells(t: Texts, row: &RightsRow, now: UnixTime) -> Vec<Cell> {
    let state = RightsState::ALL
        .into_iter()
        .find(|it| it.as_str() == row.state);
    vec![
        Cell::Link {
            href: format!("/admin/rights-requests/{}", row.id),
            text: t.text(&format!("right.{}", row.right.as_str())).to_owned(),
            code: false,
        },
        match &row.subject {
            Some(subject) => lists::subject_link(subject),
            None => Cell::text(t.text("requests.erased")),
        },
        state.map_or(Cell::Empty, |state| Cell::Badge(badge(t, state))),
        match row.closed {
            Some(_) => Cell::Empty,
            None => Cell::Badge(left(t, row.due, now)),
        },
        Cell::Text(t.date(row.due)),
        Cell::Text(t.date(row.opened)),
    ]
}

/// A request's state.
pub(super) fn badge(t: Texts, state: RightsState) -> Badge {
    let tone = match state {
        RightsState::Initiated | RightsState::Acknowledged => Tone::Attention,
        RightsState::Accepted | RightsState::RequiresAction => Tone::Info,
        RightsState::Fulfilled => Tone::Good,
        RightsState::Rejected => Tone::Bad,
        RightsState::Unfulfilled => Tone::Neutral,
    };
    Badge::new(
        tone,
        t.text(&format!("requests.state_of.{}", state.as_str())),
    )
}

/// How much time is left until a deadline.
pub(super) fn left(t: Texts, due: UnixTime, now: UnixTime) -> Badge {
    let seconds = due.since(now);
    if seconds < 0 {
        return Badge::new(Tone::Bad, t.fill("requests.late", t.duration(-seconds)));
    }
    let tone = if seconds < NEAR {
        Tone::Attention
    } else {
        Tone::Neutral
    };
    Badge::new(tone, t.fill("requests.time_left", t.duration(seconds)))
}
