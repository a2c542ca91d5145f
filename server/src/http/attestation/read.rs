use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{problem::ProblemCode, wire::ATTESTATION_MEDIA_TYPE};
use blindprint_protocol::message::{EnclaveRequest, EnclaveResponse};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use utoipa::IntoParams;

use crate::{
    Error, Result,
    http::{App, openapi::PublicProblems, parameters::Parameters},
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Fresh {
    /// 16 to 64 bytes of the caller's own, in base64url without padding.
    #[param(min_length = 22, max_length = 86)]
    nonce: String,
}

/// The enclave's attestation document with the caller's nonce: a tagged COSE signature, as AWS Nitro makes them.
#[utoipa::path(
    get, path = "/v1/attestation", operation_id = "read_attestation", tag = "service",
    params(Fresh),
    responses(
        (status = OK, body = Vec<u8>, content_type = "application/cose; cose-type=\"cose-sign1\""),
        PublicProblems,
    ),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Parameters(fresh): Parameters<Fresh>,
) -> Result<Response> {
    let nonce = URL_SAFE_NO_PAD
        .decode(&fresh.nonce)
        .ok()
        .filter(|nonce| (16..=64).contains(&nonce.len()))
        .ok_or_else(|| {
            Error::because(
                ProblemCode::MalformedRequest,
                "nonce: 16 to 64 bytes in base64url without padding",
            )
        })?;
    let request = EnclaveRequest::Attest {
        nonce: ByteBuf::from(nonce),
    };
    let Ok(EnclaveResponse::Attested { document }) = app.service.enclave().ask(&request).await
    else {
        return Err(Error::unavailable(2));
    };
    let media_type = HeaderValue::from_static(ATTESTATION_MEDIA_TYPE);
    Ok(([(header::CONTENT_TYPE, media_type)], document.into_vec()).into_response())
}
