use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::{InvitationId, UnixTime};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Result,
    http::{App, openapi::OperatorProblems, operator::Operator},
};

/// All invitations.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invitations {
    /// Newest first.
    invitations: Vec<InvitationSummary>,
}

/// An invitation, without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationSummary {
    /// Its name.
    id: InvitationId,
    /// Enrolments it is good for.
    uses: u32,
    /// Enrolments it was used for.
    used: u32,
    /// When it ends.
    expires: UnixTime,
    /// The operator's own remark.
    note: Option<String>,
    /// When it was made.
    created: UnixTime,
    /// When it was taken back.
    revoked: Option<UnixTime>,
}

/// All invitations, without their secrets.
#[utoipa::path(
    get, path = "/v1/invitations", operation_id = "list_invitations", tag = "operation",
    responses((status = OK, body = Invitations), OperatorProblems),
    security(("operator" = [])),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Invitations>> {
    let invitations = app.service.invitations().await?;
    let invitations = invitations
        .into_iter()
        .map(|invitation| InvitationSummary {
            id: invitation.id,
            uses: invitation.uses,
            used: invitation.used,
            expires: invitation.expires,
            note: invitation.note,
            created: invitation.created,
            revoked: invitation.revoked,
        })
        .collect();
    Ok(Json(Invitations { invitations }))
}
