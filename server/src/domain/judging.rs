//! Whether what a wallet shows is what was asked for, and holds.

use std::{collections::BTreeMap, sync::LazyLock};

use blindprint_credentials::{
    Contexts, PresentationChecks, UnverifiedPresentation, VerifiedPresentation, VerifyError,
};
use blindprint_openid4vc::{
    Format,
    vp::{
        AuthorizationRequest, AuthorizationResponse, Presentation,
        dcql::{Answered, Candidate},
    },
};
use serde_json::Value;

use super::{
    OpenId,
    presentation_requests::{Failure, Outcome, Shown},
};

/// Why an answer was not accepted.
pub(super) enum Unjudged {
    /// Something could not be had just now.
    Unavailable,
    /// It does not hold.
    Failed(Failure),
}

impl OpenId {
    /// Verifies every presentation and that together they are an answer.
    pub(super) async fn judge(
        &self,
        request: &AuthorizationRequest,
        issuers: &[String],
        response: &AuthorizationResponse,
    ) -> Result<Outcome, Unjudged> {
        let answered = request
            .query
            .answered_by(&response.vp_token)
            .map_err(|error| failed(None, "not_an_answer", error.description()))?;
        let checks = PresentationChecks::bound_to(&request.nonce, &request.client_id.to_string());
        let mut shown = BTreeMap::<String, Vec<Shown>>::new();
        for answer in answered {
            let verified = self.verify(&answer, &checks).await?;
            let one = accept(&answer, &verified, issuers)?;
            shown.entry(answer.query.id.clone()).or_default().push(one);
        }
        Ok(Outcome::Answered(shown))
    }

    async fn verify(
        &self,
        answer: &Answered<'_>,
        checks: &PresentationChecks,
    ) -> Result<VerifiedPresentation, Unjudged> {
        let query = &answer.query.id;
        let value = match answer.presentation {
            Presentation::Text(text) => Value::String(text.clone()),
            Presentation::Object(members) => Value::Object(members.clone()),
        };
        let refused = |error: VerifyError| {
            if error.is_unavailable() {
                Unjudged::Unavailable
            } else {
                failed(Some(query), error.code(), &error.to_string())
            }
        };
        let presentation = UnverifiedPresentation::from_value(value).map_err(refused)?;
        self.credentials
            .verifications()
            .presentation(presentation, checks.clone())
            .await
            .map_err(|_| Unjudged::Unavailable)?
            .map_err(refused)
    }
}

fn failed(query: Option<&str>, code: &'static str, detail: &str) -> Unjudged {
    Unjudged::Failed(Failure {
        query: query.map(str::to_owned),
        code,
        detail: detail.to_owned(),
    })
}

/// The one credential of a presentation, if a trusted issuer made it and it is what was asked for.
fn accept(
    answer: &Answered<'_>,
    presentation: &VerifiedPresentation,
    issuers: &[String],
) -> Result<Shown, Unjudged> {
    let query = Some(answer.query.id.as_str());
    let [credential] = presentation.credentials() else {
        return Err(failed(
            query,
            "several_credentials",
            "a presentation holds exactly one credential",
        ));
    };
    if !issuers.iter().any(|issuer| issuer == credential.issuer()) {
        return Err(failed(
            query,
            "untrusted_issuer",
            "the credential is of an issuer that is not trusted here",
        ));
    }
    let format = wire_format(credential.format());
    let claims = Value::Object(credential.claims().clone());
    let candidate = Candidate {
        format: &format,
        types: &expanded(credential.types()),
        claims: &claims,
        // Nothing without is taken.
        holder_bound: true,
    };
    if answer.query.evaluate(&candidate).is_none() {
        return Err(failed(
            query,
            "not_an_answer",
            "the credential is not what the query asks for",
        ));
    }
    let holder_key = credential
        .holder_key()
        .map(|key| key.uri().as_str().to_owned());
    Ok(Shown {
        format: format.as_str().to_owned(),
        issuer: credential.issuer().to_owned(),
        types: credential.types().to_vec(),
        holder: presentation.holder().map(str::to_owned).or(holder_key),
        claims: credential.claims().clone(),
        valid_until: credential.valid_until(),
    })
}

const fn wire_format(format: blindprint_credentials::Format) -> Format {
    use blindprint_credentials::Format as Secured;
    match format {
        Secured::EddsaJcs2022 | Secured::EddsaRdfc2022 | Secured::Unsigned => Format::LdpVc,
        Secured::Jwt => Format::JwtVcJson,
        Secured::SdJwt => Format::SdJwtVc,
    }
}

/// Types as queries name them: expanded (OID4VP appendix B.1.1), and as they stand in the credential.
fn expanded(types: &[String]) -> Vec<String> {
    let iris = types.iter().filter_map(|name| TYPE_IRIS.get(name).cloned());
    types.iter().cloned().chain(iris).collect()
}

/// The types that the contexts define by which credentials are read, and no others are.
static TYPE_IRIS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let context: Value = serde_json::from_str(Contexts::BLINDPRINT).unwrap_or_default();
    let own = context["@context"].as_object().into_iter().flatten();
    let own = own.filter_map(|(name, iri)| Some((name.clone(), iri.as_str()?.to_owned())));
    let base = ["VerifiableCredential", "EnvelopedVerifiableCredential"].map(|name| {
        let iri = format!("https://www.w3.org/2018/credentials#{name}");
        (name.to_owned(), iri)
    });
    own.chain(base).collect()
});
