//! Requests of operators, by bearer token (RFC 6750).

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use blindprint_core::{problem::ProblemCode, wire::INVITATION_HEADER};

use super::{App, Problem, Right, parameters::single};
use crate::domain::Admission;

/// An operator, authenticated.
pub(super) struct Operator;

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match bearer(parts, app)? {
            Some(Right::Operate) => Ok(Self),
            Some(Right::Enrol) | None => Err(Problem::new(ProblemCode::OperatorOnly)),
        }
    }
}

impl FromRequestParts<Arc<App>> for Admission {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if bearer(parts, app)?.is_some() {
            return Ok(Self::Operator);
        }
        Ok(single(&parts.headers, INVITATION_HEADER)?.map_or(Self::None, Self::Invitation))
    }
}

/// What the bearer token is good for; `None` if there is none. A wrong one is refused.
fn bearer(parts: &Parts, app: &App) -> Result<Option<Right>, Problem> {
    let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| app.operators.right(token.trim()))
        .map(Some)
        .ok_or_else(|| Problem::new(ProblemCode::OperatorOnly))
}
