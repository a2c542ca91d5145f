use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use blindprint_core::wire::{OpenRightsRequest, RightsRequestView};

use crate::{
    Result,
    http::{App, idempotency::Keep, openapi::WalletProblems, proof::Wallet},
};

/// Exercises a right. What needs no officer is done at once: an export can be fetched, a restriction is in
/// force, an erasure begins or waits for the end of its cooling-off.
#[utoipa::path(
    post, path = "/v1/rights-requests", operation_id = "open_rights_request", tag = "rights",
    request_body = OpenRightsRequest,
    responses((status = CREATED, body = RightsRequestView), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Json<OpenRightsRequest>>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload: Json(body),
        keyed,
    } = request;
    let rights = Arc::clone(&app.rights);
    let work = async move {
        let case = rights
            .open_by_wallet(&caller, body.request, body.erasure)
            .await?;
        Ok(case.view())
    };
    // The answer may be about somebody who is gone when it is kept: the same request opens the same again.
    app.once::<RightsRequestView, _>(keyed, Keep::Nothing, StatusCode::CREATED, work)
        .await
}
