use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use blindprint_core::wire::NonceIssued;

use crate::{
    Result,
    http::{
        App, idempotency::Keep, openapi::ComparisonProblems, parameters::Nothing, proof::Recovering,
    },
};

/// An enclave nonce for one enrolment, rotation or recovery. It dies with the enclave's boot.
#[utoipa::path(
    post, path = "/v1/nonces", operation_id = "issue_nonce", tag = "enrolment",
    responses((status = CREATED, body = NonceIssued), ComparisonProblems),
    security(("wallet" = []), ("recovery" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Recovering<Nothing>,
) -> Result<Response> {
    let Recovering {
        caller,
        payload: _,
        keyed,
    } = request;
    let service = Arc::clone(&app.service);
    let work = async move { service.issue_nonce(&caller).await };
    app.once(keyed, Keep::Answer, StatusCode::CREATED, work)
        .await
}
