//! Machine clients: programs that act by scopes. Their secrets are shown nowhere.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::lists;
use crate::{
    domain::{ClientRecord, reports::ClientFilter},
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
struct Clients {
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
    let page = seat.page("clients");
    let t = page.t;
    let filter = ClientFilter {
        search: lists::search(&listing),
        in_use: listing.value("state") == Some("in-use"),
    };
    let number = lists::number(&listing);
    let found = app.service.store().client_rows(&filter, number).await?;
    let columns = vec![
        Column::new(t.text("clients.name")),
        Column::new(t.text("clients.id")),
        Column::new(t.text("clients.state")),
        Column::new(t.text("clients.scopes")),
        Column::new(t.text("clients.created")),
    ];
    let table = Table::new(t, "clients", t.text("clients.title"), listing, columns)
        .search("q", t.text("clients.search"))
        .choice(
            "state",
            t.text("clients.state"),
            lists::options(t, "clients.state_of", ["in-use"]),
        )
        .rows(found.rows.iter().map(|row| cells(t, row)))
        .paged(found.total)
        .or(t.text("clients.none"), t.text("clients.none_hint"));
    Ok(show(&Clients {
        page,
        title: "clients.title",
        words: "clients.words",
        table,
    }))
}

fn cells(t: Texts, row: &ClientRecord) -> Vec<Cell> {
    let (tone, key) = match row.revoked {
        None => (Tone::Good, "clients.state_of.in-use"),
        Some(_) => (Tone::Bad, "clients.state_of.revoked"),
    };
    vec![
        Cell::text(row.name.clone()),
        Cell::Code(row.id.to_string()),
        Cell::Badge(Badge::new(tone, t.text(key))),
        Cell::Text(row.scopes.to_string()),
        Cell::Time(row.created),
    ]
}
