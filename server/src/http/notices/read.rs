use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use blindprint_core::{Digest, problem::ProblemCode};

use super::list::About;
use crate::{
    Error, Result,
    http::{
        App,
        openapi::PublicProblems,
        parameters::{Parameters, Segment},
    },
};

/// The text of a notice, also of one that is superseded. Its digest under the label
/// `blindprint/notice/v1` is the one in the path.
#[utoipa::path(
    get, path = "/v1/notices/{digest}", operation_id = "read_notice", tag = "consent",
    params(("digest" = Digest, Path, description = "As in the list"), About),
    responses((status = OK, body = String, content_type = "text/markdown"), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(digest): Segment<Digest>,
    Parameters(about): Parameters<About>,
) -> Result<Response> {
    let notice = app.service.notice(digest, about.audience.as_ref()).await?;
    let notice = notice.ok_or(Error::Refused(ProblemCode::NotFound))?;
    let mut response = notice.text.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/markdown; charset=utf-8"),
    );
    if let Ok(language) = HeaderValue::from_str(&notice.summary.language) {
        headers.insert(header::CONTENT_LANGUAGE, language);
    }
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    Ok(response)
}
