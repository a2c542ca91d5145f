use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::json;

use crate::http::{
    App,
    openapi::PublicProblems,
    published::{Keep, publish},
};

/// The keys of credentials as a JWK Set, for readers of SD-JWT VC who resolve no DIDs. Old keys stay.
#[utoipa::path(
    get, path = "/.well-known/jwt-vc-issuer", operation_id = "read_issuer_keys", tag = "identity",
    responses((status = OK, description = "SD-JWT VC issuer metadata", body = Object), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let metadata = json!({
        "issuer": app.service.id(),
        "jwks": app.public.credentials.issuer().now().jwks(),
    });
    let text = metadata.to_string();
    publish(&headers, text, "application/json", Keep::AskAgain)
}
