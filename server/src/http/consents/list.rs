use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::wire::ConsentSummary;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Result,
    http::{App, openapi::WalletProblems, parameters::Nothing, proof::Wallet},
};

/// The caller's consents.
#[derive(Serialize, ToSchema)]
pub(crate) struct Consents {
    /// Newest first, withdrawn and expired ones included.
    consents: Vec<ConsentSummary>,
}

/// The caller's consents.
#[utoipa::path(
    get, path = "/v1/consents", operation_id = "list_consents", tag = "consent",
    responses((status = OK, body = Consents), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Nothing>,
) -> Result<Json<Consents>> {
    let consents = app.service.consents(&request.caller).await?;
    Ok(Json(Consents { consents }))
}
