//! Proving again that it is the same administrator, before something is destroyed.

use std::sync::Arc;

use askama::Template;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use webauthn_rs::prelude::PublicKeyCredential;

use super::{
    seat::Seat,
    sign_in::{Answered, Begun, Done},
};
use crate::http::{
    App, Problem,
    parameters::Plain,
    web::{Page, show_as},
};

#[derive(Template)]
#[template(path = "admin/prove.html")]
struct Prove<'a> {
    page: Page,
    wanted: &'a str,
    /// Whether `wanted` is a form that is sent again with these fields.
    writes: bool,
    fields: &'a [(String, String)],
}

/// Asks for the passkey. What was wanted goes on by itself after that.
pub(super) fn ask(
    page: &Page,
    wanted: &str,
    writes: bool,
    fields: &[(String, String)],
) -> Response {
    show_as(
        StatusCode::UNAUTHORIZED,
        &Prove {
            page: page.clone(),
            wanted,
            writes,
            fields,
        },
    )
}

pub(super) async fn begin(State(app): State<Arc<App>>, seat: Seat) -> Result<Response, Problem> {
    let (ceremony, options) = app.dashboard.rules.begin_proving(&seat.who).await?;
    Ok(Json(Begun {
        ceremony: ceremony.to_string(),
        options,
    })
    .into_response())
}

pub(super) async fn finish(
    State(app): State<Arc<App>>,
    seat: Seat,
    Plain { value, .. }: Plain<Answered<PublicKeyCredential>>,
) -> Result<Response, Problem> {
    let ceremony = value.ceremony.parse().map_err(|_| super::over())?;
    let rules = &app.dashboard.rules;
    rules.prove(&seat.who, ceremony, &value.answer).await?;
    let next = "/admin".to_owned();
    Ok(Json(Done { next }).into_response())
}
