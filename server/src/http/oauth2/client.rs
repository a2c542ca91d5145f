//! Requests of machine clients, by access token (RFC 6750).

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use blindprint_core::problem::ProblemCode;
use secrecy::SecretString;

use crate::{
    domain::{ClientId, Scope, Scopes, TokenHolder},
    http::{App, Problem},
};

/// A machine client, authenticated. What it may do is asked with [`Client::require`].
pub(in crate::http) struct Client {
    id: ClientId,
    scopes: Scopes,
}

impl Client {
    /// Which one.
    pub const fn id(&self) -> ClientId {
        self.id
    }

    /// That its token is good for `scope`.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(scope) {
            Ok(())
        } else {
            Err(Problem::lacking(scope.as_str()))
        }
    }
}

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let refused = || Problem::new(ProblemCode::ClientOnly);
        let (Scheme::Bearer, token) = presented(&parts.headers).ok_or_else(refused)? else {
            return Err(refused());
        };
        let token = app.openid.token(&token).await?.ok_or_else(refused)?;
        match token.holder {
            TokenHolder::Client(id, scopes) => Ok(Self { id, scopes }),
            TokenHolder::Wallet { .. } => Err(refused()),
        }
    }
}

/// How a token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Scheme {
    /// By whoever has it.
    Bearer,
    /// With a proof that the sender has the key that it is bound to.
    Dpop,
}

impl Scheme {
    /// As it stands in headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// The access token in the one `Authorization` header, if there is one.
pub(in crate::http) fn presented(headers: &HeaderMap) -> Option<(Scheme, SecretString)> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let scheme = if scheme.eq_ignore_ascii_case("bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Scheme::Dpop
    } else {
        return None;
    };
    Some((scheme, SecretString::from(token.trim())))
}
