//! What anybody may read from any page: documents, vocabulary, status lists.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use blindprint_core::Digest;

/// How long readers may keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// For as long as they like: it has its last form, and nobody ever gets another under its address.
    Forever,
    /// For a day: it never changes under its address.
    ADay,
    /// Until they ask again, which costs little: what was revoked is so for whoever fetches next.
    AskAgain,
}

/// Answers with `text`, or that the reader has it already.
pub(super) fn publish(
    headers: &HeaderMap,
    text: impl Into<axum::body::Body> + AsRef<[u8]>,
    media_type: &'static str,
    keep: Keep,
) -> Response {
    let tag = Digest::of("blindprint/published/v1", text.as_ref());
    let tag = format!("\"{tag}\"");
    let mut response = if has(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let media_type = HeaderValue::from_static(media_type);
        ([(header::CONTENT_TYPE, media_type)], text.into()).into_response()
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(match keep {
            Keep::Forever => "public, max-age=31536000, immutable",
            Keep::ADay => "public, max-age=86400",
            Keep::AskAgain => "public, no-cache",
        }),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    open(response)
}

/// Lets pages of other origins read an answer that holds nothing of its reader's.
pub(super) fn open(mut response: Response) -> Response {
    response.headers_mut().insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    response
}

/// Whether the reader has the text of this tag (RFC 9110 section 13.1.2).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        value.to_str().is_ok_and(|tags| {
            tags.split(',')
                .any(|known| known.trim().trim_start_matches("W/") == tag)
        })
    })
}

/// The `Accept` headers as one list.
pub(super) fn accepted(headers: &HeaderMap) -> String {
    let values = headers.get_all(header::ACCEPT).iter();
    let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    texts.join(",")
}
