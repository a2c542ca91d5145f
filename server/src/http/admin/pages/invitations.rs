//! Invitations to enrol.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::lists;
use crate::{
    domain::reports::{Extent, InvitationFilter, InvitationRow, InvitationStanding},
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
struct Invitations {
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
    let page = seat.page("invitations");
    let t = page.t;
    let now = app.service.clock().now();
    let filter = InvitationFilter {
        search: lists::search(&listing),
        standing: lists::chosen(&listing, "state"),
    };
    if listing.wants_csv() {
        lists::exported(&app, &seat, "invitations").await?;
        return Ok(lists::file("invitations", move |after| {
            let (app, filter) = (Arc::clone(&app), filter.clone());
            async move {
                let extent = Extent::After(after);
                let found = app.service.store().invitation_rows(&filter, &extent, now);
                Ok(found.await?.rows)
            }
        }));
    }
    let sort = listing.sort(&["created", "expires"], lists::largest("created"));
    let extent = lists::page(&listing, sort);
    let found = app
        .service
        .store()
        .invitation_rows(&filter, &extent, now)
        .await?;
    let states = InvitationStanding::ALL.iter().map(|state| state.as_str());
    let columns = vec![
        Column::new(t.text("invitations.note")),
        Column::new(t.text("invitations.state")),
        Column::new(t.text("invitations.uses")),
        Column::new(t.text("invitations.created")).sortable("created"),
        Column::new(t.text("invitations.expires")).sortable("expires"),
    ];
    let table = Table::new(
        t,
        "invitations",
        t.text("invitations.title"),
        listing,
        columns,
    )
    .search("q", t.text("invitations.search"))
    .choice(
        "state",
        t.text("invitations.state"),
        lists::options(t, "invitations.state_of", states),
    )
    .sorted(sort)
    .rows(found.rows.iter().map(|row| cells(t, row)))
    .paged(found.total)
    .exported()
    .or(t.text("invitations.none"), t.text("invitations.none_hint"));
    Ok(show(&Invitations {
        page,
        title: "invitations.title",
        words: "invitations.words",
        table,
    }))
}

fn cells(t: Texts, row: &InvitationRow) -> Vec<Cell> {
    let tone = match row.standing {
        InvitationStanding::Open => Tone::Good,
        InvitationStanding::UsedUp | InvitationStanding::Over => Tone::Neutral,
        InvitationStanding::Revoked => Tone::Bad,
    };
    let state = format!("invitations.state_of.{}", row.standing.as_str());
    vec![
        match &row.note {
            Some(note) => Cell::text(note.clone()),
            None => Cell::Code(row.id.to_string()),
        },
        Cell::Badge(Badge::new(tone, t.text(&state))),
        Cell::Text(t.fill2("invitations.used_of", row.used, row.uses)),
        Cell::Time(row.created),
        Cell::Time(row.expires),
    ]
}
