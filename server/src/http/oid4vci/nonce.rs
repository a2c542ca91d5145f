use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_openid4vc::vci::NonceResponse;

use crate::http::{App, openapi::PublicProblems};

/// A nonce for key proofs (OpenID4VCI section 7), good for five minutes, once. Nothing is remembered of
/// it until it is used.
#[utoipa::path(
    post, path = "/openid4vci/nonce", operation_id = "issue_key_proof_nonce", tag = "credentials",
    responses((status = OK, description = "OpenID4VCI section 7.2", body = Object), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>) -> Json<NonceResponse> {
    Json(NonceResponse {
        c_nonce: app.openid.key_proof_nonce(),
    })
}
