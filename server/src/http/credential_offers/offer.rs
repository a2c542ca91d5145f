use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use blindprint_core::wire::{CredentialOffer, OfferCredential};

use crate::{
    Result,
    http::{App, idempotency::Keep, openapi::WalletProblems, proof::Wallet},
};

/// Offers credentials about the caller: any wallet that speaks `OpenID4VCI` and gets the offer, and the
/// transaction code, receives them. Good for five minutes, once.
#[utoipa::path(
    post, path = "/v1/credential-offers", operation_id = "offer_credential", tag = "credentials",
    request_body = OfferCredential,
    responses((status = CREATED, body = CredentialOffer), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Json<OfferCredential>>,
) -> Result<Response> {
    let Wallet {
        caller,
        payload: Json(wanted),
        keyed,
    } = request;
    let openid = Arc::clone(&app.openid);
    // The key decides the offer, and the offer its code: a repeated request makes the same offer.
    let name = keyed.name();
    let work = async move { openid.offer_credential(&caller, wanted, name).await };
    app.once(keyed, Keep::Nothing, StatusCode::CREATED, work)
        .await
}
