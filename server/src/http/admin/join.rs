use std::sync::Arc;

use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::sign_in::{Answered, Begun, Done, agent};
use crate::{
    domain::admin::{LinkRecord, LinkSecret, Name},
    http::{
        App, Problem,
        parameters::Plain,
        web::{Page, show, show_as},
    },
};

#[derive(Template)]
#[template(path = "admin/join.html")]
struct Join {
    page: Page,
    link: LinkRecord,
    path: String,
    possible: bool,
}

#[derive(Template)]
#[template(path = "admin/join_over.html")]
struct Over {
    page: Page,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(secret): Path<String>,
    mut page: Page,
) -> Result<Response, Problem> {
    let rules = &app.dashboard.rules;
    let path = format!("/admin/join/{secret}");
    // Nothing of a session that somebody has already: the link is for somebody new.
    page.seated = None;
    Ok(match rules.waiting_link(&LinkSecret::from(secret)).await? {
        Some(link) => show(&Join {
            page,
            link,
            path,
            possible: rules.has_passkeys(),
        }),
        None => show_as(StatusCode::NOT_FOUND, &Over { page }),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    name: String,
    passkey: String,
}

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Path(secret): Path<String>,
    Plain { value, .. }: Plain<Wanted>,
) -> Result<Response, Problem> {
    let name: Name = value.name.parse().map_err(|_| super::unnamed())?;
    let passkey: Name = value.passkey.parse().map_err(|_| super::unnamed())?;
    let secret = LinkSecret::from(secret);
    let begun = app.dashboard.rules.begin_joining(&secret, name, passkey);
    let (ceremony, options) = begun.await?;
    Ok(Json(Begun {
        ceremony: ceremony.to_string(),
        options,
    })
    .into_response())
}

pub(super) async fn finish(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Plain { value, .. }: Plain<Answered<RegisterPublicKeyCredential>>,
) -> Result<Response, Problem> {
    let ceremony = value.ceremony.parse().map_err(|_| super::over())?;
    let dashboard = &app.dashboard;
    let joined = dashboard
        .rules
        .join(ceremony, &value.answer, agent(&headers));
    let secret = joined.await?;
    let next = "/admin?done=joined".to_owned();
    let done = Json(Done { next }).into_response();
    Ok(dashboard.keep(&headers, &secret, done))
}
