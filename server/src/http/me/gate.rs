//! What every request to the subject's page passes before its handler: who asks, whether the browser that
//! sends it shows our own page, and whether the wallet has signed lately enough. Refusals leave as pages.

use std::{sync::Arc, time::Instant};

use askama::Template;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use blindprint_core::problem::ProblemCode;
use url::form_urlencoded;

use super::{
    routes::Access,
    sign_in,
    visitor::{self, Reader, Visitor},
};
use crate::{
    Error,
    domain::sign_in::{BrowserRecord, BrowserSecret},
    http::{
        Address, App, Problem,
        envelope::StandardForm,
        parameters::{media_type, read_body},
        web::{Page, see_other, show_as},
    },
};

const TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const HTMX: HeaderName = HeaderName::from_static("hx-request");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORM: &str = "application/x-www-form-urlencoded";
/// No form of the page is longer, in bytes.
const LONGEST_FORM: usize = 16 * 1024;

/// The route that a request came to.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) app: Arc<App>,
    pub(super) access: Access,
    /// Whether it changes something.
    pub(super) writes: bool,
}

/// What a request turned out to be.
enum Admitted {
    /// It goes on.
    Yes(Request),
    /// It goes no further.
    No(Response),
}

pub(super) async fn gate(State(door): State<Door>, request: Request, next: Next) -> Response {
    let mut page = Page::new(request.headers(), request.uri());
    let response = match admit(&door, request, &mut page).await {
        Ok(Admitted::Yes(request)) => next.run(request).await,
        Ok(Admitted::No(response)) => response,
        Err(problem) => problem.into_response(),
    };
    dress(response, page)
}

async fn admit(door: &Door, request: Request, page: &mut Page) -> Result<Admitted, Problem> {
    let app = &door.app;
    let rules = &app.own_page.rules;
    let writes = door.writes;
    if writes && !is_from_own_page(app, request.headers()) {
        return Err(Problem::new(ProblemCode::ChallengeGone));
    }
    let secret = visitor::secret(app, request.headers());
    let browser = match &secret {
        Some(secret) => rules.signed_in(secret).await?,
        None => None,
    };
    let (Some(mut browser), Some(secret)) = (browser, secret) else {
        return stranger(door, request, writes);
    };
    *page = page.clone().own(secret.csrf());
    let mut request = request;
    let mut fields = Vec::new();
    if writes {
        (request, fields) = with_fields(request, app.body_seconds).await?;
        if !carries_token(request.headers(), &fields, &secret) {
            return Err(Problem::new(ProblemCode::ChallengeGone));
        }
    }
    if door.access == Access::Fresh && !is_fresh(app, &mut browser).await? {
        let wanted = request.uri().path().to_owned();
        let standing = rules.begin_again(&browser)?;
        return Ok(Admitted::No(sign_in::ask_again(
            page, &standing, &wanted, &fields,
        )));
    }
    let visitor = Visitor::new(browser, page.clone());
    request.extensions_mut().insert(visitor);
    Ok(Admitted::Yes(request))
}

/// Whether the wallet has signed lately: before, or just now.
async fn is_fresh(app: &App, browser: &mut BrowserRecord) -> Result<bool, Problem> {
    let rules = &app.own_page.rules;
    if rules.is_fresh(browser) {
        return Ok(true);
    }
    let renewed = rules.renew(browser).await?;
    if let Some(renewed) = renewed {
        *browser = renewed;
    }
    Ok(rules.is_fresh(browser))
}

/// Whoever is not signed in: open routes serve them, at a limited rate where they begin something;
/// pages send them to the welcome.
fn stranger(door: &Door, request: Request, writes: bool) -> Result<Admitted, Problem> {
    if door.access == Access::Open {
        if writes {
            let address = request.extensions().get::<Address>().copied();
            let address = address.ok_or_else(|| Problem::new(ProblemCode::Internal))?;
            let rate = &door.app.own_page.link_rate;
            rate.take(&address, Instant::now())
                .map_err(|seconds| Error::RetryAfter {
                    code: ProblemCode::RateLimited,
                    seconds,
                })?;
        }
        return Ok(Admitted::Yes(request));
    }
    if writes {
        return Err(Problem::new(ProblemCode::Unauthenticated));
    }
    let welcome = "/me?done=me_signed_out";
    Ok(Admitted::No(if request.headers().contains_key(HTMX) {
        elsewhere(welcome)
    } else {
        see_other(welcome)
    }))
}

/// Has htmx go to another page instead of putting one into the middle of this one.
pub(super) fn elsewhere(path: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        let name = HeaderName::from_static("hx-redirect");
        response.headers_mut().insert(name, path);
    }
    response
}

/// Browsers say where a request comes from; pages of others cannot lie about it. A request that does not
/// say it is no browser's.
fn is_from_own_page(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text(&FETCH_SITE).is_none_or(|site| site == "same-origin");
    let plain = app.dashboard.plain_host.as_ref();
    let plain = plain.map(|host| format!("http://{host}"));
    let is_own =
        |origin: &str| origin == app.service.id().as_str() || Some(origin) == plain.as_deref();
    site && text(&header::ORIGIN).is_some_and(is_own)
}

/// Reads a form's fields and puts the body back.
async fn with_fields(
    request: Request,
    seconds: u32,
) -> Result<(Request, Vec<(String, String)>), Problem> {
    let (parts, body) = request.into_parts();
    let is_form = media_type(&parts.headers, FORM).is_ok();
    let again = Request::from_parts(parts.clone(), body);
    let bytes = read_body(again, LONGEST_FORM, seconds).await?;
    let fields = if is_form {
        form_urlencoded::parse(&bytes).into_owned().collect()
    } else {
        Vec::new()
    };
    Ok((Request::from_parts(parts, Body::from(bytes)), fields))
}

fn carries_token(headers: &HeaderMap, fields: &[(String, String)], secret: &BrowserSecret) -> bool {
    let header = headers.get(TOKEN).and_then(|value| value.to_str().ok());
    let field = fields.iter().find(|(name, _)| name == "csrf");
    header
        .or(field.map(|(_, value)| value.as_str()))
        .is_some_and(|token| secret.admits(token))
}

#[derive(Template)]
#[template(path = "me/error.html")]
struct Refusal {
    page: Page,
    title: String,
    words: String,
}

/// Turns a refusal into a page.
fn dress(mut response: Response, page: Page) -> Response {
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    let ours = response.extensions().get::<StandardForm>().is_some();
    if ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let code = problem.as_ref().map(Problem::code);
    let mut dressed = refusal(status, page, family_of(status, code));
    if let Some(seconds) = problem.and_then(|problem| problem.retry_after()) {
        let headers = dressed.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    dressed
}

fn refusal(status: StatusCode, page: Page, family: &str) -> Response {
    let title = page.named(family, "title");
    let words = page.named(family, "words");
    show_as(status, &Refusal { page, title, words })
}

/// A page that does not exist.
pub(super) async fn nowhere(reader: Reader) -> Response {
    refusal(StatusCode::NOT_FOUND, reader.page(""), "error.not_found")
}

/// The texts that say a refusal.
fn family_of(status: StatusCode, code: Option<ProblemCode>) -> &'static str {
    match code {
        Some(ProblemCode::NotFound | ProblemCode::MethodNotAllowed) => "error.not_found",
        Some(ProblemCode::Unauthenticated) => "me.error.signed_out",
        Some(ProblemCode::ChallengeGone) => "error.stale",
        Some(ProblemCode::Conflict | ProblemCode::QuotaReached) => "me.error.conflict",
        Some(ProblemCode::RateLimited | ProblemCode::Throttled) => "error.busy",
        Some(ProblemCode::Unavailable) => "error.unavailable",
        None if status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED => {
            "error.not_found"
        }
        _ if status.is_client_error() => "error.malformed",
        _ => "error.internal",
    }
}
