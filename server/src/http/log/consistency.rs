use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    Result,
    http::{App, openapi::PublicProblems, parameters::Parameters, published::open},
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// How many entries the log had.
    first: u64,
    /// How many it had later; at most what the latest checkpoint covers.
    second: u64,
}

/// That the log at one size is the beginning of the log at another (RFC 6962 section 2.1.2): both sizes
/// and path, hashes in base64.
#[utoipa::path(
    get, path = "/v1/log/consistency", operation_id = "prove_consistency", tag = "log",
    params(Wanted),
    responses((status = OK, body = Object), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Response> {
    let proof = app.ledger.consistency(wanted.first, wanted.second).await?;
    Ok(open(Json(proof).into_response()))
}
