//! Administrators, and the links by which others become some.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use blindprint_core::UnixTime;
use serde::Deserialize;

use super::seat::Seat;
use crate::{
    domain::admin::{
        AdministratorId, AdministratorRecord, LinkId, LinkRecord, LinkState, Name, Permission, Role,
    },
    http::{
        App, Problem,
        parameters::Segment,
        web::{Page, Tone, see_other, show},
    },
};
use blindprint_core::problem::ProblemCode;

#[derive(Template)]
#[template(path = "admin/administrators.html")]
#[expect(clippy::struct_field_names, reason = "templates read best so")]
struct Administrators {
    page: Page,
    administrators: Vec<AdministratorRecord>,
    links: Vec<LinkRecord>,
    own: AdministratorId,
    now: UnixTime,
}

impl Administrators {
    fn roles(&self) -> Vec<(&'static str, String)> {
        let t = self.page.t;
        Role::ALL
            .into_iter()
            .map(|role| (role.as_str(), t.text(role.key()).to_owned()))
            .collect()
    }

    /// A link's state with its colour.
    fn standing(&self, link: &LinkRecord) -> (Tone, &'static str) {
        match link.state(self.now) {
            LinkState::Waiting => (Tone::Info, "link.waiting"),
            LinkState::Used => (Tone::Good, "link.used"),
            LinkState::Revoked => (Tone::Neutral, "link.revoked"),
            LinkState::Expired => (Tone::Attention, "link.expired"),
        }
    }

    fn is_waiting(&self, link: &LinkRecord) -> bool {
        link.state(self.now) == LinkState::Waiting
    }

    fn may_manage(&self) -> bool {
        self.page.may(Permission::ManageAdministrators)
    }
}

pub(super) async fn page(State(app): State<Arc<App>>, seat: Seat) -> Result<Response, Problem> {
    let rules = &app.dashboard.rules;
    Ok(show(&Administrators {
        page: seat.page("administrators"),
        administrators: rules.administrators().await?,
        links: rules.links().await?,
        own: seat.who.administrator.id,
        now: app.service.clock().now(),
    }))
}

#[derive(Template)]
#[template(path = "admin/link_made.html")]
struct LinkMade {
    page: Page,
    link: LinkRecord,
    address: String,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    name: String,
    role: String,
}

fn malformed(what: &str) -> Problem {
    Problem::because(ProblemCode::MalformedRequest, what)
}

/// Makes a link and shows it: here, and never again.
pub(super) async fn make_link(
    State(app): State<Arc<App>>,
    seat: Seat,
    headers: HeaderMap,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Problem> {
    let name: Name = wanted.name.parse().map_err(|_| super::unnamed())?;
    let role: Role = wanted.role.parse().map_err(|_| malformed("role"))?;
    let rules = &app.dashboard.rules;
    let (link, secret) = rules.make_link(&seat.who, role, name).await?;
    // The gate has compared it with the dashboard's own addresses.
    let origin = headers.get(header::ORIGIN).and_then(|it| it.to_str().ok());
    let address = format!(
        "{}/admin/join/{}",
        origin.unwrap_or_default(),
        secret.expose()
    );
    Ok(show(&LinkMade {
        page: seat.page("administrators"),
        link,
        address,
    }))
}

pub(super) async fn revoke_link(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<LinkId>,
) -> Result<Response, Problem> {
    app.dashboard.rules.revoke_link(&seat.who, id).await?;
    Ok(see_other("/admin/administrators?done=link_revoked"))
}

#[derive(Deserialize)]
pub(super) struct Changed {
    role: String,
}

pub(super) async fn change_role(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<AdministratorId>,
    Form(changed): Form<Changed>,
) -> Result<Response, Problem> {
    let role: Role = changed.role.parse().map_err(|_| malformed("role"))?;
    app.dashboard.rules.change_role(&seat.who, id, role).await?;
    Ok(see_other("/admin/administrators?done=role_changed"))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<AdministratorId>,
) -> Result<Response, Problem> {
    let rules = &app.dashboard.rules;
    rules.remove_administrator(&seat.who, id).await?;
    Ok(see_other(
        "/admin/administrators?done=administrator_removed",
    ))
}
