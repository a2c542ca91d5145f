use std::sync::Arc;

use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, Uri},
    response::Response,
};
use blindprint_resolver::{Options, ResolutionError};
use serde::Deserialize;

use super::answer;
use crate::http::{Address, App, Problem, openapi::PublicProblems, published::accepted};

/// Resolution options as parameters.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Asked {
    version_id: Option<String>,
    version_time: Option<String>,
    version_number: Option<u64>,
    no_cache: bool,
}

/// Resolves a DID, or dereferences a DID URL: key, jwk, web, webvh, pkh, and ethr on the chains that are
/// configured. Errors are results of DID Resolution.
#[utoipa::path(
    get, path = "/1.0/identifiers/{did}", operation_id = "resolve_did", tag = "identity",
    params(
        ("did" = String, Path, description = "A DID, as it is or percent-encoded; a DID URL percent-encoded"),
        ("versionId" = Option<String>, Query, description = "This version (webvh, ethr)"),
        ("versionTime" = Option<String>, Query, description = "The version of this time, RFC 3339 (webvh, ethr)"),
        ("versionNumber" = Option<u64>, Query, description = "The version of this number, from 1 (webvh)"),
        ("noCache" = Option<bool>, Query, description = "Fetch it now"),
        ("Accept" = Option<String>, Header, description = "`application/did-resolution` (default) or `application/did`"),
    ),
    responses(
        (status = OK, description = "A resolution result or a document", content(
            (Object = "application/did-resolution"),
            (Object = "application/did-url-dereferencing"),
            (Object = "application/did"),
        )),
        (status = "4XX", description = "A result with its error", body = Object, content_type = "application/did-resolution"),
        PublicProblems
    ),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Extension(address): Extension<Address>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let options = Query::<Asked>::try_from_uri(&uri)
        .map(|Query(asked)| Options {
            version_id: asked.version_id,
            version_time: asked.version_time,
            version_number: asked.version_number,
            no_cache: asked.no_cache,
            ..Options::default()
        })
        .map_err(|_| ResolutionError::InvalidOptions("an unknown or malformed parameter"));
    answer(&app, address, &uri, options, &accepted(&headers)).await
}
