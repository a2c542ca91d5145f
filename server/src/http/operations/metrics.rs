use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use crate::http::{App, openapi::OperatorProblems, operator::Operator};

/// Counters and times, in the Prometheus text format.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "operation",
    responses((status = OK, body = String, content_type = "text/plain; version=0.0.4"), OperatorProblems),
    security(("operator" = [])),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>, _: Operator) -> Response {
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(header::CONTENT_TYPE, media_type)], app.metrics.render()).into_response()
}
