use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest as _, Request, State},
    response::Response,
};
use blindprint_credentials::{
    Check, Format, PresentationChecks, UnverifiedPresentation, VerifiedPresentation,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    domain::Scope,
    http::{
        App, Problem,
        credentials::verify::{Holds, Wanted, checks},
        oauth2::client::Client,
        openapi::CredentialProblems,
        parameters::Large,
        verification::{Verification, refuse},
    },
};

/// How old a proof may be, in seconds.
const OLDEST: i64 = 300;

/// What to verify.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Verify {
    /// A presentation, an `EnvelopedVerifiablePresentation`, a JWT, or an SD-JWT VC with key binding.
    #[schema(value_type = Object)]
    verifiable_presentation: Value,
    /// How.
    #[serde(default)]
    options: Options,
}

/// How to verify it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    /// The challenge or nonce that it must answer.
    challenge: Option<String>,
    /// The domain or audience that it must be made for.
    domain: Option<String>,
    /// What to look at in its credentials; all by default.
    checks: Option<Vec<Wanted>>,
}

/// A presentation that holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Presented {
    /// Always true.
    verified: bool,
    /// The form it came in. `unsigned`: its credentials hold, but anybody may show them.
    #[schema(value_type = String)]
    format: Format,
    /// Who presents.
    holder: Option<String>,
    /// What was looked at.
    #[schema(value_type = Vec<Object>)]
    checks: Vec<Check>,
    /// Its credentials.
    credentials: Vec<Holds>,
}

impl From<&VerifiedPresentation> for Presented {
    fn from(presentation: &VerifiedPresentation) -> Self {
        Self {
            verified: true,
            format: presentation.format(),
            holder: presentation.holder().map(str::to_owned),
            checks: presentation.checks().to_vec(),
            credentials: presentation.credentials().iter().map(Holds::from).collect(),
        }
    }
}

/// Verifies a presentation and all credentials in it (VC API). A proof must not be older than five minutes,
/// and its holder must be the subject of each credential. One without proof passes only where neither challenge
/// nor domain is asked for.
#[utoipa::path(
    post, path = "/presentations/verify", operation_id = "verify_presentation", tag = "vc-api",
    request_body = Verify,
    responses(
        (status = OK, body = Presented),
        (status = UNPROCESSABLE_ENTITY, body = Verification, content_type = "application/problem+json"),
        CredentialProblems
    ),
    security(("client" = ["presentations:verify"])),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    client: Client,
    request: Request,
) -> Result<Result<Json<Presented>, Response>, Problem> {
    client.require(Scope::PresentationsVerify)?;
    let Large(body) = Large::<Verify>::from_request(request, &app).await?;
    let options = body.options;
    let presentation = &body.verifiable_presentation;
    let unsigned = presentation.is_object()
        && presentation["proof"].is_null()
        && options.challenge.is_none()
        && options.domain.is_none();
    let checks = PresentationChecks {
        unsigned,
        challenge: options.challenge,
        domain: options.domain,
        // Nobody's presence is proved by what nobody signed.
        holder_binding: !unsigned,
        max_age: OLDEST,
        credentials: checks(options.checks.as_deref()),
    };
    let verified = match UnverifiedPresentation::from_value(body.verifiable_presentation) {
        Ok(presentation) => {
            let verifications = app.public.credentials.verifications();
            verifications.presentation(presentation, checks).await?
        }
        Err(error) => Err(error),
    };
    Ok(match verified {
        Ok(presentation) => Ok(Json(Presented::from(&presentation))),
        Err(error) => Err(refuse(&error)),
    })
}
