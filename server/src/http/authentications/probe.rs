use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use blindprint_core::{Nonce, wire::VerdictIssued};

use crate::{
    Result,
    http::{
        App,
        idempotency::Keep,
        openapi::ComparisonProblems,
        parameters::Segment,
        proof::{Signed, Wallet},
    },
};

/// Answers a challenge. The body is the encrypted code with its proof; header `Blindprint-Statement`
/// carries the signed Probe that it belongs to. A failed match is a verdict, not an error.
#[utoipa::path(
    post, path = "/v1/authentications/{challenge}/probe", operation_id = "answer_challenge",
    tag = "authentication",
    params(
        ("challenge" = Nonce, Path, description = "From `POST /v1/authentications`"),
        ("Blindprint-Statement" = String, Header, description = "A Probe, as a compact JWS"),
    ),
    request_body(content = Vec<u8>, content_type = "application/vnd.blindprint.submission"),
    responses((status = OK, body = VerdictIssued), ComparisonProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(challenge): Segment<Nonce>,
    request: Wallet<Signed>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload,
        keyed,
    } = request;
    let service = Arc::clone(&app.service);
    let work = async move {
        let verdict = service
            .answer_probe(&caller, challenge, payload.into())
            .await?;
        Ok(VerdictIssued { verdict })
    };
    app.once(keyed, Keep::Answer, StatusCode::OK, work).await
}
