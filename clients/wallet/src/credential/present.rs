//! Showing credentials by OID4VP: what is asked, by whom, what would be shown; then, if the person
//! agrees, the answer.

use blindprint_credentials::{
    Binding, IssueError, Presentation as Vp, Signer, Suite, UnverifiedCredential, sd_jwt::SdJwt,
};
use blindprint_did::SigningKey;
use blindprint_egress::Request;
use blindprint_openid4vc::{
    ClaimsPath, Code, Error as Refusal, Format, Step,
    vp::{
        AuthorizationRequest, ClientId, DirectPost, DirectPostAnswer, Invocation, Presentation,
        VpToken,
        dcql::{Candidate, CredentialQuery},
    },
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Shown, candidate,
    exchange::{accepted, host_of, unfetched, unusable, unverified},
    record::{Copy, CredentialRecord},
};
use crate::{Error, Result, Wallet, client::printable};

/// How long a presentation may be taken, in seconds.
const LIFETIME: i64 = 300;

/// A question that was understood, and what the wallet would answer. Nothing is shown yet.
pub struct PresentationRequest {
    request: AuthorizationRequest,
    plan: Vec<Planned>,
}

/// One credential that would be shown.
struct Planned {
    query: CredentialQuery,
    record: usize,
    copy: usize,
    disclose: Vec<ClaimsPath>,
    disclosure: Disclosure,
}

/// What a verifier would see of one credential, besides who issued it, until when it holds and where
/// its status stands.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Disclosure {
    /// Which credential.
    pub credential: Uuid,
    /// What its issuer calls it.
    pub name: Option<String>,
    /// Its format. All but `dc+sd-jwt` show everything they say.
    pub format: String,
    /// Names and values of the claims.
    pub claims: Vec<(String, Value)>,
    /// Whether the verifier asks for no proof that it is the holder who shows it: then it gets the credential
    /// as it is, made for nobody in particular, and can pass it on.
    pub handed_over: bool,
}

/// An answer that the verifier took.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Presented {
    /// To whom: the client id with its prefix.
    pub verifier: String,
    /// What was shown.
    pub shown: Vec<Disclosure>,
    /// Where the verifier wants the person to go on.
    pub redirect_uri: Option<String>,
}

impl PresentationRequest {
    /// Who asks. A DID has signed the request; a bare address has not.
    pub fn verifier(&self) -> String {
        self.request.client_id.to_string()
    }

    /// Whether the verifier has proven who it is.
    pub const fn is_signed(&self) -> bool {
        matches!(self.request.client_id, ClientId::Did(_))
    }

    /// The host that the answer goes to.
    pub fn recipient(&self) -> String {
        host_of(&self.request.response_uri)
    }

    /// What the verifier would see.
    pub fn disclosures(&self) -> Vec<Disclosure> {
        self.plan
            .iter()
            .map(|planned| planned.disclosure.clone())
            .collect()
    }
}

impl Wallet {
    /// Reads a verifier's link, verifies who asks, and finds what answers. `only` restricts to
    /// credentials whose ids begin so. `reuse` allows copies that were shown before, which whoever has seen
    /// them recognises.
    pub async fn read_presentation_request(
        &self,
        link: &str,
        only: &[String],
        reuse: bool,
    ) -> Result<PresentationRequest> {
        let request = match Invocation::parse(link).map_err(unusable)? {
            Invocation::Unsigned(request) => *request,
            Invocation::Signed { client_id, request } => {
                self.verify_request(&request, &client_id, None).await?
            }
            Invocation::Reference {
                client_id,
                request_uri,
                method,
            } => self.fetch_request(&client_id, &request_uri, method).await?,
        };
        let plan = self.plan(&request, only, reuse)?;
        Ok(PresentationRequest { request, plan })
    }

    /// Shows what was read and agreed to. The copies count as shown before anything is sent.
    pub async fn present(&mut self, request: PresentationRequest) -> Result<Presented> {
        let PresentationRequest { request, plan } = request;
        let verifier = request.client_id.to_string();
        let at = self.now();
        for planned in &plan {
            let copy = &mut self.state.credentials[planned.record].copies[planned.copy];
            copy.shown.push(Shown {
                to: printable(&verifier),
                at,
            });
        }
        self.save()?;
        let token = plan
            .iter()
            .map(|planned| {
                let presentation = self.presentation(planned, &request)?;
                Ok((planned.query.id.clone(), vec![presentation]))
            })
            .collect::<Result<VpToken>>()?;
        let post = DirectPost::answer(&request, token, self.entropy()).map_err(unusable)?;
        let redirect_uri = self.answer(&request, &post).await?;
        Ok(Presented {
            verifier,
            shown: plan.into_iter().map(|planned| planned.disclosure).collect(),
            redirect_uri,
        })
    }

    /// Tells the verifier that the person does not want to.
    pub async fn refuse_presentation(&self, request: PresentationRequest) -> Result<()> {
        let request = request.request;
        let error = Refusal::new(Code::AccessDenied, "the person has said no");
        let post = DirectPost::refusal(error, request.state.clone());
        self.answer(&request, &post).await.map(drop)
    }

    async fn answer(
        &self,
        request: &AuthorizationRequest,
        post: &DirectPost,
    ) -> Result<Option<String>> {
        let url = &request.response_uri;
        let body = post.to_form().map_err(unusable)?;
        let post = Request::post(url, "application/x-www-form-urlencoded", body)
            .accept("application/json");
        let response = self
            .egress()?
            .fetch(&post)
            .await
            .map_err(|e| unfetched(url, &e))?;
        let said = DirectPostAnswer::parse(&accepted(url, response)?.body).map_err(unusable)?;
        Ok(said.redirect_uri.map(|uri| printable(&uri)))
    }

    /// Which copy of which credential answers which part of the question.
    fn plan(
        &self,
        request: &AuthorizationRequest,
        only: &[String],
        reuse: bool,
    ) -> Result<Vec<Planned>> {
        let understood = |format: &Format| {
            let formats = request
                .client_metadata
                .as_ref()
                .map(|m| &m.vp_formats_supported);
            formats
                .is_none_or(|formats| formats.is_empty() || formats.contains_key(format.as_str()))
        };
        let mut held = Vec::new();
        // The newest first.
        for (index, record) in self.state.credentials.iter().enumerate().rev() {
            let wanted =
                only.is_empty() || only.iter().any(|id| record.id.to_string().starts_with(id));
            let usable = record.copies.iter().any(|copy| reuse || copy.is_unused());
            if wanted && usable && record.holds_at(self.now()) && understood(&record.format) {
                let claims = candidate::claims(&record.format, &record.copies[0].credential)?;
                let types = candidate::expanded(&record.types);
                held.push((index, record, Value::Object(claims), types));
            }
        }
        let candidates: Vec<Candidate<'_>> = held
            .iter()
            .map(|(_, record, claims, types)| Candidate {
                format: &record.format,
                types,
                claims,
                holder_bound: true,
            })
            .collect();
        let choices = request
            .query
            .choose(&candidates)
            .map_err(|_| Error::NoCredential)?;
        let mut taken: Vec<(usize, usize)> = Vec::new();
        let mut plan = Vec::new();
        for choice in choices {
            let found = choice.matches.iter().find_map(|fit| {
                let (index, record, claims, _) = &held[fit.candidate];
                let copy = free_copy(record, reuse, |copy| taken.contains(&(*index, copy)))?;
                Some((*index, *record, claims, copy, &fit.disclose))
            });
            let (index, record, claims, copy, disclose) = found.ok_or(Error::NoCredential)?;
            taken.push((index, copy));
            plan.push(Planned {
                query: choice.query.clone(),
                record: index,
                copy,
                disclose: disclose.clone(),
                disclosure: Disclosure {
                    credential: record.id,
                    name: record.name.clone(),
                    format: record.format.as_str().to_owned(),
                    claims: seen(&record.format, claims, disclose),
                    handed_over: !choice.query.require_cryptographic_holder_binding,
                },
            });
        }
        Ok(plan)
    }

    fn presentation(
        &self,
        planned: &Planned,
        request: &AuthorizationRequest,
    ) -> Result<Presentation> {
        let record = &self.state.credentials[planned.record];
        let copy = &record.copies[planned.copy];
        let binding = Binding {
            challenge: request.nonce.clone(),
            domain: request.client_id.to_string(),
        };
        let bind = planned.query.require_cryptographic_holder_binding;
        match (&record.format, &copy.credential) {
            (Format::SdJwtVc, Value::String(text)) => {
                let paths: Vec<Vec<Value>> = planned.disclose.iter().map(path_values).collect();
                let token = SdJwt::parse(text)
                    .and_then(|token| token.disclosing(&paths))
                    .map_err(|error| unverified(&error))?;
                let token = if bind {
                    token
                        .bound(&copy.signing_key()?, &binding, self.now())
                        .map_err(|error| unsigned(&error))?
                } else {
                    token
                };
                Ok(Presentation::Text(token.to_text()))
            }
            (_, Value::String(text)) if !bind => Ok(Presentation::Text(text.clone())),
            (_, Value::Object(members)) if !bind => Ok(Presentation::Object(members.clone())),
            _ => self.verifiable_presentation(record, copy, request, &binding),
        }
    }

    /// A VCDM presentation, signed by the key that the credential is bound to.
    fn verifiable_presentation(
        &self,
        record: &CredentialRecord,
        copy: &Copy,
        request: &AuthorizationRequest,
        binding: &Binding,
    ) -> Result<Presentation> {
        let key = copy.signing_key()?;
        let method = method_of(copy, &key)?;
        let contexts = self.contexts(&record.received_from);
        let signer = Signer::new(&key, &method, &contexts).map_err(|error| unsigned(&error))?;
        let credential = UnverifiedCredential::from_value(copy.credential.clone())
            .map_err(|error| unverified(&error))?;
        let presentation =
            Vp::of(signer.controller(), &[credential]).map_err(|error| unsigned(&error))?;
        if record.format == Format::JwtVcJson {
            let expires = self.now().plus(LIFETIME);
            return signer
                .presentation_jwt(&presentation, binding, self.now(), expires)
                .map(Presentation::Text)
                .map_err(|error| unsigned(&error));
        }
        let signed = signer
            .presentation(presentation, suite_for(request), binding, self.now())
            .map_err(|error| unsigned(&error))?;
        match signed {
            Value::Object(members) => Ok(Presentation::Object(members)),
            _ => Err(Error::Unusable("the presentation is no object".to_owned())),
        }
    }
}

/// The first copy that nobody has seen; with `reuse`, else the one that was seen by the fewest.
fn free_copy(
    record: &CredentialRecord,
    reuse: bool,
    taken: impl Fn(usize) -> bool,
) -> Option<usize> {
    record
        .copies
        .iter()
        .enumerate()
        .filter(|(index, copy)| !taken(*index) && (reuse || copy.is_unused()))
        .min_by_key(|(_, copy)| copy.shown.len())
        .map(|(index, _)| index)
}

/// What a verifier sees of the claims.
fn seen(format: &Format, claims: &Value, disclose: &[ClaimsPath]) -> Vec<(String, Value)> {
    if *format == Format::SdJwtVc {
        let shown = |path: &ClaimsPath| {
            let found = path.select(claims).unwrap_or_default();
            found
                .into_iter()
                .map(|value| (path_text(path), value.clone()))
                .collect::<Vec<_>>()
        };
        return disclose.iter().flat_map(shown).collect();
    }
    let subject = claims.get("credentialSubject").and_then(Value::as_object);
    let members = subject.cloned().unwrap_or_else(Map::new);
    members
        .into_iter()
        .filter(|(name, _)| name != "id")
        .collect()
}

/// The DID URL of the key, in the DID that the credential names as its subject.
fn method_of(copy: &Copy, key: &SigningKey) -> Result<String> {
    let public = key.public();
    match copy.holder.as_deref() {
        Some(did) if did == public.subject_jwk().as_str() => Ok(format!("{did}#0")),
        Some(did) if did == public.subject().as_str() => {
            Ok(format!("{did}#{}", did.trim_start_matches("did:key:")))
        }
        _ => Err(Error::Unusable(
            "the credential is not bound to its key".to_owned(),
        )),
    }
}

/// The suite that the verifier names, if it is one of ours; the default otherwise.
fn suite_for(request: &AuthorizationRequest) -> Suite {
    let formats = request
        .client_metadata
        .as_ref()
        .map(|m| &m.vp_formats_supported);
    let named = formats
        .and_then(|formats| formats.get("ldp_vc")?.get("cryptosuite_values")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let understood: Vec<&str> = named.collect();
    let [first, second] = [Suite::EddsaJcs2022, Suite::EddsaRdfc2022];
    if understood.contains(&second.name()) && !understood.contains(&first.name()) {
        second
    } else {
        first
    }
}

fn path_values(path: &ClaimsPath) -> Vec<Value> {
    path.steps()
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.as_str().into(),
            Step::Index(index) => (*index).into(),
            Step::Every => Value::Null,
        })
        .collect()
}

fn path_text(path: &ClaimsPath) -> String {
    let steps = path.steps().iter().map(|step| match step {
        Step::Key(key) => printable(key),
        Step::Index(index) => index.to_string(),
        Step::Every => "*".to_owned(),
    });
    steps.collect::<Vec<_>>().join(".")
}

fn unsigned(error: &IssueError) -> Error {
    Error::Unusable(format!(
        "the presentation cannot be made: {}",
        printable(&error.to_string())
    ))
}
