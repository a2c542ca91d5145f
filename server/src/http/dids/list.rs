use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::wire::HostedDids;

use super::summary;
use crate::{
    Result,
    http::{App, openapi::WalletProblems, parameters::Nothing, proof::Wallet},
};

/// The caller's hosted DIDs.
#[utoipa::path(
    get, path = "/v1/dids", operation_id = "list_dids", tag = "identity",
    responses((status = OK, body = HostedDids), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Nothing>,
) -> Result<Json<HostedDids>> {
    let dids = app.public.hosting.of(&request.caller).await?;
    Ok(Json(HostedDids {
        dids: dids.into_iter().map(summary).collect(),
    }))
}
