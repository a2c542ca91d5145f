use std::sync::Arc;

use axum::{Json, extract::State};
use blindprint_core::wire::Service;

use crate::{
    Result,
    http::{App, openapi::PublicProblems},
};

/// The service's name, key and verdict key. A wallet checks them against the attestation.
#[utoipa::path(
    get, path = "/v1/service", operation_id = "read_service", tag = "service",
    responses((status = OK, body = Service), PublicProblems),
)]
pub(crate) async fn handler(State(app): State<Arc<App>>) -> Result<Json<Service>> {
    let terms = app.service.enclave().terms().await?;
    Ok(Json(Service {
        service: app.service.id().clone(),
        parameters: terms.parameters.clone(),
        key: terms.key,
        verdict_key: terms.verdict_key.clone(),
        open_enrolment: app.service.open_enrolment(),
        controller: app.service.notices().controller().clone(),
    }))
}
