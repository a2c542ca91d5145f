use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use blindprint_core::wire::{Enrolled, RECOVERY_HEADER};

use crate::{
    Result,
    domain::Upload,
    http::{
        App, Problem,
        idempotency::Keep,
        openapi::ComparisonProblems,
        parameters::single,
        proof::{Applicant, Signed, Wallet},
    },
};

/// Registers a template. The body is the encrypted code with its proof; header
/// `Blindprint-Statement` carries the signed Enrolment that it belongs to.
///
/// Needs an invitation or an enrolment key, unless enrolment is open or the subject was let in before.
#[utoipa::path(
    post, path = "/v1/enrolments", operation_id = "enrol", tag = "enrolment",
    params(
        ("Blindprint-Statement" = String, Header, description = "An Enrolment, as a compact JWS"),
        ("Blindprint-Recovery" = Option<String>, Header, description = "The same Enrolment signed by the recovery key; needed for every one but the first"),
        ("Blindprint-Invitation" = Option<String>, Header, description = "An invitation's secret"),
        ("Authorization" = Option<String>, Header, description = "Bearer and an enrolment key, in place of an invitation"),
    ),
    request_body(content = Vec<u8>, content_type = "application/vnd.blindprint.submission"),
    responses((status = CREATED, body = Enrolled), ComparisonProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    request: Applicant<Signed>,
) -> Result<Response, Problem> {
    let Applicant { wallet, admission } = request;
    let Wallet {
        caller,
        payload,
        keyed,
    } = wallet;
    let upload = Upload {
        recovery: single(&headers, RECOVERY_HEADER)?,
        ..payload.into()
    };
    let service = Arc::clone(&app.service);
    let work = async move {
        let receipt = service.enrol(&caller, &admission, upload).await?;
        Ok(Enrolled { receipt })
    };
    Ok(app
        .once(keyed, Keep::Answer, StatusCode::CREATED, work)
        .await?)
}
