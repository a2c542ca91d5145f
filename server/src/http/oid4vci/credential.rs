use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use blindprint_openid4vc::vci::CredentialRequest;

use crate::http::{
    App,
    guard::LARGEST_BODY,
    oauth2::{body::SealableBody, error::ProtocolError, wallet::Redeemer},
    openapi::ProtocolProblems,
};

/// Credentials of one configuration, one for each proven key (OpenID4VCI section 8). An offer gives each of
/// its configurations once. The request may be encrypted to the key in the issuer's metadata (section 10).
#[utoipa::path(
    post, path = "/openid4vci/credential", operation_id = "issue_to_wallet", tag = "credentials",
    request_body(content(
        (Object = "application/json"),
        (String = "application/jwt"),
    )),
    responses((status = OK, description = "OpenID4VCI section 8.3", body = Object), ProtocolProblems),
    security(("wallet-token" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    redeemer: Redeemer,
    SealableBody(body): SealableBody<LARGEST_BODY>,
) -> Result<Response, ProtocolError> {
    let mut request = CredentialRequest::parse(&body)?;
    let encryption = request.response_encryption.take();
    let openid = Arc::clone(&app.openid);
    // It goes on to its end even if the wallet hangs up: what is recorded as issued was issued.
    let work = tokio::spawn(async move {
        openid
            .redeem(redeemer.offer, redeemer.client.as_deref(), &request)
            .await
    });
    let issued = work
        .await
        .map_err(|_| crate::Error::broken("issuing to a wallet")("it was cut off".into()))??;
    Ok(match encryption {
        None => Json(issued.to_json()).into_response(),
        Some(to) => {
            let sealed = issued.seal(&to, app.openid.entropy());
            ([(header::CONTENT_TYPE, "application/jwt")], sealed).into_response()
        }
    })
}
