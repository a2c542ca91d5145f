use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest as _, Request, State},
    response::Response,
};
use blindprint_credentials::{
    Check, CredentialChecks, Format, UnverifiedCredential, VerifiedCredential,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    domain::Scope,
    http::{
        App, Problem,
        oauth2::client::Client,
        openapi::CredentialProblems,
        parameters::Large,
        verification::{Verification, refuse},
    },
};

/// What to verify.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Verify {
    /// A credential with its proof, an `EnvelopedVerifiableCredential`, a JWT, or an SD-JWT VC.
    #[schema(value_type = Object)]
    verifiable_credential: Value,
    /// How.
    #[serde(default)]
    options: Options,
}

/// How to verify it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    /// What to look at; all of it by default. Proof and validity are always looked at.
    checks: Option<Vec<Wanted>>,
}

/// Something that can be left out.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub(in crate::http) enum Wanted {
    /// The proof, which cannot.
    #[serde(rename = "proof")]
    Proof,
    /// What the issuer's status list says.
    #[serde(rename = "status", alias = "credentialStatus")]
    Status,
}

/// What of a list of checks concerns credentials.
pub(in crate::http) fn checks(wanted: Option<&[Wanted]>) -> CredentialChecks {
    CredentialChecks {
        status: wanted.is_none_or(|wanted| wanted.contains(&Wanted::Status)),
    }
}

/// A credential that holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Holds {
    /// Always true.
    verified: bool,
    /// The form it came in.
    #[schema(value_type = String)]
    format: Format,
    /// Who issued it.
    issuer: String,
    /// Its types.
    types: Vec<String>,
    /// What it says.
    #[schema(value_type = Object)]
    claims: Value,
    /// Whom it is about.
    holder: Option<String>,
    /// What was looked at.
    #[schema(value_type = Vec<Object>)]
    checks: Vec<Check>,
}

impl From<&VerifiedCredential> for Holds {
    fn from(credential: &VerifiedCredential) -> Self {
        Self {
            verified: true,
            format: credential.format(),
            issuer: credential.issuer().to_owned(),
            types: credential.types().to_vec(),
            claims: Value::Object(credential.claims().clone()),
            holder: credential.holder().map(str::to_owned),
            checks: credential.checks().to_vec(),
        }
    }
}

/// Verifies a credential of anybody's (VC API): proof, key, validity, schema, status.
#[utoipa::path(
    post, path = "/credentials/verify", operation_id = "verify_credential", tag = "vc-api",
    request_body = Verify,
    responses(
        (status = OK, body = Holds),
        (status = UNPROCESSABLE_ENTITY, body = Verification, content_type = "application/problem+json"),
        CredentialProblems
    ),
    security(("client" = ["credentials:verify"])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    client: Client,
    request: Request,
) -> Result<Result<Json<Holds>, Response>, Problem> {
    client.require(Scope::CredentialsVerify)?;
    let Large(body) = Large::<Verify>::from_request(request, &app).await?;
    let checks = checks(body.options.checks.as_deref());
    let verified = match UnverifiedCredential::from_value(body.verifiable_credential) {
        Ok(credential) => {
            let verifications = app.public.credentials.verifications();
            verifications.credential(credential, checks).await?
        }
        Err(error) => Err(error),
    };
    Ok(match verified {
        Ok(credential) => Ok(Json(Holds::from(&credential))),
        Err(error) => Err(refuse(&error)),
    })
}
