//! Who used what is kept: every verdict, for whom, and how it came out.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::visitor::Visitor;
use crate::{
    domain::reports::{
        Extent, PageNumber, Sorted, TimeSort, TimelineFilter, TimelineGroup, TimelineKind,
        TimelineRow,
    },
    http::{
        App, Problem,
        web::{
            Badge, Page, Texts, Tone,
            listing::Listing,
            show,
            table::{Cell, Column, Table},
        },
    },
};

#[derive(Template)]
#[template(path = "me/uses.html")]
struct Uses {
    page: Page,
    table: Table,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    listing: Listing,
) -> Result<Response, Problem> {
    let page = visitor.page("uses");
    let t = page.t;
    let store = app.service.store();
    let filter = TimelineFilter {
        group: Some(TimelineGroup::Verdicts),
    };
    let number = PageNumber::clamped(listing.page());
    let extent = Extent::Page(number, Sorted::descending(TimeSort::Time));
    let now = app.service.clock().now();
    let found = store
        .timeline(visitor.subject(), filter, &extent, now)
        .await?;
    let parties = store.relying_parties().await?;
    let named = |audience: &str| {
        let known = parties
            .iter()
            .find(|party| party.known.audience.as_str() == audience);
        match known {
            Some(party) => format!("{} ({audience})", party.known.name),
            None => audience.to_owned(),
        }
    };
    let rows = found.rows.iter().map(|row| {
        let audience = row.about.as_deref().unwrap_or_default();
        cells(t, row, named(audience))
    });
    let columns = vec![
        Column::new(t.text("me.uses.when")),
        Column::new(t.text("me.uses.who")),
        Column::new(t.text("me.uses.result")),
        Column::new(t.text("me.uses.review")),
    ];
    let table = Table::new(t, "uses", t.text("me.uses.title"), listing, columns)
        .rows(rows)
        .paged(found.total)
        .or(t.text("me.uses.none"), t.text("me.uses.none_hint"));
    Ok(show(&Uses { page, table }))
}

fn cells(t: Texts, row: &TimelineRow, audience: String) -> Vec<Cell> {
    let matched = row.kind == TimelineKind::Matched;
    let (tone, key) = if matched {
        (Tone::Good, "verdict.matched")
    } else {
        (Tone::Attention, "verdict.rejected")
    };
    let review = if matched {
        Cell::Empty
    } else {
        Cell::Link {
            href: format!("/me/rights/new/review?challenge={}", row.id),
            text: t.text("me.uses.ask_review").to_owned(),
            code: false,
        }
    };
    vec![
        Cell::Time(row.at),
        Cell::Text(audience),
        Cell::Badge(Badge::new(tone, t.text(key))),
        review,
    ]
}
