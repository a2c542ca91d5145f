use axum::{http::HeaderMap, response::Response};
use blindprint_credentials::Contexts;

use crate::http::{
    openapi::PublicProblems,
    published::{Keep, publish},
};

/// The JSON-LD context of Blindprint's credentials. Verifiers embed it; nobody has to fetch it.
#[utoipa::path(
    get, path = "/contexts/v1", operation_id = "read_context", tag = "vocabulary",
    responses((status = OK, description = "A JSON-LD 1.1 context", body = Object, content_type = "application/ld+json"), PublicProblems),
)]
pub(crate) async fn handler(headers: HeaderMap) -> Response {
    publish(
        &headers,
        Contexts::BLINDPRINT,
        "application/ld+json",
        Keep::ADay,
    )
}
