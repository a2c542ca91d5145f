use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::wire::Notices;

use crate::http::{App, openapi::PublicProblems};

/// The notices in force. A consent names one by its digest.
#[utoipa::path(
    get, path = "/v1/notices", operation_id = "list_notices", tag = "consent",
    responses((status = OK, body = Notices), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>) -> Json<Notices> {
    let notices = app
        .service
        .notices()
        .in_force()
        .map(|notice| notice.summary.clone())
        .collect();
    Json(Notices { notices })
}
