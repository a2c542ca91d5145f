use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use blindprint_core::wire::LogDescription;

use crate::{
    Result,
    http::{App, openapi::PublicProblems, published::open},
};

/// Which transparency log this service keeps, and what it is verified with.
#[utoipa::path(
    get, path = "/v1/log", operation_id = "describe_log", tag = "log",
    responses((status = OK, body = LogDescription), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>) -> Result<Response> {
    let ledger = &app.ledger;
    let description = LogDescription {
        origin: ledger.verifier().name().to_owned(),
        key: ledger.verifier().to_string(),
        witnesses: ledger
            .witnesses()
            .iter()
            .map(|witness| witness.vkey.to_string())
            .collect(),
        size: ledger.published().await?,
    };
    Ok(open(Json(description).into_response()))
}
