//! One HTTP call to the service: signed, bounded, repeated only where repeating is safe.

mod call;
mod endpoints;
mod log;
mod rights;
mod sign_in;

use std::{path::Path, sync::Arc, time::Duration};

use blindprint_core::{
    Clock, Digest, Entropy, Nonce, ServiceId, SubjectId, label,
    problem::{ProblemCode, ProblemDocument},
    statement::RequestProof,
    wire::PROOF_HEADER,
};
use blindprint_did::SigningKey;
use reqwest::{Response, StatusCode, Url};

use self::call::Call;
use crate::{Error, Result};

/// Tries in all, of a call that may be repeated.
const ATTEMPTS: u32 = 6;
/// Longest wait between two tries. A service that asks for more is reported as busy.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Largest error body read, in bytes.
const PROBLEM_LIMIT: usize = 16 * 1024;

/// How the service is reached.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Its origin: `https://host[:port]`, or `http://` on loopback.
    pub url: String,
    /// PEM certificates trusted instead of the system's, for a service with a CA of its own.
    pub ca: Option<String>,
}

impl Address {
    /// Takes an origin and, where needed, the file with the service's own CA certificate.
    pub fn new(url: &str, ca: Option<&Path>) -> Result<Self> {
        let origin = parse_origin(url)?;
        let ca = ca
            .map(|path| std::fs::read_to_string(path).map_err(|e| Error::file(path, e)))
            .transpose()?;
        Ok(Self {
            url: origin.as_str().trim_end_matches('/').to_owned(),
            ca,
        })
    }
}

/// Who signs a call. Every try is signed anew, because a proof is accepted once.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// On whose behalf.
    pub subject: &'a SubjectId,
    /// The name of the service that is called.
    pub service: &'a ServiceId,
    /// The subject's current key.
    pub key: &'a SigningKey,
}

/// A connection to one service.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: Url,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// A successful answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|_| {
            Error::ServiceFailed("its answer does not have the documented form".to_owned())
        })
    }
}

impl Client {
    /// Prepares a client; nothing is sent yet.
    pub fn new(
        address: &Address,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let origin = parse_origin(&address.url)?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("blindprint-wallet/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10));
        if is_loopback(&origin) {
            builder = builder.no_proxy();
        } else {
            builder = builder.https_only(true);
        }
        if let Some(pem) = &address.ca {
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|_| Error::Invalid("the CA file holds no PEM certificate".to_owned()))?;
            if certificates.is_empty() {
                return Err(Error::Invalid(
                    "the CA file holds no PEM certificate".to_owned(),
                ));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let http = builder
            .build()
            .map_err(|e| Error::Invalid(format!("no TLS client: {e}")))?;
        Ok(Self {
            http,
            origin,
            clock,
            entropy,
        })
    }

    /// Sends `call`; repeats it after lost connections and 503 answers where that is safe.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer> {
        self.send_watched(call, &|_, _| ()).await
    }

    /// As [`Self::send`]; tells `progress` how many bytes have come, and of how many if known.
    pub(crate) async fn send_watched(
        &self,
        call: &Call<'_>,
        progress: &(dyn Fn(u64, Option<u64>) + Sync),
    ) -> Result<Answer> {
        let mut attempt = 1;
        loop {
            let failure = match self.try_once(call, progress).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let wait = match &failure {
                Error::Unreachable(_) if call.repeatable() => backoff(attempt, &*self.entropy),
                // Nothing was done, so even what is not idempotent may be sent again.
                Error::Busy { retry_after } => Duration::from_secs((*retry_after).max(1)),
                _ => return Err(failure),
            };
            if attempt == ATTEMPTS || wait > LONGEST_WAIT {
                return Err(failure);
            }
            attempt += 1;
            tokio::time::sleep(wait).await;
        }
    }

    async fn try_once(
        &self,
        call: &Call<'_>,
        progress: &(dyn Fn(u64, Option<u64>) + Sync),
    ) -> Result<Answer> {
        let url = self
            .origin
            .join(&call.path)
            .map_err(|_| Error::Invalid(format!("{} is not a path", call.path)))?;
        let mut request = self
            .http
            .request(call.method.clone(), url.clone())
            .timeout(call.timeout);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(signer) = &call.signer {
            request = request.header(PROOF_HEADER, self.prove(*signer, call, &url)?.as_str());
        }
        if !call.body.is_empty() {
            request = request.body(call.body.clone());
        }
        let response = request.send().await.map_err(|e| unreachable(&e))?;
        if response.status().is_success() {
            let body = read_bounded(response, call.limit, progress).await?;
            return Ok(Answer { body });
        }
        Err(refusal(response).await)
    }

    fn prove(
        &self,
        signer: Signer<'_>,
        call: &Call<'_>,
        url: &Url,
    ) -> Result<blindprint_core::Jws> {
        let htu = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let proof = RequestProof {
            sub: signer.subject.clone(),
            aud: signer.service.clone(),
            htm: call.method.as_str().to_owned(),
            htu,
            body: Digest::of(label::BODY, &call.body),
            jti: Nonce::random(&*self.entropy),
            iat: self.clock.now(),
        };
        crate::sign(signer.key, &proof)
    }
}

/// Plain HTTP would let anybody on the way read who uses the service, so it stays on this machine.
fn parse_origin(text: &str) -> Result<Url> {
    let url = Url::parse(text)
        .map_err(|_| Error::Invalid(format!("{text} is not a URL like https://id.example.org")))?;
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
    {
        return Err(Error::Invalid(format!(
            "{text} must be an origin like https://id.example.org"
        )));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(Error::Invalid(
            "plain http is for this machine only: use https".to_owned(),
        )),
        other => Err(Error::Invalid(format!("{other} is not https"))),
    }
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}

async fn read_bounded(
    mut response: Response,
    limit: usize,
    progress: &(dyn Fn(u64, Option<u64>) + Sync),
) -> Result<Vec<u8>> {
    let too_long = || Error::ServiceFailed(format!("its answer is longer than {limit} bytes"));
    let announced = response.content_length();
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unreachable(&e))? {
        if body.len() + chunk.len() > limit {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
        progress(body.len() as u64, announced);
    }
    Ok(body)
}

/// What an error answer means for the caller.
async fn refusal(response: Response) -> Error {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(reqwest::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let body = match read_bounded(response, PROBLEM_LIMIT, &|_, _| ()).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    let problem = serde_json::from_slice::<ProblemDocument>(&body).ok();
    let code = problem
        .as_ref()
        .and_then(|problem| ProblemCode::from_type_uri(&problem.kind));
    let (Some(problem), Some(code)) = (problem, code) else {
        return match status {
            StatusCode::SERVICE_UNAVAILABLE => Error::Busy {
                retry_after: retry_after.unwrap_or(1),
            },
            _ => Error::ServiceFailed(format!("it answered {status} without saying why")),
        };
    };
    let detail = || match &problem.detail {
        Some(detail) => format!("{}: {}", code.title(), printable(detail)),
        None => code.title().to_owned(),
    };
    match code {
        ProblemCode::ConsentRequired => Error::NoConsent,
        ProblemCode::InvitationRequired => Error::InvitationNeeded,
        ProblemCode::Throttled => Error::Throttled {
            retry_after: retry_after.unwrap_or(30),
        },
        ProblemCode::RateLimited | ProblemCode::Unavailable => Error::Busy {
            retry_after: retry_after.unwrap_or(1),
        },
        // With a time to wait, another request is still doing the same.
        ProblemCode::Conflict if let Some(retry_after) = retry_after => Error::Busy { retry_after },
        ProblemCode::Locked => Error::Locked,
        ProblemCode::Internal | ProblemCode::InsufficientStorage => {
            let id = problem.instance.as_deref().map(printable);
            Error::ServiceFailed(match id {
                Some(id) => format!("{} (request {id})", code.title()),
                None => code.title().to_owned(),
            })
        }
        _ => Error::Refused {
            code,
            detail: detail(),
        },
    }
}

/// The service must not be able to drive the terminal that its words end up on.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// The innermost cause says it all; what lies around it is the library's.
fn unreachable(error: &reqwest::Error) -> Error {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |cause| cause.source());
    let cause = causes.last().unwrap_or(first).to_string();
    Error::Unreachable(if cause.ends_with("UnknownIssuer") {
        "its certificate is from an authority that is not known here: name its file with --ca"
            .to_owned()
    } else {
        cause
    })
}

/// 0.25 s, 0.5 s, 1 s, … each with up to as much again, so that many wallets do not return at once.
fn backoff(attempt: u32, entropy: &dyn Entropy) -> Duration {
    let base = 250_u64 << (attempt - 1).min(5);
    let [random] = entropy.bytes::<1>();
    Duration::from_millis(base + base * u64::from(random) / 256)
}

#[cfg(test)]
mod tests;
