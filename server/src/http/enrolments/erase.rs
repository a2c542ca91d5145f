use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use blindprint_core::{
    EnrolmentId,
    wire::{EraseEnrolment, Receipt},
};

use crate::{
    Result,
    http::{App, idempotency::Keep, openapi::WalletProblems, parameters::Segment, proof::Wallet},
};

/// Destroys a template. What remains are digests and receipts.
#[utoipa::path(
    post, path = "/v1/enrolments/{id}/erasure", operation_id = "erase_enrolment", tag = "enrolment",
    params(("id" = EnrolmentId, Path, description = "Which enrolment")),
    request_body = EraseEnrolment,
    responses((status = OK, body = Receipt), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(id): Segment<EnrolmentId>,
    request: Wallet<Json<EraseEnrolment>>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload: Json(body),
        keyed,
    } = request;
    let service = Arc::clone(&app.service);
    let work = async move {
        Ok(Receipt {
            receipt: service.erase(&caller, id, body.erasure).await?,
        })
    };
    app.once(keyed, Keep::Answer, StatusCode::OK, work).await
}
