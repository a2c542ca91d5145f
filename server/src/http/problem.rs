//! Every error response, in one place: `application/problem+json` (RFC 9457).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use blindprint_core::problem::{ProblemCode, ProblemDocument};

use crate::Error;

/// Media type of every error body.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error on its way to the caller. The [envelope](super::envelope) adds the request id.
#[derive(Debug, Clone)]
pub struct Problem {
    code: ProblemCode,
    detail: Option<String>,
    retry_after: Option<u32>,
    /// The scope that would do (RFC 6750 section 3.1).
    scope: Option<&'static str>,
}

impl Problem {
    /// A problem without remark.
    pub const fn new(code: ProblemCode) -> Self {
        Self {
            code,
            detail: None,
            retry_after: None,
            scope: None,
        }
    }

    /// The access token lacks this scope.
    pub fn lacking(scope: &'static str) -> Self {
        Self {
            scope: Some(scope),
            ..Self::new(ProblemCode::InsufficientScope)
        }
    }

    /// A problem with a remark that is safe to show.
    pub fn because(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: Some(detail.into()),
            ..Self::new(code)
        }
    }

    /// How long to wait before the same request, in seconds.
    pub const fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// Whether it says more than its code does.
    pub const fn explains(&self) -> bool {
        self.detail.is_some()
    }

    /// Its kind.
    pub const fn code(&self) -> ProblemCode {
        self.code
    }

    /// The response, with the request's id where it is known.
    ///
    /// # Panics
    /// Never: problem codes carry valid statuses.
    pub fn respond(&self, request_id: Option<&str>) -> Response {
        let document = ProblemDocument {
            kind: self.code.type_uri(),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            detail: self.detail.clone(),
            instance: request_id.map(|id| format!("urn:blindprint:request:{id}")),
        };
        let status =
            StatusCode::from_u16(self.code.status()).expect("problem codes carry valid statuses");
        let mut response = (status, axum::Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        match self.code {
            ProblemCode::Unauthenticated => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Blindprint-Proof"),
                );
            }
            ProblemCode::InsufficientScope => {
                let scope = self.scope.unwrap_or_default();
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                    headers.insert(header::WWW_AUTHENTICATE, challenge);
                }
            }
            ProblemCode::ClientOnly => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer error=\"invalid_token\""),
                );
            }
            ProblemCode::OperatorOnly => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = error.code();
        if code.status() >= 500 && code != ProblemCode::Unavailable {
            tracing::error!(error = &error as &dyn std::error::Error, "request failed");
        }
        match error {
            Error::Because { detail, .. } if code.status() < 500 => Self::because(code, detail),
            Error::RetryAfter { seconds, .. } => Self {
                retry_after: Some(seconds),
                ..Self::new(code)
            },
            _ => Self::new(code),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.respond(None);
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(response: Response) -> serde_json::Value {
        let bytes = axum::body::to_bytes(response.into_body(), 4096)
            .await
            .unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn every_code_answers_with_its_type_and_status() {
        for code in ProblemCode::ALL {
            let response = Problem::new(*code).into_response();
            assert_eq!(response.status().as_u16(), code.status());
            assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
            let body = body(response).await;
            assert_eq!(body["type"], code.type_uri());
            assert_eq!(body["title"], code.title());
        }
    }

    #[tokio::test]
    async fn failures_of_our_own_say_nothing_about_themselves() {
        let one = Error::Broken {
            doing: "reading the secret plans",
            source: "row 7".into(),
        };
        let other = Error::Setup("no such folder: /home/alice".into());
        assert_eq!(
            body(one.into_response()).await,
            body(other.into_response()).await
        );
    }

    #[test]
    fn waiting_is_told_in_a_header() {
        let response = Error::unavailable(3).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "3");
    }
}
