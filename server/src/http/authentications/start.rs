use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use blindprint_core::wire::{Challenge, StartAuthentication};

use crate::{
    Result,
    http::{App, idempotency::Keep, openapi::ComparisonProblems, proof::Wallet},
};

/// Asks the enclave for a challenge, for one audience and purpose.
#[utoipa::path(
    post, path = "/v1/authentications", operation_id = "start_authentication", tag = "authentication",
    request_body = StartAuthentication,
    responses((status = CREATED, body = Challenge), ComparisonProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Json<StartAuthentication>>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload: Json(body),
        keyed,
    } = request;
    let service = Arc::clone(&app.service);
    let work = async move { service.start_authentication(&caller, body).await };
    app.once(keyed, Keep::Answer, StatusCode::CREATED, work)
        .await
}
