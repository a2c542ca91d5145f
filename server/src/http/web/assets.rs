//! Files that pages load, in the binary. A file's name holds the digest of its content, so that
//! browsers keep it for ever and still see a new release at once.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use blindprint_core::{Digest, problem::ProblemCode};

use crate::http::Problem;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, extension, media type, content.
const FILES: &[(&str, &str, &str, &[u8])] = &[
    (
        "app",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../../../assets/app.css"),
    ),
    (
        "app",
        "js",
        SCRIPT,
        include_bytes!("../../../assets/app.js"),
    ),
    (
        "early",
        "js",
        SCRIPT,
        include_bytes!("../../../assets/early.js"),
    ),
    (
        "passkeys",
        "js",
        SCRIPT,
        include_bytes!("../../../assets/passkeys.js"),
    ),
    (
        "log",
        "js",
        SCRIPT,
        include_bytes!("../../../assets/log.js"),
    ),
    (
        "htmx",
        "js",
        SCRIPT,
        include_bytes!("../../../assets/htmx.min.js"),
    ),
    (
        "me",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../../../assets/me.css"),
    ),
    ("me", "js", SCRIPT, include_bytes!("../../../assets/me.js")),
    (
        "icon",
        "svg",
        "image/svg+xml",
        include_bytes!("../../../assets/icon.svg"),
    ),
    (
        "icons",
        "svg",
        "image/svg+xml",
        include_bytes!("../../../assets/icons.svg"),
    ),
];

struct Asset {
    /// `app.css`
    name: String,
    /// `/assets/app-0123456789abcdef.css`
    path: String,
    media_type: &'static str,
    content: &'static [u8],
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let all = FILES.iter().map(|(stem, extension, media_type, content)| {
        let digest = Digest::of("blindprint/asset/v1", content);
        let mut hex = String::new();
        for byte in &digest.as_bytes()[..8] {
            let _ = write!(hex, "{byte:02x}");
        }
        Asset {
            name: format!("{stem}.{extension}"),
            path: format!("/assets/{stem}-{hex}.{extension}"),
            media_type,
            content,
        }
    });
    all.collect()
});

/// The address of a file by its name, `app.css`.
///
/// # Panics
/// If there is no such file. Templates name files literally, and a test renders every one.
pub(in crate::http) fn asset(name: &str) -> &'static str {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    &found.expect("pages name files that exist").path
}

pub(super) async fn handler(Path(name): Path<String>) -> Response {
    let path = format!("/assets/{name}");
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) else {
        return Problem::new(ProblemCode::NotFound).into_response();
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    (
        [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static(asset.media_type),
            ),
            (header::CACHE_CONTROL, kept),
        ],
        asset.content,
    )
        .into_response()
}
