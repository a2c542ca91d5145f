use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::{Nonce, problem::ProblemCode, wire::ErasureProof};

use crate::{
    Error, Result,
    http::{App, openapi::PublicProblems, parameters::Segment},
};

/// The certificate of an erasure, for 30 days. Nobody is known any more who could sign for it: whoever has the
/// claim gets it. The claim of what a wallet signed follows from the JWS (`docs/rights.md`).
#[utoipa::path(
    get, path = "/v1/erasure-certificates/{claim}", operation_id = "read_erasure_certificate",
    tag = "rights",
    params(("claim" = Nonce, Path, description = "What opens it")),
    responses((status = OK, body = ErasureProof), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(claim): Segment<Nonce>,
) -> Result<Json<ErasureProof>> {
    let found = app.rights.certificate(claim).await?;
    found.map(Json).ok_or(Error::Refused(ProblemCode::NotFound))
}
