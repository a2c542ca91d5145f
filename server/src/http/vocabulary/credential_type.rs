use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use blindprint_core::problem::ProblemCode;
use blindprint_credentials::CredentialType;
use serde_json::{Value, json};

use super::kind;
use crate::{
    Error, Result,
    http::{
        App,
        openapi::PublicProblems,
        parameters::Segment,
        published::{Keep, publish},
    },
};

/// What an SD-JWT VC type means (SD-JWT VC section 6).
#[utoipa::path(
    get, path = "/credentials/types/{kind}/v1", operation_id = "read_credential_type", tag = "vocabulary",
    params(("kind" = String, Path, description = "enrolment, authentication or consent-receipt")),
    responses((status = OK, description = "SD-JWT VC type metadata", body = Object), PublicProblems),
)]
pub(crate) async fn handler(
    State(app): State<Arc<App>>,
    Segment(name): Segment<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let kind = kind(&name).and_then(|kind| Some((kind, meaning(kind)?)));
    let (kind, meaning) = kind.ok_or(Error::Refused(ProblemCode::NotFound))?;
    let claims: Vec<Value> = meaning
        .claims
        .iter()
        .map(|(name, label)| {
            json!({
                "path": [name],
                "display": [{ "locale": "en", "label": label }],
                "sd": "always",
            })
        })
        .collect();
    let metadata = json!({
        "vct": app.public.credentials.deployment().vct(kind),
        "name": meaning.name,
        "description": meaning.description,
        "display": [{ "locale": "en", "name": meaning.name, "description": meaning.description }],
        "claims": claims,
    });
    Ok(publish(
        &headers,
        metadata.to_string(),
        "application/json",
        Keep::ADay,
    ))
}

/// A kind of credential, for people.
struct Meaning {
    name: &'static str,
    description: &'static str,
    claims: &'static [(&'static str, &'static str)],
}

/// `None` for what is never issued.
const fn meaning(kind: CredentialType) -> Option<Meaning> {
    Some(match kind {
        CredentialType::Enrolment => Meaning {
            name: "Enrolment",
            description: "Its holder is enrolled here with a biometric that the service cannot read",
            claims: &[
                ("modality", "Modality"),
                ("profile", "Profile"),
                ("parameterSet", "Parameter set"),
                ("enrolledSince", "Enrolled since"),
            ],
        },
        CredentialType::Authentication => Meaning {
            name: "Authentication",
            description: "Its holder was recognised here just now, for one relying party",
            claims: &[
                ("matched", "Recognised"),
                ("modality", "Modality"),
                ("profile", "Profile"),
                ("parameterSet", "Parameter set"),
                ("operatingPoint", "Error rates"),
                ("audience", "For whom"),
                ("nonce", "Nonce"),
                ("authenticatedAt", "When"),
                ("verdictDigest", "Digest of the enclave's verdict"),
            ],
        },
        CredentialType::ConsentReceipt => Meaning {
            name: "Consent receipt",
            description: "Its holder has given a consent here and not taken it back",
            claims: &[
                ("purpose", "Purpose"),
                ("controller", "Given to"),
                ("recipient", "Shared with"),
                ("state", "State"),
                ("noticeDigest", "Digest of the notice"),
                ("noticeLanguage", "Language of the notice"),
                ("consentDigest", "Digest of the consent"),
                ("recordDigest", "Digest of the consent record"),
                ("givenAt", "Given"),
                ("expiresAt", "Ends"),
            ],
        },
        CredentialType::Uniqueness => return None,
    })
}
