use axum::Json;
use blindprint_core::{Profile, profiles};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::PublicProblems;

/// How codes are made and how close they must be. The enclave attests the same table.
#[derive(Serialize, ToSchema)]
pub(crate) struct Profiles {
    profiles: &'static [Profile],
}

/// The profiles, with their thresholds and measured error rates.
#[utoipa::path(
    get, path = "/v1/profiles", operation_id = "list_profiles", tag = "service",
    responses((status = OK, body = Profiles), PublicProblems),
)]
pub(crate) async fn handler() -> Json<Profiles> {
    Json(Profiles {
        profiles: profiles(),
    })
}
