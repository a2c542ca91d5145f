use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use blindprint_core::{Nonce, UnixTime};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{Outcome, RequestStanding, Scope, Shown},
    http::{
        App, Problem,
        oauth2::client::Client,
        openapi::ClientProblems,
        parameters::{Parameters, Segment},
    },
};

/// The query string.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// From the fragment that the person came back with, if the request has a `redirect_uri`.
    response_code: Option<String>,
}

/// Where a request stands.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum PresentationStanding {
    /// Nobody has answered yet.
    Waiting,
    /// It ended unanswered.
    Expired,
    /// The wallet or its owner said no.
    Refused {
        /// The wallet's error code.
        error: String,
    },
    /// The answer does not hold.
    Failed {
        /// The id of the query, if it is about one.
        query: Option<String>,
        /// For programs, such as `revoked`.
        error: String,
        /// For people.
        detail: String,
    },
    /// Everything that was asked for was shown, and holds.
    Answered {
        /// By the id of the query.
        credentials: BTreeMap<String, Vec<ShownCredential>>,
    },
}

/// A verified credential.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShownCredential {
    /// `ldp_vc`, `jwt_vc_json` or `dc+sd-jwt`.
    format: String,
    /// Who issued it.
    issuer: String,
    /// Its types, or its `vct`.
    types: Vec<String>,
    /// Who showed it: a DID.
    holder: Option<String>,
    /// The credential without its proof, or the claims that were disclosed.
    #[schema(value_type = Object)]
    claims: serde_json::Map<String, serde_json::Value>,
    /// Until when it holds.
    valid_until: Option<UnixTime>,
}

impl From<Shown> for ShownCredential {
    fn from(shown: Shown) -> Self {
        Self {
            format: shown.format,
            issuer: shown.issuer,
            types: shown.types,
            holder: shown.holder,
            claims: shown.claims,
            valid_until: shown.valid_until,
        }
    }
}

/// What came of the client's own request. It is known for five minutes after the answer.
#[utoipa::path(
    get, path = "/v1/presentation-requests/{id}", operation_id = "read_presentation",
    tag = "credentials",
    params(("id" = Nonce, Path, description = "Which request"), Asked),
    responses((status = OK, body = PresentationStanding), ClientProblems),
    security(("client" = ["presentations:request"])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    client: Client,
    Segment(id): Segment<Nonce>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<PresentationStanding>, Problem> {
    client.require(Scope::PresentationsRequest)?;
    let code = asked.response_code.as_deref();
    let standing = app.openid.presentation_standing(client.id(), id, code)?;
    Ok(Json(match standing {
        RequestStanding::Waiting => PresentationStanding::Waiting,
        RequestStanding::Expired => PresentationStanding::Expired,
        RequestStanding::Done(Outcome::Refused(error)) => PresentationStanding::Refused { error },
        RequestStanding::Done(Outcome::Failed(failure)) => PresentationStanding::Failed {
            query: failure.query,
            error: failure.code.to_owned(),
            detail: failure.detail,
        },
        RequestStanding::Done(Outcome::Answered(credentials)) => PresentationStanding::Answered {
            credentials: credentials
                .into_iter()
                .map(|(query, shown)| (query, shown.into_iter().map(Into::into).collect()))
                .collect(),
        },
    }))
}
