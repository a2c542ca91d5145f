//! Signing in with the wallet, and signing again before something is destroyed.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use blindprint_core::{SignInLink, UnixTime, problem::ProblemCode};
use blindprint_openid4vc::qr;

use super::{
    gate::elsewhere,
    visitor::{self, Kept, Reader, Visitor},
};
use crate::{
    Error,
    domain::sign_in::Standing,
    http::{
        App, Problem,
        web::{Page, secured, see_other, show, show_as},
    },
};

/// What browsers call themselves.
fn agent(headers: &HeaderMap) -> &str {
    let agent = headers.get(header::USER_AGENT);
    agent
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default()
}

/// A link as a page shows it.
struct Shown {
    link: SignInLink,
    expires: UnixTime,
}

impl Shown {
    fn of(standing: &Standing) -> Option<Self> {
        match standing {
            Standing::Waiting { link, expires } => Some(Self {
                link: link.clone(),
                expires: *expires,
            }),
            Standing::Signed | Standing::Gone => None,
        }
    }
}

/// Makes a link, and a cookie by which this browser shows it.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    reader: Reader,
) -> Result<Response, Problem> {
    if reader.visitor.is_some() {
        return Ok(see_other("/me/data"));
    }
    let secret = app.own_page.rules.begin()?;
    let next = see_other("/me/sign-in");
    Ok(visitor::keep(&app, &headers, (&secret, Kept::Link), next))
}

#[derive(Template)]
#[template(path = "me/sign_in.html")]
struct SignInPage {
    page: Page,
    shown: Option<Shown>,
}

/// The link, or, once it is signed, the way in.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    reader: Reader,
) -> Result<Response, Problem> {
    if reader.visitor.is_some() {
        return Ok(see_other("/me/data"));
    }
    if let Some(entered) = enter(&app, &headers, see_other("/me/data")).await? {
        return Ok(entered);
    }
    let page = reader.page("");
    let shown = Shown::of(&standing(&app, &headers, &reader));
    Ok(show(&SignInPage { page, shown }))
}

/// Signs the browser in if its link is signed.
async fn enter(app: &App, headers: &HeaderMap, to: Response) -> Result<Option<Response>, Problem> {
    let Some(secret) = visitor::secret(app, headers) else {
        return Ok(None);
    };
    let rules = &app.own_page.rules;
    let entered = rules.enter(&secret, agent(headers)).await?;
    Ok(entered.map(|secret| visitor::keep(app, headers, (&secret, Kept::Session), to)))
}

fn standing(app: &App, headers: &HeaderMap, reader: &Reader) -> Standing {
    let rules = &app.own_page.rules;
    match (&reader.visitor, visitor::secret(app, headers)) {
        (Some(visitor), _) => rules.of_browser(&visitor.browser),
        (None, Some(secret)) => rules.of_stranger(&secret),
        (None, None) => Standing::Gone,
    }
}

#[derive(Template)]
#[template(path = "me/link_state.html")]
struct LinkState {
    page: Page,
    signed: bool,
    waiting: bool,
}

/// How the link stands, for a page that waits.
pub(super) async fn link(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    reader: Reader,
) -> Result<Response, Problem> {
    if reader.visitor.is_none()
        && let Some(entered) = enter(&app, &headers, elsewhere("/me/data")).await?
    {
        return Ok(entered);
    }
    let standing = standing(&app, &headers, &reader);
    Ok(show(&LinkState {
        page: reader.page(""),
        signed: standing == Standing::Signed,
        waiting: matches!(standing, Standing::Waiting { .. }),
    }))
}

/// The link as a picture, for a wallet on another device.
pub(super) async fn picture(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    reader: Reader,
) -> Result<Response, Problem> {
    let standing = standing(&app, &headers, &reader);
    let shown = Shown::of(&standing).ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    let picture = qr::svg(&shown.link.to_string())
        .map_err(|error| Error::broken("drawing a link")(error.into()))?;
    let svg = HeaderValue::from_static("image/svg+xml");
    Ok(secured(
        ([(header::CONTENT_TYPE, svg)], picture).into_response(),
    ))
}

#[derive(Template)]
#[template(path = "me/again.html")]
struct Again<'a> {
    page: Page,
    shown: Option<Shown>,
    wanted: &'a str,
    fields: &'a [(String, String)],
}

/// Asks for another signature. What was wanted goes on after it.
pub(super) fn ask_again(
    page: &Page,
    standing: &Standing,
    wanted: &str,
    fields: &[(String, String)],
) -> Response {
    show_as(
        StatusCode::UNAUTHORIZED,
        &Again {
            page: page.clone(),
            shown: Shown::of(standing),
            wanted,
            fields,
        },
    )
}

pub(super) async fn out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let own = &visitor.browser;
    app.own_page.rules.end(own, own.id).await?;
    let away = see_other("/me?done=me_signed_out");
    Ok(visitor::drop(&app, &headers, away))
}
