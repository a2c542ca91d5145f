use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::{Nonce, wire::VerdictIssued};

use crate::{
    Result,
    http::{
        App,
        openapi::WalletProblems,
        parameters::{Nothing, Segment},
        proof::Wallet,
    },
};

/// The verdict on one of the caller's own challenges, once there is one.
#[utoipa::path(
    get, path = "/v1/authentications/{challenge}", operation_id = "read_verdict",
    tag = "authentication",
    params(("challenge" = Nonce, Path, description = "From `POST /v1/authentications`")),
    responses((status = OK, body = VerdictIssued), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(challenge): Segment<Nonce>,
    request: Wallet<Nothing>,
) -> Result<Json<VerdictIssued>> {
    let verdict = app.service.verdict(&request.caller, challenge).await?;
    Ok(Json(VerdictIssued { verdict }))
}
