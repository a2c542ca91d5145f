use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::{
    Result,
    http::{
        App,
        openapi::PublicProblems,
        published::{Keep, publish},
    },
};

/// The latest head of the log, signed, with the cosignatures of witnesses that have come.
#[utoipa::path(
    get, path = "/log/checkpoint", operation_id = "read_checkpoint", tag = "log",
    responses((status = OK, description = "A signed note (C2SP tlog-checkpoint)", body = String, content_type = "text/plain; charset=utf-8"), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response> {
    let checkpoint = app.ledger.checkpoint().await?;
    let media_type = "text/plain; charset=utf-8";
    Ok(publish(&headers, checkpoint, media_type, Keep::AskAgain))
}
