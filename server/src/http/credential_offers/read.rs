use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::Nonce;
use blindprint_openid4vc::vci::Offer;

use crate::{
    Result,
    domain::OfferSecret,
    http::{App, openapi::PublicProblems, parameters::Segment},
};

/// An offer by reference (OpenID4VCI section 4.1.3). Its address is the secret; wallets fetch it more than
/// once. Gone when it is redeemed or over.
#[utoipa::path(
    get, path = "/credential-offers/{offer}", operation_id = "read_credential_offer",
    tag = "credentials",
    params(("offer" = Nonce, Path, description = "From the offer's link")),
    responses(
        (status = OK, description = "A credential offer", body = Object),
        PublicProblems,
    ),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(offer): Segment<Nonce>,
) -> Result<Json<Offer>> {
    Ok(Json(app.openid.offered(OfferSecret::new(offer)).await?))
}
