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
    /// The entry's place in the log, from 0.
    index: u64,
    /// How many entries the log had; at most what the latest checkpoint covers.
    size: u64,
}

/// That an entry is in the log (RFC 6962 section 2.1.1): index, size and path, hashes in base64.
#[utoipa::path(
    get, path = "/v1/log/inclusion", operation_id = "prove_inclusion", tag = "log",
    params(Wanted),
    responses((status = OK, body = Object), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Response> {
    let proof = app.ledger.inclusion(wanted.index, wanted.size).await?;
    Ok(open(Json(proof).into_response()))
}
