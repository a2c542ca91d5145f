use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use blindprint_core::{Digest, problem::ProblemCode, wire::MATERIAL_MEDIA_TYPE};
use blindprint_protocol::message::MaterialPart;

use crate::{Error, Result, http::App};

/// A part of the public material. It never changes under its key, so it may be cached for ever.
pub(super) async fn respond(
    app: &App,
    key: Digest,
    part: MaterialPart,
    headers: &HeaderMap,
) -> Result<Response> {
    let material = app.material.part(key, part).await?;
    let material = material.ok_or(Error::Refused(ProblemCode::NotFound))?;
    let tag = format!("\"{}\"", material.digest);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        value.to_str().is_ok_and(|tags| {
            tags.split(',')
                .any(|known| known.trim().trim_start_matches("W/") == tag)
        })
    });
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let length = HeaderValue::from(material.bytes.len());
        // Sent from the shared copy, however many download it.
        let bytes = axum::body::Bytes::from_owner(material.bytes);
        let media_type = HeaderValue::from_static(MATERIAL_MEDIA_TYPE);
        let headers = [
            (header::CONTENT_TYPE, media_type),
            (header::CONTENT_LENGTH, length),
        ];
        (headers, Body::from(bytes)).into_response()
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    Ok(response)
}
