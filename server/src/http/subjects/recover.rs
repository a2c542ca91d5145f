use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use blindprint_core::wire::{Receipt, Recover};

use crate::{
    Result,
    http::{App, idempotency::Keep, openapi::WalletProblems, proof::Recovering},
};

/// Recovers from a lockout or a lost device with the recovery key, which may sign the request
/// as well.
#[utoipa::path(
    post, path = "/v1/subjects/me/recovery", operation_id = "recover", tag = "subject",
    request_body = Recover,
    responses((status = OK, body = Receipt), WalletProblems),
    security(("wallet" = []), ("recovery" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Recovering<Json<Recover>>,
) -> Result<Response> {
    let Recovering {
        caller,
        payload: Json(body),
        keyed,
    } = request;
    let service = Arc::clone(&app.service);
    let work = async move {
        Ok(Receipt {
            receipt: service.recover(&caller, body).await?,
        })
    };
    app.once(keyed, Keep::Answer, StatusCode::OK, work).await
}
