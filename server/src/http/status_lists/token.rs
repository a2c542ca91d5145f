use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use blindprint_core::problem::ProblemCode;

use crate::{
    Error, Result,
    domain::{ListForm, issued::ListId},
    http::{
        App,
        openapi::PublicProblems,
        parameters::Segment,
        published::{Keep, publish},
    },
};

/// A Token Status List: two bits an SD-JWT VC, 0 valid, 1 revoked, 2 suspended.
#[utoipa::path(
    get, path = "/status-lists/{list}", operation_id = "read_token_status_list", tag = "status",
    params(("list" = i64, Path, description = "The list's number")),
    responses((status = OK, description = "A signed list", body = String, content_type = "application/statuslist+jwt"), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(id): Segment<ListId>,
    headers: HeaderMap,
) -> Result<Response> {
    let form = ListForm::Token;
    let list = app.public.credentials.lists().signed(id, form).await?;
    let list = list.ok_or(Error::Refused(ProblemCode::NotFound))?;
    Ok(publish(
        &headers,
        list.body.clone(),
        form.media_type(),
        Keep::AskAgain,
    ))
}
