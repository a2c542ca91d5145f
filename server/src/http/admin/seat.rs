//! Who is signed in, for handlers, and the cookie that says so to browsers.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::Response,
};
use blindprint_core::problem::ProblemCode;
use cookie::{Cookie, SameSite, time::Duration};

use super::Dashboard;
use crate::{
    domain::admin::{SessionSecret, SignedIn},
    http::{
        App, Problem,
        web::{Page, cookie},
    },
};

/// Browsers take this name only from this very host, over TLS, for all paths.
const COOKIE: &str = "__Host-blindprint-admin";
/// On plain HTTP, which is served to this machine alone.
const PLAIN_COOKIE: &str = "blindprint-admin";

/// The administrator whose request this is, as the gate found them.
#[derive(Debug, Clone)]
pub(in crate::http) struct Seat {
    /// Who, in which session.
    pub who: SignedIn,
    /// What stands around the page.
    page: Page,
}

impl Seat {
    pub(super) const fn new(who: SignedIn, page: Page) -> Self {
        Self { who, page }
    }

    /// A page of theirs within a section of the navigation.
    pub(in crate::http) fn page(&self, section: &'static str) -> Page {
        self.page.clone().at(section)
    }
}

impl FromRequestParts<Arc<App>> for Seat {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        // The gate puts one there for every route that asks for anything.
        let seat = parts.extensions.get::<Self>().cloned();
        seat.ok_or_else(|| Problem::new(ProblemCode::OperatorOnly))
    }
}

impl FromRequestParts<Arc<App>> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        let seated = parts.extensions.get::<Seat>().map(|seat| seat.page.clone());
        Ok(seated.unwrap_or_else(|| Self::new(&parts.headers, &parts.uri)))
    }
}

impl Dashboard {
    /// Whether a request came over plain HTTP.
    fn is_plain(&self, headers: &HeaderMap) -> bool {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        host.is_some() && host == self.plain_host.as_deref()
    }

    fn cookie_name(&self, headers: &HeaderMap) -> &'static str {
        if self.is_plain(headers) {
            PLAIN_COOKIE
        } else {
            COOKIE
        }
    }

    /// The session that a request names.
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<SessionSecret> {
        cookie(headers, self.cookie_name(headers)).map(SessionSecret::from)
    }

    /// Gives the browser its session.
    pub(super) fn keep(
        &self,
        headers: &HeaderMap,
        secret: &SessionSecret,
        response: Response,
    ) -> Response {
        let longest = Duration::seconds(self.rules.terms().longest);
        self.set(headers, secret.expose(), longest, response)
    }

    /// Takes the browser's session away.
    pub(super) fn drop(&self, headers: &HeaderMap, response: Response) -> Response {
        self.set(headers, "", Duration::ZERO, response)
    }

    fn set(
        &self,
        headers: &HeaderMap,
        value: &str,
        age: Duration,
        mut response: Response,
    ) -> Response {
        let cookie = Cookie::build((self.cookie_name(headers), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(!self.is_plain(headers))
            .max_age(age);
        if let Ok(cookie) = HeaderValue::from_str(&cookie.to_string()) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}
