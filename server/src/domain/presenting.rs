//! Asking wallets for presentations, and taking their answers (OID4VP).

use blindprint_core::{Nonce, UnixTime, problem::ProblemCode};
use blindprint_openid4vc::{
    Code, Error as Refused, Format,
    jwe::{DecryptionKey, Encryption, Jwks, SealedJwe},
    vp::{
        AuthorizationRequest, AuthorizationResponse, ClientId as Verifier, ClientMetadata,
        DirectPost, DirectPostAnswer, Invocation, RequestUriMethod, ResponseMode, dcql::Query,
    },
};
use serde_json::{Map, Value, json};

use super::{
    ClientId, Denied, OpenId,
    judging::Unjudged,
    presentation_requests::{Failure, Kept, NotKept, Outcome, ReturnTo, Standing, State},
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
    pub fn request_presentation(
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
        let made = self.requests.look(id, now, |kept| self.made(id, kept));
        made.unwrap_or_else(|| Err(Error::unavailable(1)))
    }

    /// A client's own request again, while it can be answered.
    pub fn presentation_request(&self, client: ClientId, id: Nonce) -> Result<RequestMade> {
        let made = self.requests.open(id, self.clock.now(), |kept| {
            (kept.client == client).then(|| self.made(id, kept))
        });
        made.flatten()
            .unwrap_or(Err(Error::Refused(ProblemCode::NotFound)))
    }

    fn made(&self, id: Nonce, kept: &Kept) -> Result<RequestMade> {
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
                    metrics::counter!("blindprint_presentations_total", "outcome" => "refused")
                        .increment(1);
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
        let told = if failed { "failed" } else { "answered" };
        metrics::counter!("blindprint_presentations_total", "outcome" => told).increment(1);
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

    /// Forgets requests that are over, and what was shown for them.
    pub fn forget_presentations(&self) {
        self.requests.forget(self.clock.now());
    }

    /// What came of a request, whoever made it, if it is over.
    pub(super) fn outcome(&self, id: Nonce) -> Option<Outcome> {
        let now = self.clock.now();
        let standing = self.requests.look(id, now, |kept| kept.standing(now));
        match standing {
            Some(Standing::Done(outcome)) => Some(outcome),
            _ => None,
        }
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
