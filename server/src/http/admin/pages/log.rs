//! The transparency log: its head, its entries, and a module that verifies both in the reader's browser.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::UnixTime;
use blindprint_log::{CheckpointNote, Entry, LogVerifier, SignedCheckpoint};

use super::lists;
use crate::http::{
    App, Problem,
    admin::seat::Seat,
    web::{
        Badge, Page, Texts, Tone,
        listing::Listing,
        show,
        table::{Cell, Column, PAGE_ROWS, Table},
    },
};

#[derive(Template)]
#[template(path = "admin/pages/log.html")]
struct Log {
    page: Page,
    origin: String,
    key: String,
    size: i64,
    root: Option<String>,
    unsound: Option<&'static str>,
    witnesses: Vec<(String, Badge)>,
    entries: Table,
    /// The first and the last entry on this page, for the module that verifies them.
    shown: Option<(u64, u64)>,
}

pub(in crate::http::admin) async fn list(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("log");
    let t = page.t;
    let ledger = &app.ledger;
    let size = ledger.published().await?;
    let head = match size {
        0 => None,
        _ => head(ledger.verifier(), &ledger.checkpoint().await?),
    };
    let (entries, shown) = entries(&app, t, listing, size).await?;
    let witnesses = ledger.witnesses().iter().map(|witness| {
        let cosigned = head.as_ref().map(|head| head.cosigned(&witness.vkey));
        let badge = match cosigned {
            Some(Ok(at)) => Badge::new(Tone::Good, t.fill("log.cosigned", t.date_time(at))),
            _ => Badge::new(Tone::Attention, t.text("log.not_cosigned")),
        };
        (witness.vkey.name().to_owned(), badge)
    });
    Ok(show(&Log {
        origin: ledger.verifier().name().to_owned(),
        key: ledger.verifier().to_string(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        witnesses: witnesses.collect(),
        root: head
            .as_ref()
            .map(|head| head.checkpoint().root().to_string()),
        unsound: ledger.unsound().await,
        page,
        entries,
        shown,
    }))
}

/// The log's latest head, if it is one of its own key.
fn head(key: &LogVerifier, note: &str) -> Option<SignedCheckpoint> {
    note.parse::<CheckpointNote>().ok()?.verify(key).ok()
}

/// Entries, newest first: those of a page, or from a number that is looked for on.
async fn entries(
    app: &App,
    t: Texts,
    listing: Listing,
    size: u64,
) -> Result<(Table, Option<(u64, u64)>), Problem> {
    let rows = u64::from(PAGE_ROWS);
    let looked_for: Option<u64> = lists::chosen(&listing, "q");
    let last = match looked_for {
        Some(index) => (index < size).then_some(index),
        None => size.checked_sub(1 + u64::from(listing.page() - 1) * rows),
    };
    let shown = last.map(|last| (last.saturating_sub(rows - 1), last));
    let mut cells = Vec::new();
    if let Some((first, last)) = shown {
        let most = u32::try_from(last - first + 1).unwrap_or(PAGE_ROWS);
        let found = app.service.store().log_entries(first, most).await?;
        let numbered = (first..).zip(&found);
        cells = numbered
            .map(|(index, entry)| row(t, index, entry))
            .collect();
        cells.reverse();
    }
    let columns = vec![
        Column::new(t.text("log.number")),
        Column::new(t.text("log.kind")),
        Column::new(t.text("log.at")),
        Column::new(t.text("log.content")),
    ];
    let table = Table::new(t, "entries", t.text("log.entries"), listing, columns)
        .search("q", t.text("log.search"))
        .rows(cells)
        .or(t.text("log.none"), t.text("log.none_hint"));
    let table = match looked_for {
        None => table.paged(size),
        Some(_) => table,
    };
    Ok((table, shown))
}

fn row(t: Texts, index: u64, bytes: &[u8]) -> Vec<Cell> {
    let number = Cell::Link {
        href: format!("/v1/log/proofs/{index}"),
        text: t.number(i64::try_from(index).unwrap_or(i64::MAX)),
        code: false,
    };
    let Ok(entry) = Entry::parse(bytes) else {
        let damaged = Badge::new(Tone::Bad, t.text("log.damaged"));
        return vec![number, Cell::Badge(damaged), Cell::Empty, Cell::Empty];
    };
    let tone = if entry.kind().is_tombstone() {
        Tone::Attention
    } else {
        Tone::Neutral
    };
    let kind = format!("log.kind_of.{}", entry.kind().as_str().replace('.', "_"));
    let content = match (entry.commitment(), entry.handles()) {
        (Some(commitment), _) => t.fill("log.committed", commitment),
        (None, [first, rest @ ..]) => match rest.len() {
            0 => t.fill("log.names", first),
            more => t.fill2("log.names_more", first, more),
        },
        (None, []) => t.text("log.statement").to_owned(),
    };
    let at: UnixTime = entry.at();
    vec![
        number,
        Cell::Badge(Badge::new(tone, t.text(&kind))),
        Cell::Time(at),
        Cell::Code(content),
    ]
}
