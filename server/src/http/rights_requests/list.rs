use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::wire::RightsRequests;

use crate::{
    Result,
    domain::rights::Case,
    http::{App, openapi::WalletProblems, parameters::Nothing, proof::Wallet},
};

/// The caller's requests, newest first.
#[utoipa::path(
    get, path = "/v1/rights-requests", operation_id = "list_rights_requests", tag = "rights",
    responses((status = OK, body = RightsRequests), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Nothing>,
) -> Result<Json<RightsRequests>> {
    let cases = app.rights.all_of(&request.caller.subject).await?;
    Ok(Json(RightsRequests {
        requests: cases.iter().map(Case::view).collect(),
    }))
}
