use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use blindprint_core::wire::{GiveConsent, Receipt};

use crate::{
    Result,
    http::{App, idempotency::Keep, openapi::WalletProblems, proof::Wallet},
};

/// Gives a consent. It must name a notice in force. The receipt is the enclave's.
#[utoipa::path(
    post, path = "/v1/consents", operation_id = "give_consent", tag = "consent",
    request_body = GiveConsent,
    responses((status = CREATED, body = Receipt), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Json<GiveConsent>>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload: Json(body),
        keyed,
    } = request;
    let service = Arc::clone(&app.service);
    let work = async move {
        Ok(Receipt {
            receipt: service.give_consent(&caller, body.consent).await?,
        })
    };
    app.once(keyed, Keep::Answer, StatusCode::CREATED, work)
        .await
}
