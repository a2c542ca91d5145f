//! What administrators did.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::UnixTime;
use serde_json::{Value, json};
use time::{Date, format_description::well_known::Iso8601};

use super::seat::Seat;
use crate::{
    domain::admin::{Act, ActKind, ActOutcome, ActQuery, ActRecord, Actor},
    http::{
        App, Problem,
        web::{
            Badge, Page, Texts, Tone, csv,
            listing::{Listing, Order, Sort},
            show,
            table::{CSV_ROWS, Cell, Column, PAGE_ROWS, Table},
        },
    },
};

const DAY: i64 = 86_400;
const NEWEST: Sort = Sort {
    by: "at",
    order: Order::Descending,
};

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct Audit {
    page: Page,
    table: Table,
    json_link: String,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    seat: Seat,
    listing: Listing,
) -> Result<Response, Problem> {
    let rules = &app.dashboard.rules;
    let sort = listing.sort(&["at"], NEWEST);
    let exported = listing.value("format").is_some();
    let query = query(&listing, sort, exported);
    if exported {
        // First, so that the file holds the row that tells of itself.
        let act = Act::done(Actor::from(&seat), ActKind::Export, "audit");
        rules.record(&act).await?;
    }
    let (acts, total) = rules.acts(&query).await?;
    if listing.value("format") == Some("json") {
        return Ok(as_json(&acts));
    }
    let administrators = rules.administrators().await?;
    let page = seat.page("audit");
    let t = page.t;
    let people = administrators
        .into_iter()
        .map(|who| (who.id.to_string(), who.name.to_string()));
    let kinds = ActKind::ALL
        .iter()
        .map(|kind| (kind.as_str().to_owned(), said(t, *kind)));
    let outcomes = ActOutcome::ALL
        .into_iter()
        .map(|it| (it.as_str().to_owned(), page.named("outcome", it.as_str())));
    let columns = vec![
        Column::new(t.text("audit.when")).sortable("at"),
        Column::new(t.text("audit.who")),
        Column::new(t.text("audit.what")),
        Column::new(t.text("audit.target")),
        Column::new(t.text("audit.outcome")),
        Column::new(t.text("audit.details")),
        Column::new(t.text("audit.entry")).numeric(),
    ];
    let json_link = listing.link(&[("format", Some("json")), ("page", None)]);
    let wants_csv = listing.wants_csv();
    let table = Table::new(t, "acts", t.text("audit.title"), listing, columns)
        .search("q", t.text("audit.search"))
        .choice("who", t.text("audit.who"), people)
        .choice("act", t.text("audit.what"), kinds)
        .choice("outcome", t.text("audit.outcome"), outcomes)
        .date("from", t.text("audit.from"))
        .date("until", t.text("audit.until"))
        .sorted(sort)
        .rows(acts.iter().map(|act| row(t, act)))
        .paged(total)
        .exported()
        .or(t.text("audit.none"), t.text("audit.none_hint"));
    if wants_csv {
        return Ok(table.csv("audit.csv"));
    }
    Ok(show(&Audit {
        page,
        table,
        json_link,
    }))
}

fn query(listing: &Listing, sort: Sort, exported: bool) -> ActQuery {
    ActQuery {
        by: listing.value("who").and_then(|id| id.parse().ok()),
        kind: listing.value("act").and_then(ActKind::named),
        outcome: listing.value("outcome").and_then(ActOutcome::named),
        words: listing.value("q").map(str::to_owned),
        from: listing.value("from").and_then(day),
        // The day itself belongs to it.
        until: listing
            .value("until")
            .and_then(day)
            .map(|until| until.plus(DAY)),
        oldest_first: sort.order == Order::Ascending,
        skip: if exported {
            0
        } else {
            u64::from(listing.page() - 1) * u64::from(PAGE_ROWS)
        },
        most: if exported { CSV_ROWS } else { PAGE_ROWS },
    }
}

/// The beginning of a day in UTC.
fn day(text: &str) -> Option<UnixTime> {
    let date = Date::parse(text, &Iso8601::DATE).ok()?;
    Some(UnixTime(date.midnight().assume_utc().unix_timestamp()))
}

fn said(t: Texts, kind: ActKind) -> String {
    t.text(&format!("act.{}", kind.as_str())).to_owned()
}

fn row(t: Texts, record: &ActRecord) -> Vec<Cell> {
    let act = &record.act;
    let outcome = match act.outcome {
        ActOutcome::Done => Badge::new(Tone::Good, t.text("outcome.done")),
        ActOutcome::Refused => Badge::new(Tone::Attention, t.text("outcome.refused")),
    };
    let details = act
        .details
        .as_object()
        .filter(|details| !details.is_empty());
    vec![
        Cell::Time(record.at),
        Cell::text(act.by.name.clone()),
        Cell::text(said(t, act.kind)),
        Cell::Code(act.target.clone()),
        Cell::Badge(outcome),
        details.map_or(Cell::Empty, |details| {
            let pairs = details.iter().map(|(name, value)| match value {
                Value::String(text) => format!("{name}: {text}"),
                other => format!("{name}: {other}"),
            });
            Cell::Text(pairs.collect::<Vec<_>>().join(", "))
        }),
        Cell::Number(i64::try_from(record.entry).unwrap_or(i64::MAX)),
    ]
}

fn as_json(acts: &[ActRecord]) -> Response {
    let acts = acts.iter().map(|record| {
        let act = &record.act;
        json!({
            "sequence": record.sequence,
            "at": record.at.0,
            "administrator": act.by.id.map(|id| id.to_string()),
            "name": act.by.name,
            "role": act.by.role.map(crate::domain::admin::Role::as_str),
            "act": act.kind.as_str(),
            "target": act.target,
            "outcome": act.outcome.as_str(),
            "details": act.details,
            "digest": record.digest.to_string(),
            "log_entry": record.entry,
        })
    });
    let text = Value::Array(acts.collect()).to_string();
    csv::download("audit.json", "application/json", text)
}
