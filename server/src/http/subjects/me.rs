use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::wire::Subject;

use crate::{
    Result,
    http::{App, openapi::WalletProblems, parameters::Nothing, proof::Wallet},
};

/// What the service knows of the caller. For a stranger: the same form, empty.
#[utoipa::path(
    get, path = "/v1/subjects/me", operation_id = "read_subject", tag = "subject",
    responses((status = OK, body = Subject), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Nothing>,
) -> Result<Json<Subject>> {
    Ok(Json(app.service.overview(&request.caller).await?))
}
