use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use blindprint_core::wire::{Receipt, RotateKey};

use crate::{
    Result,
    http::{App, idempotency::Keep, openapi::WalletProblems, proof::Wallet},
};

/// Moves the caller to a new key. Enclave, old key and new key must agree.
#[utoipa::path(
    post, path = "/v1/subjects/me/key", operation_id = "rotate_key", tag = "subject",
    request_body = RotateKey,
    responses((status = OK, body = Receipt), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Json<RotateKey>>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload: Json(body),
        keyed,
    } = request;
    let service = Arc::clone(&app.service);
    let work = async move {
        Ok(Receipt {
            receipt: service.rotate_key(&caller, body).await?,
        })
    };
    app.once(keyed, Keep::Answer, StatusCode::OK, work).await
}
