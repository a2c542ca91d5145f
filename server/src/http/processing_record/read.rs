use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    Result,
    http::{App, openapi::OperatorProblems, operator::Operator},
};

const MARKDOWN: &str = "text/markdown; charset=utf-8";
const JSON_LD: &str = "application/ld+json";

/// The record of processing activities (GDPR article 30), generated from configuration, notices and
/// profiles. As JSON-LD in the terms of the Data Privacy Vocabulary, or, asked for `text/markdown`, for
/// people.
#[utoipa::path(
    get, path = "/v1/processing-record", operation_id = "read_processing_record", tag = "operation",
    params(("Accept" = Option<String>, Header, description = "`text/markdown` for people")),
    responses(
        (status = OK, content((serde_json::Value = "application/ld+json"), (String = "text/markdown"))),
        OperatorProblems,
    ),
    security(("operator" = [])),
)]
pub(crate) async fn handler(
    _: Operator,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response> {
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let (mut response, kind) = if accepted.is_some_and(|kinds| kinds.contains("text/markdown")) {
        let text = app.service.processing_record_text().await?;
        (text.into_response(), MARKDOWN)
    } else {
        let record = app.service.processing_record().await?;
        (Json(record).into_response(), JSON_LD)
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}
