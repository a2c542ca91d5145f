use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use blindprint_core::wire::{AppendToDid, HostedDid};

use super::summary;
use crate::{
    Result,
    domain::DidName,
    http::{
        App,
        idempotency::Keep,
        openapi::HostingProblems,
        parameters::{Large, Segment},
        proof::Wallet,
    },
};

/// Appends an entry to one's own log, if it continues it.
#[utoipa::path(
    post, path = "/v1/dids/{name}/entries", operation_id = "append_to_did", tag = "identity",
    params(("name" = String, Path, description = "The last part of the DID")),
    request_body = AppendToDid,
    responses((status = CREATED, body = HostedDid), HostingProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(name): Segment<DidName>,
    request: Wallet<Large<AppendToDid>>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload: Large(body),
        keyed,
    } = request;
    let hosting = Arc::clone(&app.public.hosting);
    let work = async move {
        let hosted = hosting.append(&caller, &name, body.entry).await?;
        Ok(summary(hosted))
    };
    app.once(keyed, Keep::Answer, StatusCode::CREATED, work)
        .await
}
