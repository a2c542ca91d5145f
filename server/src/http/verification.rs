//! What does not verify, told as a problem that also is the VC API's answer.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use blindprint_core::problem::{ProblemCode, ProblemDocument};
use blindprint_credentials::VerifyError;
use serde::Serialize;
use utoipa::ToSchema;

use super::{envelope::StandardForm, problem::MEDIA_TYPE};

/// A problem, and a verification that failed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verification {
    #[serde(flatten)]
    problem: ProblemDocument,
    /// Always false.
    verified: bool,
    /// What was wrong.
    problem_details: Vec<Reason>,
}

/// What was wrong.
#[derive(Serialize, ToSchema)]
struct Reason {
    /// Its stable name.
    #[serde(rename = "type")]
    kind: String,
    /// In words.
    title: String,
    /// Whether the same may verify later: a key or a list could not be had.
    temporary: bool,
}

/// Says why something does not verify.
pub(super) fn refuse(error: &VerifyError) -> Response {
    let code = ProblemCode::NotVerified;
    metrics::counter!("blindprint_not_verified_total", "reason" => error.code()).increment(1);
    let body = Verification {
        problem: ProblemDocument {
            kind: code.type_uri(),
            title: code.title().to_owned(),
            status: code.status(),
            detail: Some(error.to_string()),
            instance: None,
        },
        verified: false,
        problem_details: vec![Reason {
            kind: format!("urn:blindprint:verification:{}", error.code()),
            title: error.to_string(),
            temporary: error.is_unavailable(),
        }],
    };
    let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response.extensions_mut().insert(StandardForm);
    response
}
