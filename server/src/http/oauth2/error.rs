//! The errors of OAuth and `OpenID4VC`, in their own form: `{"error", "error_description"}`.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use blindprint_core::problem::ProblemCode;
use blindprint_openid4vc::{Code, ErrorBody};

use crate::{
    domain::Denied,
    http::{Problem, envelope::StandardForm},
};

/// An error on its way to a wallet or client that speaks OAuth.
#[derive(Debug, Clone)]
pub(in crate::http) struct ProtocolError {
    error: blindprint_openid4vc::Error,
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ProtocolError {
    /// One that the specification answers with 400.
    pub const fn new(code: Code, reason: &'static str) -> Self {
        Self::of(blindprint_openid4vc::Error::new(code, reason))
    }

    /// The same, as the protocol's rules gave it.
    pub const fn of(error: blindprint_openid4vc::Error) -> Self {
        Self {
            error,
            status: StatusCode::BAD_REQUEST,
            headers: Vec::new(),
        }
    }

    /// Whether it has this code.
    pub fn is(&self, code: Code) -> bool {
        self.error.kind() == code
    }

    /// With another status.
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// With a header beside it. What cannot stand in a header is left out.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// 401 with a challenge of this scheme (RFC 6750 section 3, RFC 9449 section 7.1).
    pub fn challenging(self, scheme: &str) -> Self {
        let challenge = format!("{scheme} error=\"{}\"", self.error.code());
        self.with_status(StatusCode::UNAUTHORIZED)
            .with_header(header::WWW_AUTHENTICATE, &challenge)
    }
}

impl From<blindprint_openid4vc::Error> for ProtocolError {
    fn from(error: blindprint_openid4vc::Error) -> Self {
        Self::of(error)
    }
}

/// What fails on our side, and what any request can be refused for, in this form.
impl From<Problem> for ProtocolError {
    fn from(problem: Problem) -> Self {
        let code = problem.code();
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut error = match code {
            ProblemCode::Internal | ProblemCode::InsufficientStorage => Self::new(
                Code::ServerError,
                "something failed on our side; nothing was changed",
            ),
            ProblemCode::Unavailable | ProblemCode::RateLimited | ProblemCode::Throttled => {
                Self::new(
                    Code::TemporarilyUnavailable,
                    "come again as Retry-After says",
                )
            }
            ProblemCode::NotFound => Self::new(
                Code::InvalidRequest,
                "there is nothing of that name, or it is over",
            ),
            ProblemCode::TooLarge => Self::new(
                Code::InvalidRequest,
                "the body is larger than this endpoint takes",
            ),
            ProblemCode::UnsupportedMediaType => Self::new(
                Code::InvalidRequest,
                "this endpoint takes another content type",
            ),
            _ => Self::new(
                Code::InvalidRequest,
                "the request does not have the documented form",
            ),
        }
        .with_status(status);
        if let Some(seconds) = problem.retry_after() {
            error = error.with_header(header::RETRY_AFTER, &seconds.to_string());
        }
        error
    }
}

impl From<crate::Error> for ProtocolError {
    fn from(error: crate::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<Denied> for ProtocolError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Protocol(error) => Self::of(error),
            Denied::Service(error) => error.into(),
        }
    }
}

impl IntoResponse for ProtocolError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(ErrorBody::from(self.error))).into_response();
        response.headers_mut().extend(self.headers);
        response.extensions_mut().insert(StandardForm);
        response
    }
}
