//! Bodies of requests in OAuth and `OpenID4VC`: their bytes, within limits. What they say is read by
//! `blindprint_openid4vc`.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use secrecy::zeroize::Zeroizing;

use super::error::ProtocolError;
use crate::http::{
    App,
    parameters::{media_type, read_body},
};

/// A form of at most so many bytes.
pub(in crate::http) struct FormBody<const LIMIT: usize>(pub Vec<u8>);

/// A JSON document of at most so many bytes.
pub(in crate::http) struct JsonBody<const LIMIT: usize>(pub Vec<u8>);

/// A JSON document of at most so many bytes, as it is or encrypted to this service.
pub(in crate::http) struct SealableBody<const LIMIT: usize>(pub Zeroizing<Vec<u8>>);

impl<const LIMIT: usize> FromRequest<Arc<App>> for FormBody<LIMIT> {
    type Rejection = ProtocolError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ProtocolError> {
        media_type(request.headers(), "application/x-www-form-urlencoded")?;
        Ok(Self(read_body(request, LIMIT, app.body_seconds).await?))
    }
}

impl<const LIMIT: usize> FromRequest<Arc<App>> for JsonBody<LIMIT> {
    type Rejection = ProtocolError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ProtocolError> {
        media_type(request.headers(), "application/json")?;
        Ok(Self(read_body(request, LIMIT, app.body_seconds).await?))
    }
}

impl<const LIMIT: usize> FromRequest<Arc<App>> for SealableBody<LIMIT> {
    type Rejection = ProtocolError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ProtocolError> {
        let sealed = media_type(request.headers(), "application/jwt").is_ok();
        if !sealed {
            media_type(request.headers(), "application/json")?;
        }
        let body = read_body(request, LIMIT, app.body_seconds).await?;
        Ok(Self(if sealed {
            app.openid.open_request(&body)?
        } else {
            Zeroizing::new(body)
        }))
    }
}
