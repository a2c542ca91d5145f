//! Asking wallets for presentations, and judging what they show (OID4VP).

use std::{collections::BTreeMap, sync::LazyLock};

use blindprint_core::{Nonce, UnixTime, problem::ProblemCode};
use blindprint_credentials::{
    Contexts, PresentationChecks, UnverifiedPresentation, VerifiedPresentation, VerifyError,
};
use blindprint_openid4vc::{
    Code, Error as Refused, Format,
    jwe::{DecryptionKey, Encryption, Jwks, SealedJwe},
    vp::{
        AuthorizationRequest, AuthorizationResponse, ClientId as Verifier, ClientMetadata,
        DirectPost, DirectPostAnswer, Invocation, Presentation, RequestUriMethod, ResponseMode,
        dcql::{Answered, Candidate, Query},
    },
};
use serde_json::{Map, Value, json};

use super::{
    ClientId, Denied, OpenId,
    presentation_requests::{Failure, Kept, NotKept, Outcome, ReturnTo, Shown, Standing, State},
};
use crate::{Error, Result};

/// Longest life of a request, in seconds.
pub const LONGEST_REQUEST: u32 = 600;
const LONGEST_ISSUERS: usize = 32;
const LONGEST_TEXT: usize = 1024;

/// What a machine client wants to be shown.
#[derive(Debug, Clone)]
pub struct WantedPresentation {
    /// The question.
    pub query: Query,
    /// How the answer comes.
    pub response_mode: ResponseMode,
    /// Whether the service's DID asks, and signs the request, or the address of the answer.
    pub signed: bool,
    /// DIDs whose credentials count; the service's own if there are none.
    pub issuers: Vec<String>,
    /// Where the wallet sends the person's browser back to.
    pub redirect_uri: Option<String>,
    /// How long it can be answered, in seconds.
    pub valid_for: u32,
}

/// A request that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestMade {
    /// Its name.
    pub id: Nonce,
    /// What the wallet opens.
    pub uri: String,
    /// Who asks, in the wallet's words.
    pub client_id: String,
    /// When it ends unanswered.
    pub expires: UnixTime,
}

impl OpenId {
    /// Asks for a presentation. `name` stands for a request that may be repeated: it makes the same one
    /// again.
    pub async fn request_presentation(
        &self,
        client: ClientId,
        wanted: WantedPresentation,
        name: Option<[u8; 16]>,
    ) -> Result<RequestMade> {
        check(&wanted)?;
        let id = match name {
            Some(name) => {
                let message = [&client.as_bytes()[..], &name].concat();
                let derived = self
                    .protocol
                    .derive("blindprint/presentation-request/v1", &message);
                Nonce::from_bytes(*derived.as_bytes())
            }
            None => Nonce::random(&*self.entropy),
        };
        let now = self.clock.now();
        let response_uri = format!("{}/openid4vp/responses/{id}", self.id());
        let key = (wanted.response_mode == ResponseMode::DirectPostJwt).then(|| {
            let key = DecryptionKey::generate(&*self.entropy);
            let kid = key.public().thumbprint();
            key.named(kid)
        });
        let request = AuthorizationRequest {
            client_id: if wanted.signed {
                Verifier::Did(self.credentials.issuer().now().did().to_string())
            } else {
                Verifier::RedirectUri(response_uri.clone())
            },
            response_uri,
            response_mode: wanted.response_mode,
            nonce: Nonce::random(&*self.entropy).to_string(),
            state: Some(Nonce::random(&*self.entropy).to_string()),
            query: wanted.query,
            client_metadata: Some(client_metadata(key.as_ref())),
        };
        let issuers = if wanted.issuers.is_empty() {
            let issuer = self.credentials.issuer().now();
            vec![issuer.web().to_string(), issuer.webvh().to_string()]
        } else {
            wanted.issuers
        };
        let kept = Kept {
            client,
            request,
            key,
            issuers,
            return_to: wanted.redirect_uri.map(|uri| ReturnTo {
                uri,
                response_code: Nonce::random(&*self.entropy).to_string(),
            }),
            expires: now.plus(i64::from(wanted.valid_for)),
            state: State::Waiting,
            attempts: 0,
        };
        self.requests.keep(id, kept, now).map_err(|why| match why {
            NotKept::Full => Error::RetryAfter {
                code: ProblemCode::RateLimited,
                seconds: LONGEST_REQUEST,
            },
            NotKept::Taken => Error::Refused(ProblemCode::Conflict),
        })?;
        let made = self.requests.look(id, now, |kept| {
            let invocation = match &kept.request.client_id {
                Verifier::Did(_) => Invocation::Reference {
                    client_id: kept.request.client_id.clone(),
                    request_uri: format!("{}/openid4vp/requests/{id}", self.id()),
                    method: RequestUriMethod::Post,
                },
                Verifier::RedirectUri(_) => Invocation::Unsigned(Box::new(kept.request.clone())),
            };
            Ok(RequestMade {
                id,
                uri: invocation.to_uri().map_err(|error| {
                    Error::because(ProblemCode::MalformedRequest, error.description())
                })?,
                client_id: kept.request.client_id.to_string(),
                expires: kept.expires,
            })
        });
        made.unwrap_or_else(|| Err(Error::unavailable(1)))
    }

    /// The signed request object of a request that can still be answered.
    pub fn request_object(&self, id: Nonce, wallet_nonce: Option<&str>) -> Result<String, Denied> {
        let now = self.clock.now();
        let kept = self
            .requests
            .open(id, now, |kept| (kept.request.clone(), kept.expires));
        let Some((request, expires)) = kept else {
            return Err(Error::Refused(ProblemCode::NotFound).into());
        };
        if !matches!(request.client_id, Verifier::Did(_)) {
            return Err(Error::Refused(ProblemCode::NotFound).into());
        }
        let issuer = self.credentials.issuer().now();
        let key = issuer.authentication_key();
        let kid = issuer.jose_method(key);
        Ok(request.sign(key, &kid, wallet_nonce, now, expires.since(now))?)
    }

    /// Takes a wallet's answer. Cheap checks come first, and leave the request open; an answer of the right
    /// form is judged once, and that ends it.
    pub async fn answer_presentation(
        &self,
        id: Nonce,
        post: DirectPost,
    ) -> Result<DirectPostAnswer, Denied> {
        let now = self.clock.now();
        let over = || Error::Refused(ProblemCode::NotFound);
        let opened = self.requests.open(id, now, |kept| open_answer(kept, post));
        let response = match opened.ok_or_else(over)?? {
            Ok(response) => response,
            Err(code) => {
                if self.requests.begin(id, now) {
                    self.requests.end(id, Outcome::Refused(code), now);
                }
                return Ok(DirectPostAnswer::default());
            }
        };
        if !self.requests.begin(id, now) {
            return Err(over().into());
        }
        let asked = self.requests.look(id, now, |kept| {
            (
                kept.request.clone(),
                kept.issuers.clone(),
                kept.return_to.clone(),
            )
        });
        let (request, issuers, return_to) = asked.ok_or_else(over)?;
        let outcome = match self.judge(&request, &issuers, &response).await {
            Ok(shown) => shown,
            Err(Unjudged::Unavailable) => {
                if self.requests.retry(id) {
                    return Err(Error::unavailable(5).into());
                }
                Outcome::Failed(Failure {
                    query: None,
                    code: "unavailable",
                    detail: "a DID or status list could not be had in five attempts".to_owned(),
                })
            }
            Err(Unjudged::Failed(failure)) => Outcome::Failed(failure),
        };
        let failed = matches!(outcome, Outcome::Failed(_));
        self.requests.end(id, outcome, self.clock.now());
        if failed {
            // Why is for the verifier to know: it would tell a thief what to steal next.
            return Err(Refused::new(
                Code::InvalidRequest,
                "the presentation does not hold or does not answer the request",
            )
            .into());
        }
        Ok(DirectPostAnswer {
            redirect_uri: return_to
                .map(|to| format!("{}#response_code={}", to.uri, to.response_code)),
        })
    }

    /// Where a client's own request stands. If the person comes back to a page, the page's code has to be
    /// shown: it proves that who comes back is who answered.
    pub fn presentation_standing(
        &self,
        client: ClientId,
        id: Nonce,
        response_code: Option<&str>,
    ) -> Result<Standing> {
        let now = self.clock.now();
        let standing = self.requests.look(id, now, |kept| {
            if kept.client != client {
                return Err(Error::Refused(ProblemCode::NotFound));
            }
            let standing = kept.standing(now);
            let answered = matches!(standing, Standing::Done(Outcome::Answered(_)));
            match &kept.return_to {
                Some(to) if answered && response_code != Some(&*to.response_code) => {
                    Err(Error::because(
                        ProblemCode::Refused,
                        "response_code: not the one that the person came back with",
                    ))
                }
                _ => Ok(standing),
            }
        });
        standing.unwrap_or(Err(Error::Refused(ProblemCode::NotFound)))
    }

    /// Verifies every presentation and that together they are an answer.
    async fn judge(
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
            let one = accept(&answer, verified, issuers)?;
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
            .verifier()
            .presentation(presentation, checks)
            .await
            .map_err(refused)
    }
}

/// Why an answer was not accepted.
enum Unjudged {
    /// Something could not be had just now.
    Unavailable,
    /// It does not hold.
    Failed(Failure),
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
    presentation: VerifiedPresentation,
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

/// What a post says, once opened: an answer, or the code of a refusal. Nothing expensive is done here.
fn open_answer(
    kept: &Kept,
    post: DirectPost,
) -> Result<Result<AuthorizationResponse, String>, Refused> {
    let refused = |reason| Refused::new(Code::InvalidRequest, reason);
    let (answer, state) = match (post, &kept.key) {
        (DirectPost::Answer(response), None) => {
            let state = response.state.clone();
            (Ok(response), state)
        }
        (DirectPost::Encrypted(jwe), Some(key)) => {
            let jwe = SealedJwe::parse(&jwe, DirectPost::MAX_LEN)?;
            let response = DirectPost::open(&jwe, key)?;
            let state = response.state.clone();
            (Ok(response), state)
        }
        // Never encrypted, whatever the mode.
        (DirectPost::Refusal { error, state }, _) => (Err(known_code(&error.error)), state),
        (DirectPost::Answer(_), Some(_)) => {
            return Err(refused("the response has to be encrypted"));
        }
        (DirectPost::Encrypted(_), None) => {
            return Err(refused("the response was not to be encrypted"));
        }
    };
    if state == kept.request.state {
        Ok(answer)
    } else {
        Err(refused("the state is not that of the request"))
    }
}

/// A wallet's error code, if it is a known one: texts of strangers are not passed on.
fn known_code(text: &str) -> String {
    Code::from_text(text)
        .map_or("other", Code::as_str)
        .to_owned()
}

fn check(wanted: &WantedPresentation) -> Result<()> {
    let malformed = |detail: &str| Err(Error::because(ProblemCode::MalformedRequest, detail));
    if !(1..=LONGEST_REQUEST).contains(&wanted.valid_for) {
        return malformed("valid_for: 1 to 600 seconds");
    }
    let fits = |did: &String| did.starts_with("did:") && did.len() <= LONGEST_TEXT;
    if wanted.issuers.len() > LONGEST_ISSUERS || !wanted.issuers.iter().all(fits) {
        return malformed("trusted_issuers: at most 32 DIDs");
    }
    let queries = wanted.query.credentials();
    if queries
        .iter()
        .any(|query| !query.require_cryptographic_holder_binding)
    {
        return malformed("query: nothing is taken without holder binding");
    }
    if queries
        .iter()
        .any(|query| matches!(query.format, Format::Other(_)))
    {
        return malformed("query: a format that is not verified here");
    }
    let is_page = |uri: &String| {
        uri.len() <= LONGEST_TEXT
            && url::Url::parse(uri).is_ok_and(|url| {
                let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
                url.fragment().is_none()
                    && (url.scheme() == "https" || (url.scheme() == "http" && local))
            })
    };
    if !wanted.redirect_uri.as_ref().is_none_or(is_page) {
        return malformed("redirect_uri: an https URL without fragment");
    }
    Ok(())
}

/// What this verifier understands.
fn client_metadata(key: Option<&DecryptionKey>) -> ClientMetadata {
    let algorithms = ["EdDSA", "ES256"];
    let formats = json!({
        "ldp_vc": {
            "proof_type_values": ["DataIntegrityProof"],
            "cryptosuite_values": ["eddsa-jcs-2022", "eddsa-rdfc-2022"],
        },
        "jwt_vc_json": { "alg_values": algorithms },
        "dc+sd-jwt": { "sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms },
    });
    ClientMetadata {
        jwks: key.map(|key| Jwks::from(&key.public())),
        encrypted_response_enc_values_supported: key
            .map(|_| Encryption::NAMES.map(str::to_owned).to_vec())
            .unwrap_or_default(),
        vp_formats_supported: match formats {
            Value::Object(formats) => formats,
            _ => Map::new(),
        },
    }
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
