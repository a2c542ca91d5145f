use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::{Audience, wire::Notices};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    Result,
    http::{App, openapi::PublicProblems, parameters::Parameters},
};

/// Whom notices are about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// A relying party: what is told before verdicts are shared with it.
    #[param(value_type = Option<String>)]
    pub(super) audience: Option<Audience>,
}

/// The notices in force, in every language. A consent names one by its digest. Those about sharing are
/// made for one relying party at a time.
#[utoipa::path(
    get, path = "/v1/notices", operation_id = "list_notices", tag = "consent",
    params(About),
    responses((status = OK, body = Notices), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Parameters(about): Parameters<About>,
) -> Result<Json<Notices>> {
    let notices = app.service.notices_for(about.audience.as_ref()).await?;
    Ok(Json(Notices {
        notices: notices.into_iter().map(|notice| notice.summary).collect(),
    }))
}
