use serde_json::{Map, Value};
use url::Url;

use super::request::{AuthorizationRequest, ClientId, is_url_safe};
use crate::{Code, Error, Result, form, http_url};

/// What a link or QR code holds that begins a presentation: OID4VP section 5.7.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// The request itself, unsigned.
    Unsigned(Box<AuthorizationRequest>),
    /// A signed request object.
    Signed {
        /// Who says to ask.
        client_id: ClientId,
        /// The JWT, for [`UnverifiedRequest::parse`](super::UnverifiedRequest::parse).
        request: String,
    },
    /// Where the signed request object is.
    Reference {
        /// Who says to ask.
        client_id: ClientId,
        /// Address of the request object.
        request_uri: String,
        /// How it is fetched.
        method: RequestUriMethod,
    },
}

/// How a request object is fetched: `request_uri_method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestUriMethod {
    /// `get`.
    Get,
    /// `post`, with a [`RequestUriPost`].
    Post,
}

/// Parameters whose values are JSON.
const OBJECTS: [&str; 2] = ["dcql_query", "client_metadata"];

impl Invocation {
    /// What a wallet's system opens, where it does not know the wallet better.
    pub const SCHEME: &'static str = "openid4vp";
    /// Longest link that is read, in bytes.
    pub const MAX_LEN: usize = AuthorizationRequest::MAX_LEN;

    /// Reads a link of any scheme: a wallet may have its own.
    pub fn parse(link: &str) -> Result<Self> {
        let link = link.trim();
        if link.len() > Self::MAX_LEN {
            return Err(invalid("the request is too long"));
        }
        let url = Url::parse(link).map_err(|_| invalid("the request is no link"))?;
        let query = url.query().unwrap_or_default();
        let mut parameters = form::parse(query.as_bytes(), Self::MAX_LEN)
            .map_err(|_| invalid("the link names a parameter twice or too many"))?;
        let by_value = parameters.remove("request");
        let by_reference = parameters.remove("request_uri");
        let method = parameters.remove("request_uri_method");
        if method.is_some() && by_reference.is_none() {
            return Err(invalid("request_uri_method goes with a request_uri only"));
        }
        if by_value.is_none() && by_reference.is_none() {
            let mut values = Map::new();
            for (name, text) in parameters {
                let value = if OBJECTS.contains(&name.as_str()) {
                    serde_json::from_str(&text)
                        .map_err(|_| invalid("a parameter that is an object is not JSON"))?
                } else {
                    Value::String(text)
                };
                values.insert(name, value);
            }
            let request = AuthorizationRequest::from_parameters(&values)?;
            if !matches!(request.client_id, ClientId::RedirectUri(_)) {
                return Err(invalid("requests of this client have to be signed"));
            }
            return Ok(Self::Unsigned(Box::new(request)));
        }
        let client_id = parameters.remove("client_id");
        let client_id = ClientId::parse(&client_id.ok_or(invalid("there is no client_id"))?)?;
        match (by_value, by_reference) {
            (Some(request), None) => Ok(Self::Signed { client_id, request }),
            (None, Some(request_uri)) => Ok(Self::Reference {
                client_id,
                method: match method.as_deref() {
                    None | Some("get") => RequestUriMethod::Get,
                    Some("post") => RequestUriMethod::Post,
                    Some(_) => {
                        return Err(Error::new(
                            Code::InvalidRequestUriMethod,
                            "request_uri_method is neither get nor post",
                        ));
                    }
                },
                request_uri: match http_url(&request_uri) {
                    Some(_) => request_uri,
                    None => return Err(invalid("the request_uri is no URL")),
                },
            }),
            _ => Err(invalid("both request and request_uri are there")),
        }
    }

    /// The link, for a page or a QR code.
    pub fn to_uri(&self) -> Result<String> {
        let query = match self {
            Self::Unsigned(request) => {
                let parameters = request.to_parameters()?;
                let texts: Vec<(&str, String)> = parameters
                    .iter()
                    .map(|(name, value)| {
                        let text = value
                            .as_str()
                            .map_or_else(|| value.to_string(), str::to_owned);
                        (name.as_str(), text)
                    })
                    .collect();
                form::encode(
                    texts
                        .iter()
                        .map(|(name, text)| (*name, Some(text.as_str()))),
                )
            }
            Self::Signed { client_id, request } => form::encode([
                ("client_id", Some(client_id.to_string().as_str())),
                ("request", Some(request)),
            ]),
            Self::Reference {
                client_id,
                request_uri,
                method,
            } => form::encode([
                ("client_id", Some(client_id.to_string().as_str())),
                ("request_uri", Some(request_uri)),
                (
                    "request_uri_method",
                    (*method == RequestUriMethod::Post).then_some("post"),
                ),
            ]),
        };
        Ok(format!("{}://?{query}", Self::SCHEME))
    }
}

/// What a wallet posts to a `request_uri`: OID4VP section 5.10.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestUriPost {
    /// To be repeated in the request object.
    pub wallet_nonce: Option<String>,
    /// What the wallet can do, as JSON text.
    pub wallet_metadata: Option<String>,
}

impl RequestUriPost {
    /// Longest body that is read, in bytes.
    pub const MAX_LEN: usize = 32 << 10;

    /// Reads the body. Parameters of no meaning here are ignored.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut parameters =
            form::parse(body, Self::MAX_LEN).map_err(|_| invalid("the body cannot be read"))?;
        let wallet_nonce = parameters.remove("wallet_nonce");
        if !wallet_nonce.as_deref().is_none_or(is_url_safe) {
            return Err(invalid(
                "wallet_nonce is made of URL-safe ASCII, at most 512 bytes",
            ));
        }
        Ok(Self {
            wallet_nonce,
            wallet_metadata: parameters.remove("wallet_metadata"),
        })
    }

    /// The body.
    pub fn to_form(&self) -> String {
        form::encode([
            ("wallet_nonce", self.wallet_nonce.as_deref()),
            ("wallet_metadata", self.wallet_metadata.as_deref()),
        ])
    }
}

const fn invalid(reason: &'static str) -> Error {
    Error::new(Code::InvalidRequest, reason)
}
