use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use blindprint_core::Digest;
use blindprint_protocol::message::MaterialPart;

use super::material;
use crate::{
    Result,
    http::{App, openapi::PublicProblems, parameters::Segment},
};

/// The compact public key that wallets encrypt under. A wallet checks its digest against the attestation.
#[utoipa::path(
    get, path = "/v1/keys/{key}/public-key", operation_id = "read_public_key", tag = "service",
    params(("key" = Digest, Path, description = "As in `GET /v1/service`")),
    responses(
        (status = OK, body = Vec<u8>, content_type = "application/vnd.blindprint.material"),
        (status = NOT_MODIFIED, description = "The caller's copy is the same"),
        PublicProblems,
    ),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(key): Segment<Digest>,
    headers: HeaderMap,
) -> Result<Response> {
    material::respond(&app, key, MaterialPart::PublicKey, &headers).await
}
