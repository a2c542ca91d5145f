use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use blindprint_core::InvitationId;

use crate::{
    Result,
    http::{App, openapi::OperatorProblems, operator::Operator, parameters::Segment},
};

/// Takes an invitation back. Enrolments made with it stay.
#[utoipa::path(
    delete, path = "/v1/invitations/{id}", operation_id = "revoke_invitation", tag = "operation",
    params(("id" = InvitationId, Path, description = "Which invitation")),
    responses((status = NO_CONTENT, description = "It is of no use any more"), OperatorProblems),
    security(("operator" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    _: Operator,
    Segment(id): Segment<InvitationId>,
) -> Result<StatusCode> {
    app.service.revoke_invitation(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
