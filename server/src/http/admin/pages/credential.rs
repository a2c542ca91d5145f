//! One issuance: suspended, reinstated, revoked.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::problem::ProblemCode;
use serde_json::json;

use super::{credentials::badge, lists};
use crate::{
    Error,
    domain::{
        admin::{Act, ActKind, Actor, Permission},
        issued::{IssuanceId, Standing, Whose},
        reports::{
            Extent, IssuanceFilter, IssuanceRow, IssuanceStanding, PageNumber, Sorted, TimeSort,
        },
    },
    http::{
        App, Problem,
        admin::seat::Seat,
        parameters::Segment,
        web::{Badge, Page, see_other, show},
    },
};

#[derive(Template)]
#[template(path = "admin/pages/credential.html")]
struct Credential {
    page: Page,
    row: IssuanceRow,
    copies: i64,
    kind: String,
    standing: Badge,
    /// Whose page, for those who may see it.
    subject: Option<String>,
    suspend: bool,
    reinstate: bool,
    revoke: bool,
}

pub(in crate::http::admin) async fn read(
    seat: Seat,
    Segment(id): Segment<IssuanceId>,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("credentials");
    let t = page.t;
    let row = issuance(&app, id).await?;
    let may = page.may(Permission::ChangeCredentials) && row.entry.is_some();
    let named = page.may(Permission::SeeSubjects);
    Ok(show(&Credential {
        kind: t
            .text(&format!("credential.kind.{}", row.kind.as_str()))
            .to_owned(),
        standing: badge(t, row.standing),
        subject: row.subject.as_ref().filter(|_| named).map(lists::segment),
        suspend: may && row.standing == IssuanceStanding::Valid,
        reinstate: may && row.standing == IssuanceStanding::Suspended,
        revoke: may && row.standing != IssuanceStanding::Revoked,
        page,
        copies: row.copies.into(),
        row,
    }))
}

async fn issuance(app: &App, id: IssuanceId) -> Result<IssuanceRow, Problem> {
    let filter = IssuanceFilter {
        search: id.to_string().parse().ok(),
        ..IssuanceFilter::default()
    };
    let extent = Extent::Page(PageNumber::FIRST, Sorted::ascending(TimeSort::Time));
    let found = app.service.store().issuance_rows(&filter, &extent).await?;
    let row = found.rows.into_iter().find(|row| row.id == id);
    Ok(row.ok_or(Error::Refused(ProblemCode::NotFound))?)
}

async fn change(app: &App, seat: &Seat, id: IssuanceId, to: Standing) -> Result<Response, Problem> {
    let entry = issuance(app, id).await?.entry;
    let entry = entry.ok_or(Error::Refused(ProblemCode::Conflict))?;
    let stamp = app.ledger.stamp();
    let store = app.service.store();
    let state = to.as_str();
    let act = Act::done(Actor::from(seat), ActKind::ChangeCredential, id);
    let act = act.with(json!({ "state": state }));
    let change = async {
        let whose = Whose::Anybody(entry);
        let now = store.change_standing(&whose, to, stamp).await?;
        if now == Some(to) {
            Ok(())
        } else {
            Err(Error::Refused(ProblemCode::Conflict))
        }
    };
    app.dashboard.rules.carry(act, change).await?;
    Ok(see_other(&format!(
        "/admin/credentials/{id}?done=credential_{state}"
    )))
}

pub(in crate::http::admin) async fn suspend(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<IssuanceId>,
) -> Result<Response, Problem> {
    change(&app, &seat, id, Standing::Suspended).await
}

pub(in crate::http::admin) async fn reinstate(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<IssuanceId>,
) -> Result<Response, Problem> {
    change(&app, &seat, id, Standing::Valid).await
}

pub(in crate::http::admin) async fn revoke(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<IssuanceId>,
) -> Result<Response, Problem> {
    change(&app, &seat, id, Standing::Revoked).await
}
