use std::sync::Arc;

use axum::{extract::State, http::header, response::IntoResponse};
use blindprint_core::Nonce;
use blindprint_openid4vc::{qr, vci::OfferLink};

use crate::{
    Error, Result,
    domain::OfferSecret,
    http::{App, openapi::PublicProblems, parameters::Segment},
};

/// The offer's link as a picture, for a wallet on another device.
#[utoipa::path(
    get, path = "/credential-offers/{offer}/qr.svg", operation_id = "draw_credential_offer",
    tag = "credentials",
    params(("offer" = Nonce, Path, description = "From the offer's link")),
    responses((status = OK, content_type = "image/svg+xml", body = String), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(offer): Segment<Nonce>,
) -> Result<impl IntoResponse> {
    app.openid.offered(OfferSecret::new(offer)).await?;
    let address = format!("{}/credential-offers/{offer}", app.openid.id());
    let picture = qr::svg(&OfferLink::Reference(address).to_uri())
        .map_err(|error| Error::broken("drawing an offer")(error.into()))?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture))
}
