use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::Nonce;
use blindprint_openid4vc::vp::{DirectPost, DirectPostAnswer};

use crate::{
    Error,
    http::{
        App,
        guard::LARGEST_BODY,
        oauth2::{body::FormBody, error::ProtocolError},
        openapi::ProtocolProblems,
        parameters::Segment,
    },
};

/// A wallet's answer (OID4VP section 8.2), once: what came of it is for the client that asked.
#[utoipa::path(
    post, path = "/openid4vp/responses/{id}", operation_id = "answer_presentation_request",
    tag = "credentials",
    params(("id" = Nonce, Path, description = "From the request")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = OK, description = "Taken", body = Object), ProtocolProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(id): Segment<Nonce>,
    FormBody(body): FormBody<LARGEST_BODY>,
) -> Result<Json<DirectPostAnswer>, ProtocolError> {
    let post = DirectPost::parse(&body)?;
    let openid = Arc::clone(&app.openid);
    // A wallet that hangs up leaves no request half judged.
    let work = tokio::spawn(async move { openid.answer_presentation(id, post).await });
    let answer = work
        .await
        .map_err(|_| Error::broken("judging a presentation")("it was cut off".into()))?;
    Ok(Json(answer?))
}
