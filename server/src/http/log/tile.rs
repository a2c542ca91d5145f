use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use blindprint_core::problem::ProblemCode;
use blindprint_log::TilePath;

use crate::{
    Error, Result,
    http::{
        App,
        openapi::PublicProblems,
        published::{Keep, publish},
    },
};

/// The same handler under paths that take more segments than OpenAPI can say: a tile's number has three
/// digits a segment, and a partial tile's width follows it.
pub(crate) const DEEPER: [&str; 4] = [
    "/log/tile/{level}/{tile}/{b}",
    "/log/tile/{level}/{tile}/{b}/{c}",
    "/log/tile/{level}/{tile}/{b}/{c}/{d}",
    "/log/tile/{level}/{tile}/{b}/{c}/{d}/{e}",
];

/// A tile of the log: 256 hashes, or as many entries at level `entries`. Partial tiles are at
/// `…/{tile}.p/{width}`, tiles from number 1000 on at `…/x001/{tile}`.
#[utoipa::path(
    get, path = "/log/tile/{level}/{tile}", operation_id = "read_tile", tag = "log",
    params(
        ("level" = String, Path, description = "0 to 5, or `entries`"),
        ("tile" = String, Path, description = "The tile's number in three digits, as C2SP tlog-tiles writes it"),
    ),
    responses((status = OK, description = "Hashes, or entries each behind its length", body = Vec<u8>, content_type = "application/octet-stream"), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response> {
    let path: TilePath = uri
        .path()
        .strip_prefix("/log/")
        .and_then(|path| path.parse().ok())
        .ok_or(Error::Refused(ProblemCode::NotFound))?;
    let tile = app.ledger.tile(&path).await?;
    let keep = if tile.partial {
        Keep::ADay
    } else {
        Keep::Forever
    };
    Ok(publish(
        &headers,
        tile.bytes,
        "application/octet-stream",
        keep,
    ))
}
