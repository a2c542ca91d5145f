use std::sync::Arc;

use axum::extract::State;

use crate::{
    Result,
    http::{App, openapi::PublicProblems},
};

/// Whether enrolments and authentications can be served: database, enclave and enough matchers
/// answer.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "operation",
    responses((status = OK, body = String, content_type = "text/plain"), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>) -> Result<&'static str> {
    app.service.readiness().await?;
    Ok("ready")
}
