use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};

use crate::{
    Result,
    http::{App, openapi::PublicProblems, parameters::Segment, published::open},
};

/// That an entry is in the log, for whoever has the log's key and no network: entry, path and checkpoint.
#[utoipa::path(
    get, path = "/v1/log/proofs/{index}", operation_id = "prove_offline", tag = "log",
    params(("index" = u64, Path, description = "The entry's place in the log, from 0")),
    responses((status = OK, description = "A C2SP tlog-proof as a JSON string", body = String), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(index): Segment<u64>,
) -> Result<Response> {
    let proof = app.ledger.proof(index).await?;
    Ok(open(Json(proof).into_response()))
}
