//! What wraps every request: its id, its trace, its time limit, the last resort for panics, and the
//! one form of every error.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use blindprint_core::{Entropy, problem::ProblemCode};
use futures_util::FutureExt as _;
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use super::{App, Problem};
use crate::Error;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const LONGEST_ID: usize = 64;
/// What logs and metrics call by name. Any other method is a word of the caller's own choice.
static METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::CONNECT,
    Method::TRACE,
];

pub(super) async fn envelope(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers(), app.service.entropy());
    let method = METHODS
        .iter()
        .find(|method| *method == request.method())
        .map_or("other", Method::as_str);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", id = %id, method, route = %route, trace = tracing::field::Empty);
    if let Some(trace) = trace_id(request.headers()) {
        span.record("trace", trace);
    }
    let started = Instant::now();
    let limit = Duration::from_secs(u64::from(app.request_seconds));
    let run = AssertUnwindSafe(timeout(limit, next.run(request))).catch_unwind();
    let response = match run.instrument(span.clone()).await {
        Ok(Ok(response)) => response,
        Ok(Err(_elapsed)) => Error::unavailable(5).into_response(),
        Err(_panic) => {
            // The panic hook has logged where; what it says may hold anything.
            span.in_scope(|| tracing::error!("a handler panicked"));
            Problem::new(ProblemCode::Internal).into_response()
        }
    };
    let response = finish(response, &id);
    let seconds = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    // What costs next to nothing must not fill the log, however often it is asked.
    let cheap = route == "/healthz" || response.status() == StatusCode::TOO_MANY_REQUESTS;
    span.in_scope(|| {
        if cheap {
            tracing::debug!(status, seconds, "answered");
        } else {
            tracing::info!(status, seconds, "answered");
        }
    });
    let labels = [
        ("method", method.to_owned()),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::counter!("blindprint_http_requests_total", &labels).increment(1);
    metrics::histogram!("blindprint_http_seconds", &labels[..2]).record(seconds);
    response
}

/// Marks an error response, as an extension, whose form another standard sets: OAuth, `OpenID4VC`, DID
/// Resolution. It passes as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandardForm;

/// Gives every other error the one form, and every response its id and the headers that hold for all.
fn finish(mut response: Response, id: &str) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.respond(Some(id));
    } else if response.extensions_mut().remove::<StandardForm>().is_none()
        && (response.status().is_client_error() || response.status().is_server_error())
    {
        response = foreign(response.status()).respond(Some(id));
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    response
}

/// An error that some library made in a form of its own.
fn foreign(status: StatusCode) -> Problem {
    let code = ProblemCode::ALL.iter().copied().find(|code| {
        code.status() == status.as_u16()
            && matches!(
                code,
                ProblemCode::NotFound
                    | ProblemCode::MethodNotAllowed
                    | ProblemCode::TooLarge
                    | ProblemCode::UnsupportedMediaType
            )
    });
    Problem::new(match code {
        Some(code) => code,
        None if status.is_client_error() => ProblemCode::MalformedRequest,
        None => ProblemCode::Internal,
    })
}

/// The caller's id, if it is one that can stand in a log, else a fresh one.
fn request_id(headers: &HeaderMap, entropy: &dyn Entropy) -> String {
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let clean = |id: &&str| {
        (1..=LONGEST_ID).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given
        .filter(clean)
        .map_or_else(|| entropy.uuid().to_string(), str::to_owned)
}

/// The trace id of a W3C `traceparent` (Trace Context level 1, section 3.2.2).
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(TRACE_PARENT)?.to_str().ok()?;
    let mut parts = value.split('-');
    let version = parts.next()?;
    let trace = parts.next()?;
    let hex = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let valid = version.len() == 2
        && version != "ff"
        && hex(version)
        && trace.len() == 32
        && hex(trace)
        && trace.bytes().any(|byte| byte != b'0');
    valid.then_some(trace)
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        [(name, HeaderValue::from_str(value).unwrap())]
            .into_iter()
            .collect()
    }

    #[test]
    fn ids_that_could_forge_log_lines_are_replaced() {
        let id = |value: &str| request_id(&headers(REQUEST_ID, value), &SystemEntropy);
        assert_eq!(id("abc-1.2_3"), "abc-1.2_3");
        for bad in ["", "a b", "a\"b", &"x".repeat(65)] {
            assert_eq!(id(bad).len(), 36, "{bad}");
        }
    }

    #[test]
    fn only_well_formed_trace_parents_are_taken() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = headers(TRACE_PARENT, &format!("00-{trace}-00f067aa0ba902b7-01"));
        assert_eq!(trace_id(&good), Some(trace));
        for bad in [
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-short-00f067aa0ba902b7-01",
            "x",
        ] {
            assert_eq!(trace_id(&headers(TRACE_PARENT, bad)), None, "{bad}");
        }
    }

    #[test]
    fn errors_of_libraries_take_our_form() {
        for status in [400, 404, 405, 413, 415, 422, 500, 501] {
            let status = StatusCode::from_u16(status).unwrap();
            let response = finish((status, "internals").into_response(), "id");
            assert_eq!(
                response.headers()[header::CONTENT_TYPE],
                super::super::problem::MEDIA_TYPE
            );
        }
    }
}
