//! Credentials that were issued, and the status lists that tell how they stand.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::lists;
use crate::{
    domain::{
        admin::Permission,
        issued::{LIST_ENTRIES, ListKind},
        reports::{Extent, IssuanceFilter, IssuanceKind, IssuanceRow, IssuanceStanding, ListRow},
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
#[template(path = "admin/pages/credentials.html")]
struct Credentials {
    page: Page,
    issuances: Table,
    lists: Table,
}

pub(in crate::http::admin) async fn list(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("credentials");
    let t = page.t;
    // Who holds a credential is shown to those who may see subjects.
    let named = page.may(Permission::SeeSubjects);
    let filter = IssuanceFilter {
        search: lists::search(&listing).filter(|_| named),
        kind: lists::chosen(&listing, "kind"),
        standing: lists::chosen(&listing, "state"),
    };
    if listing.wants_csv() && named {
        lists::exported(&app, &seat, "credentials").await?;
        return Ok(lists::file("credentials", move |after| {
            let (app, filter) = (Arc::clone(&app), filter.clone());
            async move {
                let extent = Extent::After(after);
                let found = app.service.store().issuance_rows(&filter, &extent);
                Ok(found.await?.rows)
            }
        }));
    }
    let sort = listing.sort(&["time"], lists::largest("time"));
    let extent = lists::page(&listing, sort);
    let found = app.service.store().issuance_rows(&filter, &extent).await?;
    let kinds = IssuanceKind::ALL.iter().map(|kind| kind.as_str());
    let states = IssuanceStanding::ALL.iter().map(|state| state.as_str());
    let columns = vec![
        Column::new(t.text("credentials.issuance")),
        Column::new(t.text("credentials.kind")),
        Column::new(t.text("credentials.state")),
        Column::new(t.text("credentials.holder")),
        Column::new(t.text("credentials.copies")).numeric(),
        Column::new(t.text("credentials.issued")).sortable("time"),
    ];
    let caption = t.text("credentials.issued_list");
    let table = Table::new(t, "issuances", caption, listing, columns);
    let table = if named {
        table.search("q", t.text("credentials.search")).exported()
    } else {
        table
    };
    let issuances = table
        .choice(
            "kind",
            t.text("credentials.kind"),
            lists::options(t, "credential.kind", kinds),
        )
        .choice(
            "state",
            t.text("credentials.state"),
            lists::options(t, "credential.state", states),
        )
        .sorted(sort)
        .rows(found.rows.iter().map(|row| cells(t, row, named)))
        .paged(found.total)
        .or(t.text("credentials.none"), t.text("credentials.none_hint"));
    Ok(show(&Credentials {
        lists: status_lists(&app, t).await?,
        page,
        issuances,
    }))
}

fn cells(t: Texts, row: &IssuanceRow, named: bool) -> Vec<Cell> {
    let kind = format!("credential.kind.{}", row.kind.as_str());
    let holder = match (&row.subject, &row.client) {
        (Some(subject), _) if named => lists::subject_link(subject),
        (Some(_), _) => Cell::text(t.text("credentials.a_subject")),
        (None, Some((client, name))) => {
            let name = name.clone().unwrap_or_else(|| client.to_string());
            Cell::Text(t.fill("credentials.for_client", name))
        }
        (None, None) => Cell::text(t.text("credentials.erased")),
    };
    vec![
        Cell::Link {
            href: format!("/admin/credentials/{}", row.id),
            text: row.id.to_string(),
            code: true,
        },
        Cell::text(t.text(&kind)),
        Cell::Badge(badge(t, row.standing)),
        holder,
        Cell::Number(row.copies.into()),
        Cell::Time(row.issued),
    ]
}

pub(super) fn badge(t: Texts, standing: IssuanceStanding) -> Badge {
    let tone = match standing {
        IssuanceStanding::Valid => Tone::Good,
        IssuanceStanding::Suspended => Tone::Attention,
        IssuanceStanding::Revoked => Tone::Bad,
    };
    Badge::new(
        tone,
        t.text(&format!("credential.state.{}", standing.as_str())),
    )
}

async fn status_lists(app: &App, t: Texts) -> Result<Table, Problem> {
    let page = Listing::new("/admin/credentials", "")?;
    let found = app.service.store().list_rows(lists::number(&page)).await?;
    let columns = vec![
        Column::new(t.text("status_list.number")),
        Column::new(t.text("status_list.kind")),
        Column::new(t.text("status_list.entries")).numeric(),
        Column::new(t.text("status_list.suspended")).numeric(),
        Column::new(t.text("status_list.revoked")).numeric(),
        Column::new(t.text("status_list.version")).numeric(),
        Column::new(t.text("status_list.opened")),
    ];
    Ok(
        Table::new(t, "lists", t.text("status_list.title"), page, columns)
            .rows(found.rows.iter().map(|row| list_cells(t, row)))
            .or(t.text("status_list.none"), t.text("status_list.none_hint")),
    )
}

fn list_cells(t: Texts, row: &ListRow) -> Vec<Cell> {
    let (kind, href) = match row.kind {
        ListKind::Bitstring => (
            "status_list.bitstring",
            format!("/status-lists/{}/revocation", row.id),
        ),
        ListKind::Token => ("status_list.token", format!("/status-lists/{}", row.id)),
    };
    let taken = t.fill2(
        "status_list.taken",
        t.number(i64::from(row.entries)),
        t.number(i64::from(LIST_ENTRIES)),
    );
    vec![
        Cell::Link {
            href,
            text: t.fill("status_list.list", row.id),
            code: false,
        },
        Cell::text(t.text(kind)),
        Cell::Text(taken),
        Cell::Number(row.suspended.into()),
        Cell::Number(row.revoked.into()),
        Cell::Number(i64::try_from(row.version).unwrap_or(i64::MAX)),
        Cell::Time(row.opened),
    ]
}
