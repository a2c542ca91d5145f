use std::sync::Arc;

use askama::Template;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use webauthn_rs::prelude::PublicKeyCredential;

use super::seat::Seat;
use crate::http::{
    App, Problem,
    parameters::{Parameters, Plain},
    web::{Page, own_path, see_other, show},
};

/// What a browser is asked to sign.
#[derive(Serialize)]
pub(super) struct Begun {
    /// The ceremony's name.
    pub(super) ceremony: String,
    /// The options for `navigator.credentials`.
    pub(super) options: Value,
}

/// Where a browser goes after a ceremony.
#[derive(Serialize)]
pub(super) struct Done {
    /// A path of this origin.
    pub(super) next: String,
}

/// What a browser answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered<T> {
    /// The ceremony's name.
    pub(super) ceremony: String,
    /// What `navigator.credentials` gave.
    pub(super) answer: T,
}

/// What a browser calls itself.
pub(super) fn agent(headers: &HeaderMap) -> &str {
    headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default()
}

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
struct SignIn {
    page: Page,
    next: String,
    possible: bool,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Parameters(wanted): Parameters<Wanted>,
    page: Page,
) -> Response {
    let next = own_path(wanted.next.as_deref().unwrap_or_default()).to_owned();
    if page.seated.is_some() {
        return see_other(&next);
    }
    show(&SignIn {
        page,
        next,
        possible: app.dashboard.rules.has_passkeys(),
    })
}

pub(super) async fn begin(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let (ceremony, options) = app.dashboard.rules.begin_signing_in()?;
    Ok(Json(Begun {
        ceremony: ceremony.to_string(),
        options,
    })
    .into_response())
}

pub(super) async fn finish(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Plain { value, .. }: Plain<Answered<PublicKeyCredential>>,
) -> Result<Response, Problem> {
    let ceremony = value.ceremony.parse().map_err(|_| super::over())?;
    let dashboard = &app.dashboard;
    let agent = agent(&headers);
    let secret = dashboard.rules.sign_in(ceremony, &value.answer, agent);
    let secret = secret.await?;
    let next = "/admin".to_owned();
    let done = Json(Done { next }).into_response();
    Ok(dashboard.keep(&headers, &secret, done))
}

pub(super) async fn out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    seat: Seat,
) -> Result<Response, Problem> {
    app.dashboard.rules.sign_out(&seat.who).await?;
    let away = see_other("/admin/sign-in?done=signed_out");
    Ok(app.dashboard.drop(&headers, away))
}
