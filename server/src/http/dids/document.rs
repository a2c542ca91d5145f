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

/// A hosted DID's parallel did:web document. Nothing signs it: whoever cares reads the log. There is none
/// once the DID is given up.
#[utoipa::path(
    get, path = "/dids/{name}/did.json", operation_id = "read_hosted_did_document", tag = "identity",
    params(("name" = String, Path, description = "The last part of the DID")),
    responses((status = OK, description = "A DID document", body = Object, content_type = "application/did+json"), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(name): Segment<DidName>,
    headers: HeaderMap,
) -> Result<Response> {
    let document = app.public.hosting.document(&name).await?;
    let document = document.ok_or(Error::Refused(ProblemCode::NotFound))?;
    Ok(publish(
        &headers,
        document,
        "application/did+json",
        Keep::AskAgain,
    ))
}
