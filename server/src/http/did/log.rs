use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::http::{
    App,
    openapi::PublicProblems,
    published::{Keep, publish},
};

/// The log of the service's did:webvh.
#[utoipa::path(
    get, path = "/.well-known/did.jsonl", operation_id = "read_did_log", tag = "identity",
    responses((status = OK, description = "A did:webvh 1.0 log", body = String, content_type = "text/jsonl"), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let log = app.public.credentials.issuer().now().log();
    publish(&headers, log, "text/jsonl", Keep::AskAgain)
}
