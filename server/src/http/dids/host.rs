use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use blindprint_core::{
    problem::ProblemCode,
    wire::{HostDid, HostedDid},
};

use super::summary;
use crate::{
    Error, Result,
    domain::DidName,
    http::{App, idempotency::Keep, openapi::HostingProblems, parameters::Large, proof::Wallet},
};

/// Begins a did:webvh log at `/dids/{name}/did.jsonl`, for a subject who has consented before. Its entries
/// are the wallet's: the service verifies them and can make none.
#[utoipa::path(
    post, path = "/v1/dids", operation_id = "host_did", tag = "identity",
    request_body = HostDid,
    responses((status = CREATED, body = HostedDid), HostingProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Large<HostDid>>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload: Large(body),
        keyed,
    } = request;
    let name: DidName = body
        .name
        .parse()
        .map_err(|error: blindprint_core::Invalid| {
            Error::because(ProblemCode::MalformedRequest, error.to_string())
        })?;
    let hosting = Arc::clone(&app.public.hosting);
    let work = async move {
        let hosted = hosting.begin(&caller, name, body.entry).await?;
        Ok(summary(hosted))
    };
    app.once(keyed, Keep::Answer, StatusCode::CREATED, work)
        .await
}
