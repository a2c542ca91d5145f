//! What the transparency log holds about whoever is signed in, with what opens it.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::problem::ProblemCode;
use blindprint_log::Entry;
use serde::Deserialize;
use serde_json::json;

use super::visitor::Visitor;
use crate::{
    Error, Result,
    domain::ledger::{MOST_OWN, OwnEntry},
    http::{
        App, Problem,
        parameters::{Parameters, Segment},
        web::{
            Page,
            csv::download,
            listing::Listing,
            show,
            table::{Cell, Column, Table},
        },
    },
};

#[derive(Template)]
#[template(path = "me/log.html")]
struct Log {
    page: Page,
    table: Table,
    next: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    from: u64,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Response, Problem> {
    let page = visitor.page("log");
    let t = page.t;
    let entries = app
        .ledger
        .own_entries(visitor.subject(), wanted.from)
        .await?;
    let full = entries.len() == MOST_OWN as usize;
    let next = entries.last().filter(|_| full).map(|last| last.index + 1);
    let rows: Result<Vec<_>> = entries.iter().map(|own| cells(&page, own)).collect();
    let columns = vec![
        Column::new(t.text("me.log.number")),
        Column::new(t.text("me.log.what")),
        Column::new(t.text("me.log.when")),
        Column::new(t.text("me.log.check")),
    ];
    let listing = Listing::new("/me/log", "")?;
    let table = Table::new(t, "entries", t.text("me.log.title"), listing, columns)
        .rows(rows?)
        .or(t.text("me.log.none"), t.text("me.log.none_hint"));
    Ok(show(&Log { page, table, next }))
}

fn cells(page: &Page, own: &OwnEntry) -> Result<Vec<Cell>> {
    let entry = parsed(own)?;
    Ok(vec![
        Cell::Text(own.index.to_string()),
        Cell::Text(page.named("log.kind_of", entry.kind().as_str())),
        Cell::Time(entry.at()),
        Cell::Link {
            href: format!("/me/log/{}", own.index),
            text: page.t.fill("me.log.verify", own.index),
            code: false,
        },
    ])
}

fn parsed(own: &OwnEntry) -> Result<Entry> {
    Entry::parse(&own.entry).map_err(|error| Error::broken("reading the log")(error.into()))
}

#[derive(Template)]
#[template(path = "me/entry.html")]
struct EntryPage {
    page: Page,
    index: u64,
    kind: String,
    entry: Entry,
    text: String,
    salt: String,
    event: String,
    /// Whether event and salt open the commitment; `None` without one.
    opens: Option<bool>,
    key: String,
}

/// One entry with what opens it, verified in the reader's browser.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(index): Segment<u64>,
) -> Result<Response, Problem> {
    let own = found(&app, &visitor, index).await?;
    let entry = parsed(&own)?;
    let page = visitor.page("log");
    let opened = entry.commitment();
    Ok(show(&EntryPage {
        kind: page.named("log.kind_of", entry.kind().as_str()),
        text: String::from_utf8_lossy(&own.entry).into_owned(),
        salt: own.salt.to_text().to_string(),
        opens: opened.map(|it| it.opens(&own.salt, own.event.as_bytes())),
        event: own.event,
        key: app.ledger.verifier().to_string(),
        index,
        entry,
        page,
    }))
}

async fn found(app: &App, visitor: &Visitor, index: u64) -> Result<OwnEntry> {
    let entries = app.ledger.own_entries(visitor.subject(), index).await?;
    let first = entries.into_iter().next();
    first
        .filter(|own| own.index == index)
        .ok_or(Error::Refused(ProblemCode::NotFound))
}

/// The entry with what opens it and the proof that it is in the log, to save.
pub(super) async fn proof(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(index): Segment<u64>,
) -> Result<Response, Problem> {
    let own = found(&app, &visitor, index).await?;
    let file = json!({
        "index": own.index,
        "entry": String::from_utf8_lossy(&own.entry),
        "salt": own.salt.to_text().to_string(),
        "event": own.event,
        "proof": app.ledger.proof(index).await?.to_string(),
    });
    let name = format!("blindprint-log-{index}.json");
    Ok(download(&name, "application/json", format!("{file:#}\n")))
}
