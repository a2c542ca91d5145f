use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use blindprint_core::wire::{GiveConsent, Receipt};

use crate::{
    Result,
    http::{
        App,
        idempotency::Keep,
        openapi::ComparisonProblems,
        proof::{Applicant, Wallet},
    },
};

/// Gives a consent. It must name a notice in force. The receipt is the enclave's.
///
/// The first one of a subject needs what an enrolment needs; an invitation is not used up by it.
#[utoipa::path(
    post, path = "/v1/consents", operation_id = "give_consent", tag = "consent",
    params(
        ("Blindprint-Invitation" = Option<String>, Header, description = "An invitation's secret"),
        ("Authorization" = Option<String>, Header, description = "Bearer and an enrolment key, in place of an invitation"),
    ),
    request_body = GiveConsent,
    responses((status = CREATED, body = Receipt), ComparisonProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Applicant<Json<GiveConsent>>,
) -> Result<Response> {
    let Applicant { wallet, admission } = request;
    let Wallet {
        caller,
        payload: Json(body),
        keyed,
    } = wallet;
    let service = Arc::clone(&app.service);
    let work = async move {
        let receipt = service
            .give_consent(&caller, &admission, body.consent, &body.record)
            .await?;
        Ok(Receipt { receipt })
    };
    app.once(keyed, Keep::Answer, StatusCode::CREATED, work)
        .await
}
