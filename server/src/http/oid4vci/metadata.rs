use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_openid4vc::vci::IssuerMetadata;

use crate::http::{App, openapi::PublicProblems};

/// Credential issuer metadata (OpenID4VCI section 12.2).
#[utoipa::path(
    get, path = "/.well-known/openid-credential-issuer", operation_id = "read_issuer_metadata",
    tag = "credentials",
    responses((status = OK, description = "OpenID4VCI section 12.2.4", body = Object), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>) -> Json<IssuerMetadata> {
    Json(app.openid.issuer_metadata())
}
