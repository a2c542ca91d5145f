use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use reqwest::{
    Client, Method,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION},
    redirect,
};
use url::Url;

use crate::{
    Config, EgressError, Request, Response,
    address::{Policy, Route},
};

const USER_AGENT: &str = concat!("blindprint/", env!("CARGO_PKG_VERSION"));

/// The client. Cloning it shares its connections.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    /// Connects to checked addresses, or to the proxy.
    checked: Client,
    /// Connects to hosts that the operator named, at any address. Never shares a connection with
    /// `checked`.
    named: Client,
    policy: Arc<Policy>,
    proxied: bool,
    total_timeout: Duration,
    max_body: usize,
    max_redirects: usize,
}

impl Egress {
    /// A client. Fails if the proxy or the CA bundle cannot be used, or if the system has no CA
    /// certificates and no bundle is given.
    pub fn new(config: &Config) -> Result<Self, EgressError> {
        let policy = Arc::new(Policy::new(&config.allow));
        let builder = || -> Result<_, EgressError> {
            let mut builder = Client::builder()
                .tls_backend_rustls()
                .user_agent(USER_AGENT)
                .redirect(redirect::Policy::none())
                .referer(false)
                .no_gzip()
                .no_brotli()
                .no_zstd()
                .no_deflate()
                .no_proxy()
                .connect_timeout(config.connect_timeout)
                .pool_idle_timeout(Duration::from_secs(30));
            if let Some(pem) = &config.ca_bundle {
                let roots = reqwest::Certificate::from_pem_bundle(pem)
                    .map_err(|_| EgressError::Config("the CA bundle is not PEM"))?;
                if roots.is_empty() {
                    return Err(EgressError::Config("the CA bundle holds no certificate"));
                }
                builder = builder.tls_certs_merge(roots);
            }
            Ok(builder)
        };
        let checked = match &config.proxy {
            Some(proxy) => {
                let proxy = reqwest::Proxy::all(proxy.as_str())
                    .map_err(|_| EgressError::Config("not the URL of a proxy"))?;
                builder()?.proxy(proxy)
            }
            None => builder()?.dns_resolver(Arc::new(Checked(Arc::clone(&policy)))),
        };
        let no_roots = |_| EgressError::Config("no CA certificates, or no TLS");
        Ok(Self(Arc::new(Inner {
            checked: checked.build().map_err(no_roots)?,
            named: builder()?.build().map_err(no_roots)?,
            policy,
            proxied: config.proxy.is_some(),
            total_timeout: config.total_timeout,
            max_body: config.max_body,
            max_redirects: config.max_redirects,
        })))
    }

    /// Fetches. Any status but a redirect is an answer: see [`Response::success`].
    pub async fn fetch(&self, request: &Request) -> Result<Response, EgressError> {
        // On the heap: the HTTP client's state would make every caller's future large.
        let answer = Box::pin(self.0.follow(request));
        tokio::time::timeout(self.0.total_timeout, answer)
            .await
            .map_err(|_| EgressError::Timeout)?
    }

    /// A GET that must succeed.
    pub async fn get(&self, url: &str, accept: &str) -> Result<Response, EgressError> {
        self.fetch(&Request::get(url).accept(accept))
            .await?
            .success()
    }
}

impl Inner {
    async fn follow(&self, request: &Request) -> Result<Response, EgressError> {
        let mut url =
            Url::parse(&request.url).map_err(|_| EgressError::Refused("not an absolute URL"))?;
        let origin = url.origin();
        for _ in 0..=self.max_redirects {
            let response = self.send(request, &url, url.origin() == origin).await?;
            let status = response.status().as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                return self.read(request, url, response).await;
            }
            if request.body.is_some() {
                return Err(EgressError::Redirects);
            }
            url = response
                .headers()
                .get(LOCATION)
                .and_then(|location| url.join(location.to_str().ok()?).ok())
                .ok_or(EgressError::Unreadable)?;
        }
        Err(EgressError::Redirects)
    }

    async fn send(
        &self,
        request: &Request,
        url: &Url,
        same_origin: bool,
    ) -> Result<reqwest::Response, EgressError> {
        let client = match self.policy.check(url, self.proxied)? {
            Route::Checked => &self.checked,
            Route::Named => &self.named,
        };
        let builder = match &request.body {
            None => client.request(Method::GET, url.clone()),
            Some(body) => client
                .request(Method::POST, url.clone())
                .body(body.bytes.clone()),
        };
        builder
            .headers(request.header_map(same_origin)?)
            .send()
            .await
            .map_err(|error| classify(&error))
    }

    async fn read(
        &self,
        request: &Request,
        url: Url,
        mut response: reqwest::Response,
    ) -> Result<Response, EgressError> {
        let limit = self.max_body.min(request.limit.unwrap_or(usize::MAX));
        let too_large = EgressError::TooLarge { limit };
        if response
            .content_length()
            .is_some_and(|length| length > limit as u64)
        {
            return Err(too_large);
        }
        if let Some(encoding) = response.headers().get(CONTENT_ENCODING)
            && encoding != "identity"
        {
            return Err(EgressError::Unreadable);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            if chunk.len() > limit - body.len() {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        let content_type = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map(|value| value.trim().to_ascii_lowercase());
        Ok(Response {
            url,
            status: response.status().as_u16(),
            content_type,
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }
}

fn classify(error: &reqwest::Error) -> EgressError {
    let mut source = Some(error as &dyn Error);
    while let Some(cause) = source {
        if cause.is::<NoAddress>() {
            return EgressError::Refused("the name has only private, local or reserved addresses");
        }
        source = cause.source();
    }
    if error.is_timeout() {
        EgressError::Timeout
    } else if error.is_connect() {
        EgressError::Unreachable
    } else {
        EgressError::Unreadable
    }
}

/// Resolves names to those of their addresses that the policy permits. The connection is made to
/// exactly these.
struct Checked(Arc<Policy>);

#[derive(Debug, thiserror::Error)]
#[error("no address that may be connected to")]
struct NoAddress;

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            // The port is set by the connector; 0 stands for "of the URL".
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted: Vec<SocketAddr> =
                found.filter(|found| policy.permits(found.ip())).collect();
            if permitted.is_empty() {
                return Err(NoAddress.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
