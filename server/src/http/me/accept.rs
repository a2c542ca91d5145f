use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use blindprint_core::wire::SignInBrowser;

use crate::{
    Result,
    http::{App, openapi::WalletProblems, proof::Wallet},
};

/// Signs a browser in on the subject's own page, by the link that it shows. Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/sign-ins", operation_id = "sign_in", tag = "subject",
    request_body = SignInBrowser,
    responses((status = NO_CONTENT), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    request: Wallet<Json<SignInBrowser>>,
) -> Result<StatusCode> {
    let Wallet {
        caller,
        payload: Json(body),
        ..
    } = request;
    app.own_page.rules.accept(&caller, &body.sign_in)?;
    Ok(StatusCode::NO_CONTENT)
}
