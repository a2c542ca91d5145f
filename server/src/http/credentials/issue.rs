use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest as _, Request, State},
    http::StatusCode,
};
use blindprint_credentials::Suite;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    domain::{General, Scope, Securing},
    http::{App, Problem, oauth2::client::Client, openapi::CredentialProblems, parameters::Large},
};

/// What to issue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issue {
    /// A VCDM 2.0 credential without proof and status. The service's DID becomes its issuer.
    #[schema(value_type = Object)]
    credential: Value,
    /// How.
    #[serde(default)]
    options: Options,
}

/// How to issue it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    /// By what name its status is changed, if not by its `id`.
    credential_id: Option<String>,
    /// How it is secured.
    cryptosuite: Cryptosuite,
    /// Whether it can be suspended and revoked: it then names two status lists.
    status: bool,
}

/// How a credential is secured.
#[derive(Default, Clone, Copy, Deserialize, Serialize, ToSchema)]
enum Cryptosuite {
    /// Data Integrity over canonical JSON.
    #[default]
    #[serde(rename = "eddsa-jcs-2022")]
    Jcs,
    /// Data Integrity over canonical RDF.
    #[serde(rename = "eddsa-rdfc-2022")]
    Rdfc,
    /// VC-JOSE-COSE.
    #[serde(rename = "vc+jwt")]
    Jwt,
}

/// What was issued.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Issued {
    /// The credential with its proof, or a JWT.
    #[schema(value_type = Object)]
    verifiable_credential: Value,
}

/// Issues a credential on the client's word, under the service's DID (VC API). Blindprint's own types are
/// refused: they stand on an enrolment, a verdict or a consent, and go to the subject's own wallet.
#[utoipa::path(
    post, path = "/credentials/issue", operation_id = "issue_credential", tag = "vc-api",
    request_body = Issue,
    responses((status = CREATED, body = Issued), CredentialProblems),
    security(("client" = ["credentials:issue"])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    client: Client,
    request: Request,
) -> Result<(StatusCode, Json<Issued>), Problem> {
    client.require(Scope::CredentialsIssue)?;
    let Large(body) = Large::<Issue>::from_request(request, &app).await?;
    let wanted = General {
        client: client.id(),
        credential: body.credential,
        name: body.options.credential_id,
        securing: match body.options.cryptosuite {
            Cryptosuite::Jcs => Securing::Proof(Suite::EddsaJcs2022),
            Cryptosuite::Rdfc => Securing::Proof(Suite::EddsaRdfc2022),
            Cryptosuite::Jwt => Securing::Jwt,
        },
        status: body.options.status,
    };
    let verifiable_credential = app.public.credentials.issue_general(wanted).await?;
    Ok((
        StatusCode::CREATED,
        Json(Issued {
            verifiable_credential,
        }),
    ))
}
