//! Results of resolution and dereferencing on the wire (DID Resolution sections 4, 5 and 12).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use blindprint_resolver::{Dereferenced, Resolution, ResolutionError};
use serde_json::{Value, json};

use crate::http::{envelope::StandardForm, published::open};

const RESOLUTION: &str = "application/did-resolution";
const DEREFERENCING: &str = "application/did-url-dereferencing";
const PROFILE: &str = "https://w3id.org/did-resolution";

/// What the caller accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// A result with its metadata.
    Result,
    /// The same, of a DID URL.
    UrlResult,
    /// The document or resource alone, as this media type.
    Content(&'static str),
}

impl Wish {
    /// The first that is supported of what is accepted; `None` if none is.
    pub(super) fn of(accept: &str) -> Option<Self> {
        if accept.trim().is_empty() {
            return Some(Self::Result);
        }
        accept.split(',').find_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            match media_type.as_str() {
                "*/*" | "application/*" | RESOLUTION | "application/json" => Some(Self::Result),
                DEREFERENCING => Some(Self::UrlResult),
                "application/did" => Some(Self::Content("application/did")),
                "application/did+json" => Some(Self::Content("application/did+json")),
                "application/did+ld+json" => Some(Self::Content("application/did+ld+json")),
                "application/ld+json" => {
                    let profiled = parts.any(|parameter| {
                        parameter
                            .strip_prefix("profile=")
                            .is_some_and(|profile| profile.trim_matches('"') == PROFILE)
                    });
                    Some(if profiled {
                        Self::Result
                    } else {
                        Self::Content("application/did+ld+json")
                    })
                }
                _ => None,
            }
        })
    }

    /// The same for a DID URL.
    pub(super) const fn of_url(self) -> Self {
        match self {
            Self::Content(media_type) => Self::Content(media_type),
            Self::Result | Self::UrlResult => Self::UrlResult,
        }
    }
}

/// A DID document, or what is left of it: 410 if the DID was given up.
pub(super) fn resolved(wish: Wish, resolution: &Resolution) -> Response {
    let status = if resolution.document_metadata.deactivated {
        StatusCode::GONE
    } else {
        StatusCode::OK
    };
    match wish {
        Wish::Content(media_type) => respond(status, media_type, &resolution.document.to_value()),
        Wish::Result | Wish::UrlResult => {
            let result = serde_json::to_value(resolution).unwrap_or_default();
            respond(status, RESOLUTION, &result)
        }
    }
}

/// What a DID URL names.
pub(super) fn dereferenced(wish: Wish, found: &Dereferenced) -> Response {
    let (media_type, metadata) = match found {
        Dereferenced::Document(resolution) => ("application/did", &resolution.document_metadata),
        Dereferenced::Method(_, metadata) | Dereferenced::Service(_, metadata) => {
            ("application/did", metadata)
        }
        Dereferenced::Url(_, metadata) => ("text/uri-list", metadata),
        _ => {
            return failed(
                wish.of_url(),
                &ResolutionError::FeatureNotSupported("this URL"),
            );
        }
    };
    let status = if metadata.deactivated {
        StatusCode::GONE
    } else {
        StatusCode::OK
    };
    match (wish, found) {
        // The URL is the place to go to.
        (Wish::Content(_), Dereferenced::Url(url, _)) => {
            let mut response = respond_text(StatusCode::SEE_OTHER, media_type, url.clone());
            if let Ok(location) = HeaderValue::from_str(url) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        (Wish::Content(media_type), _) => respond(status, media_type, &found.to_value()),
        _ => {
            let result = json!({
                "content": found.to_value(),
                "contentMetadata": metadata,
                "dereferencingMetadata": { "contentType": media_type },
            });
            respond(status, DEREFERENCING, &result)
        }
    }
}

/// Why there is nothing to answer with. It is told as a result, whatever was accepted.
pub(super) fn failed(wish: Wish, error: &ResolutionError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    metrics::counter!("blindprint_not_resolved_total", "status" => error.status().to_string())
        .increment(1);
    let problem = json!({
        "error": {
            "type": error.type_uri(),
            "title": error.title(),
            "detail": error.to_string(),
        },
    });
    let (media_type, result) = match wish {
        Wish::UrlResult => (
            DEREFERENCING,
            json!({
                "content": null,
                "contentMetadata": {},
                "dereferencingMetadata": problem,
            }),
        ),
        Wish::Result | Wish::Content(_) => (
            RESOLUTION,
            json!({
                "didDocument": null,
                "didDocumentMetadata": {},
                "didResolutionMetadata": problem,
            }),
        ),
    };
    respond(status, media_type, &result)
}

fn respond(status: StatusCode, media_type: &'static str, body: &Value) -> Response {
    respond_text(status, media_type, body.to_string())
}

fn respond_text(status: StatusCode, media_type: &'static str, body: String) -> Response {
    let media_type = HeaderValue::from_static(media_type);
    let mut response = (status, [(header::CONTENT_TYPE, media_type)], body).into_response();
    response.extensions_mut().insert(StandardForm);
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept"));
    open(response)
}
