//! Requests of wallets that redeemed an offer, by access token.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
};
use blindprint_core::Digest;
use blindprint_openid4vc::Code;
use secrecy::ExposeSecret as _;

use super::{
    client::{Scheme, presented},
    dpop,
    error::ProtocolError,
};
use crate::{domain::TokenHolder, http::App};

/// A wallet with a live token: bound to a key of its own, if it was asked for with one.
pub(in crate::http) struct Redeemer {
    /// Which offer it redeemed.
    pub offer: Digest,
    /// What it calls itself.
    pub client: Option<String>,
}

impl FromRequestParts<Arc<App>> for Redeemer {
    type Rejection = ProtocolError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ProtocolError> {
        let headers = &parts.headers;
        let invalid = || {
            ProtocolError::new(
                Code::InvalidToken,
                "the access token is missing, wrong, over or bound to a key",
            )
        };
        let Some((scheme, presented)) = presented(headers) else {
            // Without an error code: there was nothing to be wrong (RFC 6750 section 3.1).
            return Err(invalid().with_status(StatusCode::UNAUTHORIZED).with_header(
                header::WWW_AUTHENTICATE,
                "Bearer, DPoP algs=\"EdDSA ES256\"",
            ));
        };
        let token = app
            .openid
            .token(&presented)
            .await?
            .ok_or_else(|| invalid().challenging(scheme.name()))?;
        let TokenHolder::Wallet { offer, client } = token.holder else {
            return Err(invalid().challenging(scheme.name()));
        };
        match (scheme, token.jkt) {
            (Scheme::Bearer, None) => {}
            (Scheme::Dpop, Some(jkt)) => {
                let challenged = |error: ProtocolError| error.challenging(scheme.name());
                let text = presented.expose_secret();
                let proof = dpop::proof(headers, parts.uri.path(), Some(text), app)
                    .map_err(challenged)?
                    .ok_or_else(|| {
                        challenged(ProtocolError::new(
                            Code::InvalidDpopProof,
                            "the access token needs a DPoP proof",
                        ))
                    })?;
                let shown = app.openid.spend_dpop(Some(proof)).await;
                let shown = shown.map_err(|denied| challenged(denied.into()))?;
                if shown.as_ref() != Some(&jkt) {
                    return Err(challenged(ProtocolError::new(
                        Code::InvalidToken,
                        "the DPoP proof is by another key than the token's",
                    )));
                }
            }
            _ => return Err(invalid().challenging(scheme.name())),
        }
        Ok(Self { offer, client })
    }
}
