use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use blindprint_consent::Language;
use blindprint_core::RightsRequestId;
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    Result,
    domain::export::{MEDIA_TYPE, Pieces},
    http::{
        App,
        openapi::WalletProblems,
        parameters::{Nothing, Parameters, Segment},
        proof::Wallet,
    },
};

/// The query string.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The language of the page for people: `en`, `de`, `fr` or `es`. English if it is none of these.
    language: Option<String>,
}

/// Everything that is kept about the caller, as a ZIP, as of this moment; `docs/rights.md` says what is in it.
#[utoipa::path(
    get, path = "/v1/rights-requests/{id}/export", operation_id = "export", tag = "rights",
    params(("id" = RightsRequestId, Path, description = "A fulfilled request for access or portability"), Asked),
    responses((status = OK, description = "The archive", content_type = "application/zip"), WalletProblems),
    security(("wallet" = [])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(id): Segment<RightsRequestId>,
    Parameters(asked): Parameters<Asked>,
    request: Wallet<Nothing>,
) -> Result<Response> {
    let case = app.rights.of(&request.caller.subject, id).await?;
    let language = asked.language.as_deref().and_then(Language::of_locale);
    let language = language.unwrap_or(Language::En);
    let pieces = Arc::clone(&app.rights).export(&case, language).await?;
    Ok(answer(pieces, id))
}

/// The archive on its way to a browser or wallet, which saves it under a name.
pub(in crate::http) fn answer(pieces: Pieces, id: RightsRequestId) -> Response {
    let pieces = stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.recv().await?;
        Some((piece, pieces))
    });
    let name = format!("attachment; filename=\"blindprint-export-{id}.zip\"");
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
