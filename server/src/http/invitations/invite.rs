use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use blindprint_core::{
    Digest, InvitationId, label,
    wire::{Invitation, Invite},
};

use crate::{
    domain::Facts,
    http::{
        App, Problem,
        idempotency::{Keep, Keyed},
        openapi::OperatorProblems,
        operator::Operator,
        parameters::Plain,
    },
};

const PATH: &str = "/v1/invitations";

/// Makes an invitation. Its secret is in this answer and nowhere else.
#[utoipa::path(
    post, path = "/v1/invitations", operation_id = "invite", tag = "operation",
    request_body = Invite,
    responses((status = CREATED, body = Invitation), OperatorProblems),
    security(("operator" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    _: Operator,
    headers: HeaderMap,
    body: Plain<Invite>,
) -> Result<Response, Problem> {
    let Plain { value, bytes } = body;
    let digest = Digest::of(label::BODY, &bytes);
    let facts = Facts {
        method: "POST",
        target: PATH,
        body: digest,
    };
    let keyed = Keyed::new("operator", Keyed::key(&headers)?, facts, None);
    // The key decides the id, and the id the secret: a repeated request makes the same invitation.
    let id = keyed.name().map_or_else(
        || InvitationId::random(app.service.entropy()),
        |name| InvitationId(uuid::Builder::from_random_bytes(name).into_uuid()),
    );
    let service = Arc::clone(&app.service);
    let work = async move { service.invite(id, value).await };
    Ok(app
        .once::<Invitation, _>(keyed, Keep::Nothing, StatusCode::CREATED, work)
        .await?)
}
