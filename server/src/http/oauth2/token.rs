use std::{sync::Arc, time::Instant};

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use blindprint_core::Digest;
use blindprint_openid4vc::{
    Code,
    vci::{AuthorizationDetail, Grant, TokenRequest, TokenResponse},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{body::FormBody, dpop, error::ProtocolError};
use crate::{
    domain::{Denied, Granted, TOKEN_SECONDS},
    http::{Address, App, openapi::ProtocolProblems},
};

const PATH: &str = "/oauth2/token";

/// Access tokens: for machine clients by `client_credentials`, for wallets by the pre-authorised code of
/// an offer (OpenID4VCI section 6), bound to the wallet's key if it sends a DPoP proof.
#[utoipa::path(
    post, path = "/oauth2/token", operation_id = "token", tag = "credentials",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"),
    responses((status = OK, description = "RFC 6749 section 5.1", body = Object), ProtocolProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Extension(address): Extension<Address>,
    headers: HeaderMap,
    FormBody(body): FormBody<{ TokenRequest::MAX_LEN }>,
) -> Result<Response, ProtocolError> {
    let request = TokenRequest::parse(&body)?;
    let name = request.client_id.as_deref().unwrap_or_default();
    let basic = basic(&headers)?;
    let name = basic.as_ref().map_or(name, |(id, _)| id);
    let name = Digest::of("blindprint/token-rate/v1", name.as_bytes());
    if let Err(seconds) = app.token_rate.take(&(address, name), Instant::now()) {
        metrics::counter!("blindprint_rate_limited_total", "by" => "token").increment(1);
        let error = ProtocolError::new(Code::TemporarilyUnavailable, "too many token requests");
        return Err(error
            .with_status(StatusCode::TOO_MANY_REQUESTS)
            .with_header(header::RETRY_AFTER, &seconds.to_string()));
    }
    let granted = match &request.grant {
        Grant::ClientCredentials => {
            let (id, secret) = credentials(&request, basic)?;
            if !request.authorization_details.is_empty() {
                return Err(ProtocolError::new(
                    Code::InvalidRequest,
                    "authorization_details are for wallets",
                ));
            }
            let granted = app
                .openid
                .grant_client(&id, &secret, request.scope.as_deref());
            granted.await.map_err(unauthenticated)?
        }
        Grant::PreAuthorized { code, tx_code } => {
            if basic.is_some() || request.client_secret.is_some() {
                return Err(ProtocolError::new(
                    Code::UnauthorizedClient,
                    "a code is redeemed by a wallet, which has no client secret",
                ));
            }
            let proof = dpop::proof(&headers, PATH, None, &app)?;
            let client = request.client_id.clone();
            let details = request.authorization_details.iter();
            let wanted: Vec<&str> = details
                .filter_map(|detail| detail.credential_configuration_id.as_deref())
                .collect();
            app.openid
                .grant_wallet(code, tx_code.as_ref(), client, proof, &wanted)
                .await?
        }
    };
    let details = granted_details(request.authorization_details);
    let next_nonce = granted.bound.then(|| app.openid.dpop_nonce());
    let mut response = Json(answer(&granted, details)).into_response();
    // Read by every client library, whatever else says the same.
    let headers = response.headers_mut();
    headers.insert(header::PRAGMA, header::HeaderValue::from_static("no-cache"));
    if let Some(Ok(nonce)) = next_nonce.map(header::HeaderValue::try_from) {
        headers.insert(dpop::NONCE, nonce);
    }
    Ok(response)
}

fn answer(granted: &Granted, authorization_details: Vec<AuthorizationDetail>) -> TokenResponse {
    TokenResponse {
        access_token: granted.token.expose_secret().to_owned(),
        token_type: if granted.bound { "DPoP" } else { "Bearer" }.to_owned(),
        expires_in: TOKEN_SECONDS.try_into().ok(),
        scope: granted.scopes.as_ref().map(ToString::to_string),
        authorization_details,
    }
}

/// What was asked for in detail and is granted. Each configuration is its own only dataset, so its id
/// names that.
fn granted_details(wanted: Vec<AuthorizationDetail>) -> Vec<AuthorizationDetail> {
    let detail = |wanted: AuthorizationDetail| AuthorizationDetail {
        credential_identifiers: wanted.credential_configuration_id.iter().cloned().collect(),
        ..wanted
    };
    wanted.into_iter().map(detail).collect()
}

/// The client's id and secret, by exactly one of the two ways (RFC 6749 section 2.3.1).
fn credentials(
    request: &TokenRequest,
    basic: Option<(String, SecretString)>,
) -> Result<(String, SecretString), ProtocolError> {
    let twice = || ProtocolError::new(Code::InvalidRequest, "the client authenticates twice");
    match (basic, &request.client_id, &request.client_secret) {
        (Some(_), _, Some(_)) => Err(twice()),
        (Some((basic, _)), Some(id), None) if basic != *id => Err(twice()),
        (Some(basic), _, None) => Ok(basic),
        (None, Some(id), Some(secret)) => Ok((id.clone(), secret.clone())),
        (None, _, _) => Err(challenge(ProtocolError::new(
            Code::InvalidClient,
            "a machine client sends its client_id and client_secret",
        ))),
    }
}

/// What an `Authorization: Basic` header holds: id and secret, each form-encoded.
fn basic(headers: &HeaderMap) -> Result<Option<(String, SecretString)>, ProtocolError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let read = || {
        let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text =
            SecretString::from(String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?);
        let (id, secret) = text.expose_secret().split_once(':')?;
        Some((form_decoded(id)?, SecretString::from(form_decoded(secret)?)))
    };
    read().map(Some).ok_or_else(|| {
        challenge(ProtocolError::new(
            Code::InvalidClient,
            "the Authorization header is not that of a client",
        ))
    })
}

fn form_decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&text).decode_utf8();
    decoded.ok().map(Into::into)
}

fn unauthenticated(denied: Denied) -> ProtocolError {
    let error = ProtocolError::from(denied);
    if error.is(Code::InvalidClient) {
        challenge(error)
    } else {
        error
    }
}

fn challenge(error: ProtocolError) -> ProtocolError {
    error
        .with_status(StatusCode::UNAUTHORIZED)
        .with_header(header::WWW_AUTHENTICATE, "Basic realm=\"blindprint\"")
}
