//! Who is signed in, for handlers, and the cookie that says so to browsers.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::Response,
};
use blindprint_core::{SubjectId, problem::ProblemCode};
use cookie::{Cookie, SameSite, time::Duration};

use crate::{
    domain::sign_in::{BrowserRecord, BrowserSecret, LONGEST_SECONDS, PENDING_SECONDS},
    http::{
        App, Problem,
        web::{Page, cookie},
    },
};

/// Browsers take this name only from this very host, over TLS, for all paths.
const COOKIE: &str = "__Host-blindprint-me";
/// On plain HTTP, which is served to this machine alone.
const PLAIN_COOKIE: &str = "blindprint-me";

/// The subject whose request this is, as the gate found them.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// In which browser.
    pub(super) browser: BrowserRecord,
    page: Page,
}

impl Visitor {
    pub(super) const fn new(browser: BrowserRecord, page: Page) -> Self {
        Self { browser, page }
    }

    /// Who it is.
    pub(super) const fn subject(&self) -> &SubjectId {
        &self.browser.subject
    }

    /// A page of theirs within a section of the navigation.
    pub(super) fn page(&self, section: &'static str) -> Page {
        self.page.clone().at(section)
    }
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        // The gate puts one there for every route that asks for anything.
        let visitor = parts.extensions.get::<Self>().cloned();
        visitor.ok_or_else(|| Problem::new(ProblemCode::Unauthenticated))
    }
}

/// Whoever reads an open page, signed in or not.
pub(super) struct Reader {
    /// Who, if they are signed in.
    pub(super) visitor: Option<Visitor>,
    page: Page,
}

impl Reader {
    /// A page for them.
    pub(super) fn page(&self, section: &'static str) -> Page {
        self.page.clone().at(section)
    }
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        let visitor = parts.extensions.get::<Visitor>().cloned();
        let page = match &visitor {
            Some(visitor) => visitor.page.clone(),
            None => Page::new(&parts.headers, &parts.uri),
        };
        Ok(Self { visitor, page })
    }
}

/// Whether a request came over plain HTTP.
fn is_plain(app: &App, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    host.is_some() && host == app.dashboard.plain_host.as_deref()
}

fn name(app: &App, headers: &HeaderMap) -> &'static str {
    if is_plain(app, headers) {
        PLAIN_COOKIE
    } else {
        COOKIE
    }
}

/// What the browser's cookie holds.
pub(super) fn secret(app: &App, headers: &HeaderMap) -> Option<BrowserSecret> {
    cookie(headers, name(app, headers)).map(BrowserSecret::from)
}

/// How long a browser keeps its cookie.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    /// While it shows a link.
    Link,
    /// While somebody is signed in.
    Session,
}

/// Gives the browser its cookie.
pub(super) fn keep(
    app: &App,
    headers: &HeaderMap,
    (secret, kept): (&BrowserSecret, Kept),
    response: Response,
) -> Response {
    let seconds = match kept {
        Kept::Link => PENDING_SECONDS,
        Kept::Session => LONGEST_SECONDS,
    };
    set(
        app,
        headers,
        (secret.expose(), Duration::seconds(seconds)),
        response,
    )
}

/// Takes the browser's cookie away.
pub(super) fn drop(app: &App, headers: &HeaderMap, response: Response) -> Response {
    set(app, headers, ("", Duration::ZERO), response)
}

fn set(
    app: &App,
    headers: &HeaderMap,
    (value, age): (&str, Duration),
    mut response: Response,
) -> Response {
    let cookie = Cookie::build((name(app, headers), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(!is_plain(app, headers))
        .max_age(age);
    if let Ok(cookie) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
