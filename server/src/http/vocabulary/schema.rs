use axum::{http::HeaderMap, response::Response};
use blindprint_core::problem::ProblemCode;

use super::kind;
use crate::{
    Error, Result,
    http::{
        openapi::PublicProblems,
        parameters::Segment,
        published::{Keep, publish},
    },
};

/// The JSON Schema of one kind of credential.
#[utoipa::path(
    get, path = "/schemas/{kind}/v1.json", operation_id = "read_schema", tag = "vocabulary",
    params(("kind" = String, Path, description = "enrolment, authentication, consent-receipt or uniqueness")),
    responses((status = OK, description = "A JSON Schema (2020-12)", body = Object, content_type = "application/schema+json"), PublicProblems),
)]
pub(crate) async fn handler(
    Segment(name): Segment<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let kind = kind(&name).ok_or(Error::Refused(ProblemCode::NotFound))?;
    Ok(publish(
        &headers,
        kind.schema(),
        "application/schema+json",
        Keep::ADay,
    ))
}
