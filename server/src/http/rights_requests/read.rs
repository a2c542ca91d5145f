use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::{RightsRequestId, wire::RightsRequestView};

use crate::{
    Result,
    http::{
        App,
        openapi::WalletProblems,
        parameters::{Nothing, Segment},
        proof::Wallet,
    },
};

/// One request of the caller's.
#[utoipa::path(
    get, path = "/v1/rights-requests/{id}", operation_id = "read_rights_request", tag = "rights",
    params(("id" = RightsRequestId, Path, description = "Which request")),
    responses((status = OK, body = RightsRequestView), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(id): Segment<RightsRequestId>,
    request: Wallet<Nothing>,
) -> Result<Json<RightsRequestView>> {
    let case = app.rights.of(&request.caller.subject, id).await?;
    Ok(Json(case.view()))
}
