use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use crate::EgressError;

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) url: String,
    pub(crate) accept: Option<String>,
    pub(crate) body: Option<Body>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) content_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl Request {
    /// A GET. Redirects are followed.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            accept: None,
            body: None,
            headers: Vec::new(),
            limit: None,
        }
    }

    /// A POST of these bytes. Redirects are not followed.
    pub fn post(
        url: impl Into<String>,
        content_type: impl Into<String>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            body: Some(Body {
                content_type: content_type.into(),
                bytes: body.into(),
            }),
            ..Self::get(url)
        }
    }

    /// A POST of this JSON.
    pub fn post_json(url: impl Into<String>, body: &Value) -> Self {
        Self::post(url, "application/json", body.to_string())
    }

    /// The media types that are understood, as in `Accept`.
    #[must_use]
    pub fn accept(mut self, accept: impl Into<String>) -> Self {
        self.accept = Some(accept.into());
        self
    }

    /// One more header, such as `Authorization`. A redirect to another origin drops it.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Takes at most `bytes` of body, if that is less than the client's own limit.
    #[must_use]
    pub const fn limit(mut self, bytes: usize) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// The headers for the first origin, and for others.
    pub(crate) fn header_map(&self, same_origin: bool) -> Result<HeaderMap, EgressError> {
        let invalid = |_| EgressError::Refused("a header that HTTP cannot carry");
        let mut map = HeaderMap::new();
        if same_origin {
            for (name, value) in &self.headers {
                let name = name
                    .parse::<HeaderName>()
                    .map_err(|_| EgressError::Refused("a header that HTTP cannot carry"))?;
                map.append(name, HeaderValue::from_str(value).map_err(invalid)?);
            }
        }
        if let Some(accept) = &self.accept {
            let value = HeaderValue::from_str(accept).map_err(invalid)?;
            map.insert(reqwest::header::ACCEPT, value);
        }
        if let Some(body) = &self.body {
            let value = HeaderValue::from_str(&body.content_type).map_err(invalid)?;
            map.insert(reqwest::header::CONTENT_TYPE, value);
        }
        let identity = HeaderValue::from_static("identity");
        map.insert(reqwest::header::ACCEPT_ENCODING, identity);
        Ok(map)
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Response {
    /// Where it came from in the end.
    pub url: Url,
    /// The HTTP status; never a redirect that would have been followed.
    pub status: u16,
    /// The media type, in lower case and without parameters.
    pub content_type: Option<String>,
    /// The other headers.
    pub headers: HeaderMap,
    /// The body, within the limit.
    pub body: Vec<u8>,
}

impl Response {
    /// The response if its status is 2xx, otherwise [`EgressError::Status`].
    pub fn success(self) -> Result<Self, EgressError> {
        if (200..300).contains(&self.status) {
            Ok(self)
        } else {
            Err(EgressError::Status(self.status))
        }
    }

    /// A header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
