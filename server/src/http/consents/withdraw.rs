use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use blindprint_core::{
    ConsentId,
    wire::{Receipt, WithdrawConsent},
};

use crate::{
    Result,
    http::{App, idempotency::Keep, openapi::WalletProblems, parameters::Segment, proof::Wallet},
};

/// Takes a consent back, in one call. From then on the enclave opens nothing under it, and templates
/// that no other consent covers are destroyed.
#[utoipa::path(
    post, path = "/v1/consents/{id}/withdrawal", operation_id = "withdraw_consent", tag = "consent",
    params(("id" = ConsentId, Path, description = "Which consent")),
    request_body = WithdrawConsent,
    responses((status = OK, body = Receipt), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(id): Segment<ConsentId>,
    request: Wallet<Json<WithdrawConsent>>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload: Json(body),
        keyed,
    } = request;
    let service = Arc::clone(&app.service);
    let work = async move {
        Ok(Receipt {
            receipt: service.withdraw(&caller, id, body.withdrawal).await?,
        })
    };
    app.once(keyed, Keep::Answer, StatusCode::OK, work).await
}
