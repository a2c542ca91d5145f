use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use blindprint_resolver::{Options, ResolutionError};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer;
use crate::http::{
    Address, App, Problem,
    openapi::PublicProblems,
    parameters::{media_type, read_body},
    published::accepted,
};

/// Longest options, in bytes.
const LONGEST: usize = 4096;

/// Resolution options (DID Resolution section 4.1).
#[derive(Deserialize, Default, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Asked {
    /// The media type that is wanted, in place of the header.
    accept: Option<String>,
    /// This version (webvh, ethr).
    version_id: Option<String>,
    /// The version of this time, RFC 3339 (webvh, ethr).
    version_time: Option<String>,
    /// The version of this number, from 1 (webvh).
    version_number: Option<u64>,
    /// Fetch it now.
    no_cache: bool,
}

/// As with GET, with the options in the body.
#[utoipa::path(
    post, path = "/1.0/identifiers/{did}", operation_id = "resolve_did_with_options", tag = "identity",
    params(("did" = String, Path, description = "As with GET")),
    request_body = Asked,
    responses(
        (status = OK, description = "A resolution result or a document", body = Object, content_type = "application/did-resolution"),
        (status = "4XX", description = "A result with its error", body = Object, content_type = "application/did-resolution"),
        PublicProblems
    ),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Extension(address): Extension<Address>,
    request: Request,
) -> Result<Response, Problem> {
    media_type(request.headers(), "application/json")?;
    let uri = request.uri().clone();
    let header = accepted(request.headers());
    let body = read_body(request, LONGEST, app.body_seconds).await?;
    let asked: Result<Asked, _> = serde_json::from_slice(&body);
    let (accept, options) = match asked {
        Ok(asked) => (
            asked.accept.unwrap_or(header),
            Ok(Options {
                version_id: asked.version_id,
                version_time: asked.version_time,
                version_number: asked.version_number,
                no_cache: asked.no_cache,
                ..Options::default()
            }),
        ),
        Err(_) => (
            header,
            Err(ResolutionError::InvalidOptions(
                "the body is not an object of known options",
            )),
        ),
    };
    answer(&app, address, &uri, options, &accept).await
}
