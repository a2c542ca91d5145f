use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_openid4vc::vci::AuthorizationServerMetadata;

use crate::http::{App, openapi::PublicProblems};

/// Authorization server metadata (RFC 8414).
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server",
    operation_id = "read_authorization_server_metadata", tag = "credentials",
    responses((status = OK, description = "RFC 8414 section 2", body = Object), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>) -> Json<AuthorizationServerMetadata> {
    Json(app.openid.authorization_server_metadata())
}
