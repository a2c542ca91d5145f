//! One's own passkeys and sessions.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Json,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::{
    seat::Seat,
    sign_in::{Answered, Begun, Done},
};
use crate::{
    domain::admin::{Name, PasskeyRecord, SessionId, SessionRecord, SessionTerms},
    http::{
        App, Problem,
        parameters::{Plain, Segment},
        web::{Page, browser_name, see_other, show},
    },
};

#[derive(Template)]
#[template(path = "admin/account.html")]
struct Account {
    page: Page,
    passkeys: Vec<PasskeyRecord>,
    sessions: Vec<SessionRecord>,
    current: SessionId,
    terms: SessionTerms,
}

pub(super) async fn page(State(app): State<Arc<App>>, seat: Seat) -> Result<Response, Problem> {
    let rules = &app.dashboard.rules;
    let own = seat.who.administrator.id;
    Ok(show(&Account {
        page: seat.page("account"),
        passkeys: rules.passkeys_of(own).await?,
        sessions: rules.sessions_of(own).await?,
        current: seat.who.session.id,
        terms: rules.terms(),
    }))
}

#[derive(Template)]
#[template(path = "admin/new_passkey.html")]
struct NewPasskey {
    page: Page,
}

pub(super) async fn new_passkey(seat: Seat) -> Response {
    let page = seat.page("account");
    show(&NewPasskey { page })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    passkey: String,
}

pub(super) async fn begin_adding(
    State(app): State<Arc<App>>,
    seat: Seat,
    Plain { value, .. }: Plain<Wanted>,
) -> Result<Response, Problem> {
    let name = value.passkey.parse().map_err(|_| super::unnamed())?;
    let (ceremony, options) = app.dashboard.rules.begin_adding(&seat.who, name).await?;
    Ok(Json(Begun {
        ceremony: ceremony.to_string(),
        options,
    })
    .into_response())
}

pub(super) async fn finish_adding(
    State(app): State<Arc<App>>,
    seat: Seat,
    Plain { value, .. }: Plain<Answered<RegisterPublicKeyCredential>>,
) -> Result<Response, Problem> {
    let ceremony = value.ceremony.parse().map_err(|_| super::over())?;
    let rules = &app.dashboard.rules;
    rules
        .add_passkey(&seat.who, ceremony, &value.answer)
        .await?;
    let next = "/admin/account?done=passkey_added".to_owned();
    Ok(Json(Done { next }).into_response())
}

#[derive(Deserialize)]
pub(super) struct Renamed {
    name: String,
}

pub(super) async fn rename(
    State(app): State<Arc<App>>,
    seat: Seat,
    Path(id): Path<String>,
    Form(wanted): Form<Renamed>,
) -> Result<Response, Problem> {
    let name: Name = wanted.name.parse().map_err(|_| super::unnamed())?;
    let rules = &app.dashboard.rules;
    rules.rename_passkey(&seat.who, &id, &name).await?;
    Ok(see_other("/admin/account?done=passkey_renamed"))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    seat: Seat,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    app.dashboard.rules.remove_passkey(&seat.who, &id).await?;
    Ok(see_other("/admin/account?done=passkey_removed"))
}

pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<SessionId>,
) -> Result<Response, Problem> {
    app.dashboard.rules.end_session(&seat.who, id).await?;
    Ok(see_other("/admin/account?done=session_ended"))
}

impl Account {
    fn browser(&self, session: &SessionRecord) -> String {
        browser_name(&session.agent)
            .unwrap_or_else(|| self.page.t.text("account.unknown").to_owned())
    }
}
