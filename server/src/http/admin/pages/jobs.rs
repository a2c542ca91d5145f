//! What is under way: changes that wait for the enclave, events that wait for relying parties.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::lists;
use crate::{
    domain::{
        admin::Permission,
        reports::{
            DeliveryFilter, DeliveryRow, DeliveryState, Extent, PageNumber, Sorted, TimeSort,
        },
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

#[derive(Template)]
#[template(path = "admin/pages/jobs.html")]
struct Jobs {
    page: Page,
    changes: Table,
    /// Events that were given up, which somebody may send again.
    dead: Vec<DeliveryRow>,
    deliveries: Table,
}

impl Jobs {
    fn event(&self, row: &DeliveryRow) -> String {
        event(self.page.t, row)
    }
}

pub(in crate::http::admin) async fn list(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("jobs");
    let t = page.t;
    let filter = DeliveryFilter {
        search: lists::search(&listing),
        state: lists::chosen(&listing, "state"),
        relying_party: None,
    };
    if listing.wants_csv() {
        lists::exported(&app, &seat, "deliveries").await?;
        return Ok(lists::file("deliveries", move |after| {
            let (app, filter) = (Arc::clone(&app), filter.clone());
            async move {
                let extent = Extent::After(after);
                let found = app.service.store().delivery_rows(&filter, &extent);
                Ok(found.await?.rows)
            }
        }));
    }
    let now = app.service.clock().now();
    let changes = app.service.jobs().await?;
    // Whose change it is, is no matter of those who run the machine.
    let rows = changes.iter().map(|job| {
        vec![
            Cell::Number(job.sequence),
            Cell::text(t.text(&format!("jobs.kind.{}", job.kind))),
            Cell::Time(job.begun),
            Cell::text(t.duration(now.since(job.begun))),
        ]
    });
    let columns = vec![
        Column::new(t.text("jobs.number")).numeric(),
        Column::new(t.text("jobs.what")),
        Column::new(t.text("jobs.begun")),
        Column::new(t.text("jobs.waits")),
    ];
    let changes = Table::new(
        t,
        "changes",
        t.text("jobs.changes"),
        listing.clone(),
        columns,
    )
    .rows(rows)
    .or(t.text("jobs.no_changes"), t.text("jobs.no_changes_hint"));
    let deliveries = deliveries(&app, &page, &listing, &filter).await?;
    let dead = if page.may(Permission::RunJobs) {
        given_up(&app).await?
    } else {
        Vec::new()
    };
    Ok(show(&Jobs {
        page,
        changes,
        dead,
        deliveries,
    }))
}

async fn given_up(app: &App) -> Result<Vec<DeliveryRow>, Problem> {
    let filter = DeliveryFilter {
        state: Some(DeliveryState::Dead),
        ..DeliveryFilter::default()
    };
    let extent = Extent::Page(PageNumber::FIRST, Sorted::descending(TimeSort::Time));
    let found = app.service.store().delivery_rows(&filter, &extent).await?;
    Ok(found.rows)
}

/// What an event says, for people. The last part of its URI is its name.
fn event(t: Texts, row: &DeliveryRow) -> String {
    let name = row.event.rsplit(['/', ':']).next().unwrap_or_default();
    t.text(&format!("delivery.event_of.{name}")).to_owned()
}

/// Events that were told or are to be told, by a filter.
pub(super) async fn deliveries(
    app: &App,
    page: &Page,
    listing: &Listing,
    filter: &DeliveryFilter,
) -> Result<Table, Problem> {
    let t = page.t;
    let sort = listing.sort(&["time"], lists::largest("time"));
    let extent = lists::page(listing, sort);
    let found = app.service.store().delivery_rows(filter, &extent).await?;
    let states = DeliveryState::ALL.iter().map(|state| state.as_str());
    let columns = vec![
        Column::new(t.text("delivery.party")),
        Column::new(t.text("delivery.event")),
        Column::new(t.text("delivery.state")),
        Column::new(t.text("delivery.attempts")).numeric(),
        Column::new(t.text("delivery.made")).sortable("time"),
        Column::new(t.text("delivery.next")),
        Column::new(t.text("delivery.error")),
    ];
    let caption = t.text("delivery.title");
    let table = Table::new(t, "deliveries", caption, listing.clone(), columns)
        .choice(
            "state",
            t.text("delivery.state"),
            lists::options(t, "delivery.state_of", states),
        )
        .sorted(sort)
        .rows(found.rows.iter().map(|row| cells(t, row)))
        .paged(found.total)
        .exported()
        .or(t.text("delivery.none"), t.text("delivery.none_hint"));
    Ok(match filter.relying_party {
        Some(_) => table,
        None => table.search("q", t.text("delivery.search")),
    })
}

fn cells(t: Texts, row: &DeliveryRow) -> Vec<Cell> {
    let tone = match row.state {
        DeliveryState::Waiting => Tone::Info,
        DeliveryState::Delivered => Tone::Good,
        DeliveryState::Dead => Tone::Bad,
    };
    let state = format!("delivery.state_of.{}", row.state.as_str());
    let (party, name) = &row.relying_party;
    vec![
        Cell::Link {
            href: format!("/admin/relying-parties/{party}"),
            text: name.clone(),
            code: false,
        },
        Cell::Text(event(t, row)),
        Cell::Badge(Badge::new(tone, t.text(&state))),
        Cell::Number(row.attempts.into()),
        Cell::Time(row.made),
        match row.state {
            DeliveryState::Waiting => Cell::Time(row.next),
            _ => Cell::time(row.ended),
        },
        row.error
            .as_ref()
            .map_or(Cell::Empty, |error| Cell::text(error.clone())),
    ]
}
