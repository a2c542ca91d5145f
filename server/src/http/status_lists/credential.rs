use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use blindprint_core::problem::ProblemCode;

use crate::{
    Error, Result,
    domain::{credential_form, issued::ListId},
    http::{
        App,
        openapi::PublicProblems,
        published::{Keep, accepted, publish},
    },
};

/// A Bitstring Status List credential for VCDM credentials: a set bit means revoked, or suspended. With a
/// Data Integrity proof, or as `vc+jwt` for who accepts that first.
#[utoipa::path(
    get, path = "/status-lists/{list}/{purpose}", operation_id = "read_bitstring_status_list", tag = "status",
    params(
        ("list" = i64, Path, description = "The list's number"),
        ("purpose" = String, Path, description = "revocation or suspension"),
    ),
    responses(
        (status = OK, description = "A signed credential", content(
            (Object = "application/vc"),
            (String = "application/vc+jwt"),
        )),
        PublicProblems
    ),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
) -> Result<Response> {
    let missing = || Error::Refused(ProblemCode::NotFound);
    let Path((id, purpose)) = path.map_err(|_| missing())?;
    let id: ListId = id.parse().map_err(|_| missing())?;
    let form = credential_form(&purpose, &accepted(&headers)).ok_or_else(missing)?;
    let list = app.public.credentials.lists().signed(id, form).await?;
    let list = list.ok_or_else(missing)?;
    Ok(publish(
        &headers,
        list.body.clone(),
        form.media_type(),
        Keep::AskAgain,
    ))
}
