use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::{ConsentId, wire::RecordedConsent};

use crate::{
    Result,
    http::{
        App,
        openapi::WalletProblems,
        parameters::{Nothing, Segment},
        proof::Wallet,
    },
};

/// A consent's record as it was signed for, the receipt, and the statements that prove both.
#[utoipa::path(
    get, path = "/v1/consents/{id}/record", operation_id = "read_consent_record", tag = "consent",
    params(("id" = ConsentId, Path, description = "Which consent")),
    responses((status = OK, body = RecordedConsent), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(id): Segment<ConsentId>,
    request: Wallet<Nothing>,
) -> Result<Json<RecordedConsent>> {
    app.service
        .consent_record(&request.caller, id)
        .await
        .map(Json)
}
