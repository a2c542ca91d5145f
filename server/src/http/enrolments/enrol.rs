use std::sync::Arc;

use axum::{
    extract::{FromRequest as _, FromRequestParts as _, Request, State},
    http::StatusCode,
    response::Response,
};
use blindprint_core::wire::{Enrolled, RECOVERY_HEADER};

use crate::{
    Result,
    domain::{Admission, Upload},
    http::{
        App, Problem,
        idempotency::Keep,
        openapi::ComparisonProblems,
        parameters::single,
        proof::{Signed, Wallet},
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
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let admission = Admission::from_request_parts(&mut parts, &app).await;
    let recovery = single(&parts.headers, RECOVERY_HEADER);
    let request = Request::from_parts(parts, body);
    // Who asks is settled before by what right.
    let Wallet {
        caller,
        payload,
        keyed,
    } = Wallet::<Signed>::from_request(request, &app).await?;
    let (admission, recovery) = (admission?, recovery?);
    let upload = Upload {
        recovery,
        ..Upload::from(payload)
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
