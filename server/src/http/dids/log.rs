use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use blindprint_core::problem::ProblemCode;

use crate::{
    Error, Result,
    domain::DidName,
    http::{
        App,
        openapi::PublicProblems,
        parameters::Segment,
        published::{Keep, publish},
    },
};

/// A hosted DID's did:webvh log, given-up ones included.
#[utoipa::path(
    get, path = "/dids/{name}/did.jsonl", operation_id = "read_hosted_did_log", tag = "identity",
    params(("name" = String, Path, description = "The last part of the DID")),
    responses((status = OK, description = "A did:webvh 1.0 log", body = String, content_type = "text/jsonl"), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(name): Segment<DidName>,
    headers: HeaderMap,
) -> Result<Response> {
    let log = app.public.hosting.log(&name).await?;
    let log = log.ok_or(Error::Refused(ProblemCode::NotFound))?;
    Ok(publish(&headers, log, "text/jsonl", Keep::AskAgain))
}
