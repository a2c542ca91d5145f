use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use blindprint_core::Nonce;
use blindprint_openid4vc::vp::RequestUriPost;

use crate::http::{
    App,
    oauth2::{body::FormBody, error::ProtocolError},
    openapi::ProtocolProblems,
    parameters::Segment,
};

/// A request for a presentation, signed by the service (OID4VP section 5.10), until it is answered.
#[utoipa::path(
    get, path = "/openid4vp/requests/{id}", operation_id = "read_request_object",
    tag = "credentials",
    params(("id" = Nonce, Path, description = "From the request's link")),
    responses(
        (status = OK, content_type = "application/oauth-authz-req+jwt", body = String),
        ProtocolProblems,
    ),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Segment(id): Segment<Nonce>,
) -> Result<Response, ProtocolError> {
    request_object(&app, id, None)
}

/// The same for a wallet that sends a nonce of its own, so that the request cannot be one from before.
#[utoipa::path(
    post, path = "/openid4vp/requests/{id}", operation_id = "fetch_request_object",
    tag = "credentials",
    params(("id" = Nonce, Path, description = "From the request's link")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = OK, content_type = "application/oauth-authz-req+jwt", body = String),
        ProtocolProblems,
    ),
)]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Segment(id): Segment<Nonce>,
    FormBody(body): FormBody<{ RequestUriPost::MAX_LEN }>,
) -> Result<Response, ProtocolError> {
    let RequestUriPost { wallet_nonce, .. } = RequestUriPost::parse(&body)?;
    request_object(&app, id, wallet_nonce.as_deref())
}

fn request_object(
    app: &App,
    id: Nonce,
    wallet_nonce: Option<&str>,
) -> Result<Response, ProtocolError> {
    let object = app.openid.request_object(id, wallet_nonce)?;
    let media_type = "application/oauth-authz-req+jwt";
    Ok(([(header::CONTENT_TYPE, media_type)], object).into_response())
}
