//! Calls to issuers and verifiers, who may be anybody.

use std::sync::Arc;

use blindprint_core::{Clock, Entropy};
use blindprint_did::SigningKey;
use blindprint_egress::{Egress, EgressError, Request, Response};
use blindprint_openid4vc::{Code, ErrorBody, dpop};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, Result, client::printable};

/// A client of one issuer. Its token, if the issuer does DPoP, is of use to this wallet only.
pub(super) struct Session {
    egress: Egress,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    dpop: Option<SigningKey>,
    /// The last that the issuer sent.
    dpop_nonce: Option<String>,
    token: Option<SecretString>,
}

/// One POST.
pub(super) struct Post<'a> {
    pub(super) url: &'a str,
    pub(super) content_type: &'a str,
    pub(super) accept: &'a str,
    pub(super) body: Vec<u8>,
}

impl Session {
    pub(super) const fn new(
        egress: Egress,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            egress,
            clock,
            entropy,
            dpop: None,
            dpop_nonce: None,
            token: None,
        }
    }

    /// Binds tokens to `key` from now on.
    pub(super) fn bind(&mut self, key: SigningKey) {
        self.dpop = Some(key);
    }

    /// Shows `token` from now on, with a DPoP proof or as a bearer.
    pub(super) fn authorize(&mut self, token: SecretString, is_dpop: bool) {
        self.token = Some(token);
        if !is_dpop {
            self.dpop = None;
        }
    }

    pub(super) async fn get(&self, url: &str, accept: &str) -> Result<Vec<u8>> {
        let request = Request::get(url).accept(accept);
        let response = self
            .egress
            .fetch(&request)
            .await
            .map_err(|e| unfetched(url, &e))?;
        Ok(accepted(url, response)?.body)
    }

    /// Sends a POST with token and proof, once more if the issuer wants its own nonce in the proof.
    pub(super) async fn post(&mut self, post: &Post<'_>) -> Result<Response> {
        let response = self.post_once(post).await?;
        let response = if wants_nonce(&response) && self.dpop_nonce.is_some() {
            self.post_once(post).await?
        } else {
            response
        };
        accepted(post.url, response)
    }

    /// Sends a POST that needs no token.
    pub(super) async fn post_openly(&mut self, post: &Post<'_>) -> Result<Response> {
        let response = self.send(post.url, &post.request()).await?;
        accepted(post.url, response)
    }

    async fn post_once(&mut self, post: &Post<'_>) -> Result<Response> {
        let mut request = post.request();
        let token = self.token.as_ref().map(SecretString::expose_secret);
        if let Some(key) = &self.dpop {
            let target = dpop::Request {
                method: "POST",
                url: post.url,
                access_token: token,
            };
            let nonce = self.dpop_nonce.as_deref();
            let proof = dpop::prove(key, &target, nonce, self.clock.now(), &*self.entropy)
                .map_err(unusable)?;
            request = request.header("DPoP", proof);
        }
        if let Some(token) = token {
            let scheme = if self.dpop.is_some() {
                "DPoP"
            } else {
                "Bearer"
            };
            request = request.header("Authorization", format!("{scheme} {token}"));
        }
        self.send(post.url, &request).await
    }

    async fn send(&mut self, url: &str, request: &Request) -> Result<Response> {
        let response = self
            .egress
            .fetch(request)
            .await
            .map_err(|e| unfetched(url, &e))?;
        if let Some(nonce) = response.header("dpop-nonce") {
            self.dpop_nonce = Some(nonce.to_owned());
        }
        Ok(response)
    }
}

impl Post<'_> {
    fn request(&self) -> Request {
        Request::post(self.url, self.content_type, self.body.clone()).accept(self.accept)
    }
}

/// RFC 9449 sections 8 and 9: said in the body, or in the challenge.
fn wants_nonce(response: &Response) -> bool {
    let code = Code::UseDpopNonce;
    let in_body = || ErrorBody::parse(&response.body).and_then(|body| body.code()) == Some(code);
    let in_header = || {
        response
            .header("www-authenticate")
            .is_some_and(|challenge| challenge.contains(code.as_str()))
    };
    matches!(response.status, 400 | 401) && (in_body() || in_header())
}

/// The response, if it is no refusal.
pub(super) fn accepted(url: &str, response: Response) -> Result<Response> {
    if (200..300).contains(&response.status) {
        return Ok(response);
    }
    let said = ErrorBody::parse(&response.body);
    let detail = said
        .as_ref()
        .and_then(|said| said.error_description.as_deref());
    Err(Error::Declined {
        who: host_of(url),
        code: said.as_ref().map_or_else(
            || format!("HTTP status {}", response.status),
            |said| printable(&said.error),
        ),
        detail: detail.map_or_else(|| "it does not say why".to_owned(), printable),
    })
}

pub(super) fn unfetched(url: &str, error: &EgressError) -> Error {
    let said = format!("{}: {error}", host_of(url));
    match error {
        EgressError::Unreachable | EgressError::Timeout => Error::Unreachable(said),
        _ => Error::Unusable(said),
    }
}

/// A message that does not keep to its protocol.
pub(super) fn unusable(error: blindprint_openid4vc::Error) -> Error {
    Error::Unusable(error.description().to_owned())
}

/// A credential that does not verify. What is quoted is a stranger's.
pub(super) fn unverified(error: &blindprint_credentials::VerifyError) -> Error {
    Error::Unusable(format!(
        "the credential is not believed: {}",
        printable(&error.to_string())
    ))
}

/// For people: whom one talks to.
pub(super) fn host_of(url: &str) -> String {
    let parsed = url::Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    });
    host.unwrap_or_else(|| printable(url))
}
