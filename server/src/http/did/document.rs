use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::http::{
    App,
    openapi::PublicProblems,
    published::{Keep, publish},
};

/// The service's did:web document.
#[utoipa::path(
    get, path = "/.well-known/did.json", operation_id = "read_did_document", tag = "identity",
    responses((status = OK, description = "A DID document", body = Object, content_type = "application/did+json"), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let issuer = app.public.credentials.issuer().now();
    let text = issuer.document().to_value().to_string();
    publish(&headers, text, "application/did+json", Keep::AskAgain)
}
