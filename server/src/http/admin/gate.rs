//! What every request to the dashboard passes before its handler: who asks, whether the browser that
//! sends it shows our own page, whether the role allows it, and whether the passkey was used lately
//! enough. Refusals leave as pages.

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

use super::{Dashboard, prove, routes::Access, seat::Seat};
use crate::{
    Error,
    domain::admin::{Act, ActKind, Actor, SessionSecret, SignedIn},
    http::{
        Address, App, Problem,
        envelope::StandardForm,
        guard,
        parameters::{media_type, read_body},
        web::{Page, Seated, see_other, show_as},
    },
};

const TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const HTMX: HeaderName = HeaderName::from_static("hx-request");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORM: &str = "application/x-www-form-urlencoded";

/// The route that a request came to.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) app: Arc<App>,
    pub(super) access: Access,
    /// Whether it changes something.
    pub(super) writes: bool,
    pub(super) route: &'static str,
}

/// What a request turned out to be.
enum Admitted {
    /// It goes on.
    Yes(Request),
    /// It goes no further.
    No(Response),
}

pub(super) async fn gate(State(door): State<Door>, request: Request, next: Next) -> Response {
    let page = Page::new(request.headers(), request.uri());
    let manner = Manner::of(request.headers());
    let mut seated = page.clone();
    let admitted = admit(&door, request, &mut seated).await;
    let response = match admitted {
        Ok(Admitted::Yes(request)) => next.run(request).await,
        Ok(Admitted::No(response)) => response,
        Err(problem) => problem.into_response(),
    };
    dress(response, manner, seated)
}

async fn admit(door: &Door, request: Request, page: &mut Page) -> Result<Admitted, Problem> {
    let dashboard = &door.app.dashboard;
    let writes = door.writes;
    if writes && !is_from_own_page(dashboard, request.headers()) {
        return Err(Problem::new(ProblemCode::ChallengeGone));
    }
    let secret = dashboard.session(request.headers());
    let who = match &secret {
        Some(secret) => dashboard.rules.signed_in(secret).await?,
        None => None,
    };
    let (Some(who), Some(secret)) = (who, secret) else {
        return stranger(door, request, writes);
    };
    *page = page.clone().seat(Seated {
        name: who.administrator.name.to_string(),
        role: who.administrator.role,
        csrf: secret.csrf(),
    });
    let mut request = request;
    let mut fields = Vec::new();
    if writes && door.access != Access::Open {
        (request, fields) = with_fields(request, door.app.body_seconds).await?;
        if !carries_token(request.headers(), &fields, &secret) {
            return Err(Problem::new(ProblemCode::ChallengeGone));
        }
    }
    if let Some(permission) = door.access.permission()
        && !who.administrator.role.may(permission)
    {
        if writes {
            let act = Act::done(Actor::from(&who), ActKind::Overstep, door.route).refused();
            dashboard.rules.record(&act).await?;
        }
        return Err(Problem::new(ProblemCode::Refused));
    }
    if door.access.is_fresh() && !dashboard.rules.is_fresh(&who) {
        let wanted = request.uri().path_and_query();
        let wanted = wanted.map_or("/admin", |target| target.as_str());
        return Ok(Admitted::No(prove::ask(page, wanted, writes, &fields)));
    }
    request
        .extensions_mut()
        .insert(Seat::new(who, page.clone()));
    Ok(Admitted::Yes(request))
}

/// Whoever is not signed in: open routes serve them, at a limited rate where they begin something;
/// pages send them to sign in.
fn stranger(door: &Door, request: Request, writes: bool) -> Result<Admitted, Problem> {
    if door.access == Access::Open {
        if writes {
            let address = request.extensions().get::<Address>().copied();
            let address = address.ok_or_else(|| Problem::new(ProblemCode::Internal))?;
            let rate = &door.app.dashboard.ceremony_rate;
            rate.take(&address, Instant::now())
                .map_err(|seconds| Error::RetryAfter {
                    code: ProblemCode::RateLimited,
                    seconds,
                })?;
        }
        return Ok(Admitted::Yes(request));
    }
    if writes {
        return Err(Problem::new(ProblemCode::OperatorOnly));
    }
    let wanted = request.uri().path_and_query();
    let wanted = wanted.map_or("/admin", |target| target.as_str());
    let next: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    let sign_in = format!("/admin/sign-in?next={next}");
    let mut response = see_other(&sign_in);
    if request.headers().contains_key(HTMX) {
        // htmx would put the sign-in page into the middle of this one.
        response = StatusCode::NO_CONTENT.into_response();
        if let Ok(sign_in) = HeaderValue::from_str(&sign_in) {
            let name = HeaderName::from_static("hx-redirect");
            response.headers_mut().insert(name, sign_in);
        }
    }
    Ok(Admitted::No(response))
}

/// Browsers say where a request comes from; pages of others cannot lie about it. A request that does not
/// say it is no browser's.
fn is_from_own_page(dashboard: &Dashboard, headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text(&FETCH_SITE).is_none_or(|site| site == "same-origin");
    let origin = text(&header::ORIGIN);
    site && origin.is_some_and(|origin| dashboard.rules.is_own(origin))
}

/// Reads a form's fields and puts the body back.
async fn with_fields(
    request: Request,
    seconds: u32,
) -> Result<(Request, Vec<(String, String)>), Problem> {
    let (parts, body) = request.into_parts();
    let is_form = media_type(&parts.headers, FORM).is_ok();
    let again = Request::from_parts(parts.clone(), body);
    let bytes = read_body(again, guard::LARGEST_BODY, seconds).await?;
    let fields = if is_form {
        form_urlencoded::parse(&bytes).into_owned().collect()
    } else {
        Vec::new()
    };
    Ok((Request::from_parts(parts, Body::from(bytes)), fields))
}

fn carries_token(headers: &HeaderMap, fields: &[(String, String)], secret: &SessionSecret) -> bool {
    let header = headers.get(TOKEN).and_then(|value| value.to_str().ok());
    let field = fields.iter().find(|(name, _)| name == "csrf");
    header
        .or(field.map(|(_, value)| value.as_str()))
        .is_some_and(|token| secret.admits(token))
}

/// In which form a refusal is useful to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// A page.
    Page,
    /// A part of a page, put in by htmx.
    Part,
    /// A script's request, which looks at the status.
    Script,
}

impl Manner {
    fn of(headers: &HeaderMap) -> Self {
        if media_type(headers, "application/json").is_ok() {
            Self::Script
        } else if headers.contains_key(HTMX) {
            Self::Part
        } else {
            Self::Page
        }
    }
}

#[derive(Template)]
#[template(path = "admin/error.html")]
struct Refusal {
    page: Page,
    title: String,
    words: String,
}

#[derive(Template)]
#[template(path = "admin/error_alone.html")]
struct RefusalAlone {
    page: Page,
    title: String,
    words: String,
}

#[derive(Template)]
#[template(path = "admin/error_part.html")]
struct RefusalPart {
    page: Page,
    title: String,
}

/// Turns a refusal into a page.
fn dress(mut response: Response, manner: Manner, page: Page) -> Response {
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    let ours = response.extensions().get::<StandardForm>().is_some();
    if manner == Manner::Script || ours || !(status.is_client_error() || status.is_server_error()) {
        if let Some(problem) = problem {
            response.extensions_mut().insert(problem);
        }
        return response;
    }
    let family = match &problem {
        // The rules found a fault in what was sent; the gate gives no reasons.
        Some(fault) if fault.code() == ProblemCode::Refused && fault.explains() => {
            "error.malformed"
        }
        Some(problem) => family_of(problem.code()),
        None => family_of_status(status),
    };
    let mut dressed = refusal(status, manner, page, family);
    let wait = problem.and_then(|problem| problem.retry_after());
    if let Some(seconds) = wait {
        let headers = dressed.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    dressed
}

fn refusal(status: StatusCode, manner: Manner, page: Page, family: &str) -> Response {
    let title = page.named(family, "title");
    let words = page.named(family, "words");
    match manner {
        Manner::Part => show_as(status, &RefusalPart { page, title }),
        _ if page.seated.is_some() => show_as(status, &Refusal { page, title, words }),
        _ => show_as(status, &RefusalAlone { page, title, words }),
    }
}

/// A page that does not exist.
pub(super) async fn nowhere(page: Page) -> Response {
    refusal(
        StatusCode::NOT_FOUND,
        Manner::Page,
        page,
        family_of(ProblemCode::NotFound),
    )
}

/// The texts that say a refusal.
const fn family_of(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::NotFound | ProblemCode::MethodNotAllowed => "error.not_found",
        ProblemCode::OperatorOnly => "error.signed_out",
        ProblemCode::Refused => "error.forbidden",
        ProblemCode::ChallengeGone => "error.stale",
        ProblemCode::Conflict | ProblemCode::QuotaReached => "error.conflict",
        ProblemCode::RateLimited | ProblemCode::Throttled => "error.busy",
        ProblemCode::Unavailable => "error.unavailable",
        _ if code.status() < 500 => "error.malformed",
        _ => "error.internal",
    }
}

fn family_of_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "error.not_found",
        _ if status.is_client_error() => "error.malformed",
        _ => "error.internal",
    }
}

/// That a handler got here only through the gate is what `Seat` shows; this says who it is in words of
/// the trail.
impl From<&Seat> for Actor {
    fn from(seat: &Seat) -> Self {
        let who: &SignedIn = &seat.who;
        Self::from(who)
    }
}
