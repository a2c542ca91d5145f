use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use blindprint_core::problem::ProblemCode;
use blindprint_credentials::status::StatusPurpose;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        Change, Scope,
        issued::{Standing, StatusEntry, Whose},
    },
    http::{
        App, Problem, oauth2::client::Client, openapi::CredentialProblems, operator::Operator,
        parameters::Large,
    },
};

/// Whose word changes a status.
pub(crate) enum Registrar {
    /// Every credential's.
    Operator,
    /// That of the credentials which this client had issued.
    Client(Client),
}

impl FromRequestParts<Arc<App>> for Registrar {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if Operator::from_request_parts(parts, app).await.is_ok() {
            return Ok(Self::Operator);
        }
        let client = Client::from_request_parts(parts, app).await?;
        client.require(Scope::CredentialsStatus)?;
        Ok(Self::Client(client))
    }
}

/// A change of status.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeStatus {
    /// The credential, by the name that this client gave it.
    credential_id: Option<String>,
    /// The credential, by its own `credentialStatus`, of which one entry is enough.
    credential_status: Option<Entry>,
    /// What changes, if `credentialStatus` does not say it.
    #[schema(value_type = Option<String>)]
    status_purpose: Option<StatusPurpose>,
    /// `true` revokes or suspends, `false` lifts a suspension.
    status: bool,
}

/// A `BitstringStatusListEntry`, or an SD-JWT's `status_list`.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Entry {
    /// As in VCDM credentials.
    #[serde(rename_all = "camelCase")]
    Bitstring {
        /// `BitstringStatusListEntry`.
        #[serde(rename = "type")]
        kind: String,
        /// The index.
        status_list_index: String,
        /// The list.
        status_list_credential: String,
        /// What changes.
        #[schema(value_type = Option<String>)]
        status_purpose: Option<StatusPurpose>,
    },
    /// As in SD-JWT VCs.
    Token {
        /// The index.
        idx: u32,
        /// The list.
        uri: String,
    },
}

/// What the lists say now.
#[derive(Serialize, ToSchema)]
pub(crate) struct Changed {
    /// `valid`, `suspended` or `revoked`.
    status: &'static str,
}

/// Revokes, suspends or reinstates a credential with all copies of its batch (VC API). Verifiers see it when
/// they fetch the list next. A client changes what it had issued; an operator's token changes any, by
/// `credentialStatus`. What is revoked stays revoked.
#[utoipa::path(
    post, path = "/credentials/status", operation_id = "change_credential_status", tag = "vc-api",
    request_body = ChangeStatus,
    responses((status = OK, body = Changed), CredentialProblems),
    security(("client" = ["credentials:status"])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    registrar: Registrar,
    Large(body): Large<ChangeStatus>,
) -> Result<Json<Changed>, Problem> {
    let change = change(&app, registrar, body)?;
    let standing = app.public.credentials.change_status(&change).await?;
    Ok(Json(Changed {
        status: standing.as_str(),
    }))
}

fn change(app: &App, registrar: Registrar, body: ChangeStatus) -> Result<Change, Problem> {
    let malformed = |detail: &str| Problem::because(ProblemCode::MalformedRequest, detail);
    let (place, purpose) = match body.credential_status {
        None => (None, None),
        Some(entry) => {
            let (place, purpose) = entry.place(app)?;
            (Some(place), purpose)
        }
    };
    let purpose = match (purpose, body.status_purpose) {
        (Some(one), Some(other)) if one != other => {
            return Err(malformed("statusPurpose: two different ones"));
        }
        (one, other) => one
            .or(other)
            .ok_or_else(|| malformed("statusPurpose: revocation or suspension"))?,
    };
    let to = match (purpose, body.status) {
        (StatusPurpose::Revocation, true) => Standing::Revoked,
        (StatusPurpose::Suspension, true) => Standing::Suspended,
        (StatusPurpose::Suspension, false) => Standing::Valid,
        (StatusPurpose::Revocation, false) => {
            return Err(Problem::because(
                ProblemCode::Conflict,
                "what is revoked stays revoked",
            ));
        }
    };
    let whose = match (registrar, place, body.credential_id) {
        (Registrar::Operator, Some(place), None) => Whose::Anybody(place),
        (Registrar::Client(client), Some(place), None) => Whose::Client(client.id(), place),
        (Registrar::Client(client), None, Some(name)) => Whose::Named(client.id(), name),
        (Registrar::Operator, ..) => {
            return Err(malformed(
                "an operator names credentialStatus, and no credentialId",
            ));
        }
        (Registrar::Client(_), ..) => {
            return Err(malformed("either credentialId or credentialStatus"));
        }
    };
    Ok(Change { whose, to })
}

impl Entry {
    /// The place in one of our lists.
    fn place(self, app: &App) -> Result<(StatusEntry, Option<StatusPurpose>), Problem> {
        let lists = app.public.credentials.lists();
        // In a list of somebody else's there is nothing that could be changed here.
        let elsewhere = || Problem::new(ProblemCode::NotFound);
        match self {
            Self::Bitstring {
                kind,
                status_list_index,
                status_list_credential,
                status_purpose,
            } => {
                if kind != "BitstringStatusListEntry" {
                    return Err(Problem::because(
                        ProblemCode::MalformedRequest,
                        "credentialStatus: BitstringStatusListEntry",
                    ));
                }
                let (list, _) = lists
                    .at(&status_list_credential, "")
                    .ok_or_else(elsewhere)?;
                let index = status_list_index.parse().map_err(|_| elsewhere())?;
                Ok((StatusEntry { list, index }, status_purpose))
            }
            Self::Token { idx, uri } => {
                let (list, _) = lists.at(&uri, "").ok_or_else(elsewhere)?;
                Ok((StatusEntry { list, index: idx }, None))
            }
        }
    }
}
