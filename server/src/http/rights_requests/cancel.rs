use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use blindprint_core::{RightsRequestId, wire::RightsRequestView};

use crate::{
    Result,
    domain::rights::Actor,
    http::{
        App,
        idempotency::Keep,
        openapi::WalletProblems,
        parameters::{Nothing, Segment},
        proof::Wallet,
    },
};

/// Takes a request back: one under way ends, a restriction or objection is lifted.
#[utoipa::path(
    post, path = "/v1/rights-requests/{id}/cancellation", operation_id = "cancel_rights_request",
    tag = "rights",
    params(("id" = RightsRequestId, Path, description = "Which request")),
    responses((status = OK, body = RightsRequestView), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(id): Segment<RightsRequestId>,
    request: Wallet<Nothing>,
) -> Result<Response> {
    let Wallet { caller, keyed, .. } = request;
    let rights = Arc::clone(&app.rights);
    let work = async move {
        let case = rights.cancel(&caller.subject, id, Actor::Wallet).await?;
        Ok(case.view())
    };
    app.once::<RightsRequestView, _>(keyed, Keep::Nothing, StatusCode::OK, work)
        .await
}
