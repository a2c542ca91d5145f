use std::collections::BTreeMap;

use blindprint_core::Entropy;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::{AuthorizationRequest, ResponseMode};
use crate::{
    Code, Error, ErrorBody, Result, form, json,
    jwe::{self, DecryptionKey, Parties, SealedJwe},
};

/// A presentation as it travels: a JWT or SD-JWT, or a VCDM presentation with its proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Presentation {
    /// `jwt_vc_json`, `dc+sd-jwt`.
    Text(String),
    /// `ldp_vc`.
    Object(serde_json::Map<String, Value>),
}

/// Presentations by the id of the credential query they answer: OID4VP section 8.1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VpToken(BTreeMap<String, Vec<Presentation>>);

impl VpToken {
    /// By id of the credential query.
    pub const fn entries(&self) -> &BTreeMap<String, Vec<Presentation>> {
        &self.0
    }
}

impl FromIterator<(String, Vec<Presentation>)> for VpToken {
    fn from_iter<I: IntoIterator<Item = (String, Vec<Presentation>)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// A wallet's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationResponse {
    /// The presentations.
    pub vp_token: VpToken,
    /// That of the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<String>,
}

/// What a wallet posts to a `response_uri`: OID4VP sections 8.2 to 8.5.
#[derive(Debug, Clone, PartialEq)]
pub enum DirectPost {
    /// The answer.
    Answer(AuthorizationResponse),
    /// The answer, encrypted: [`DirectPost::open`].
    Encrypted(String),
    /// The wallet or the person refuses.
    Refusal {
        /// Why.
        error: ErrorBody,
        /// That of the request.
        state: Option<String>,
    },
}

impl DirectPost {
    /// Longest body that is read, in bytes.
    pub const MAX_LEN: usize = 2 << 20;

    /// What answers `request` with `vp_token`: encrypted if it asks for that.
    pub fn answer(
        request: &AuthorizationRequest,
        vp_token: VpToken,
        entropy: &dyn Entropy,
    ) -> Result<Self> {
        let response = AuthorizationResponse {
            vp_token,
            state: request.state.clone(),
        };
        match request.response_mode {
            ResponseMode::DirectPost => Ok(Self::Answer(response)),
            ResponseMode::DirectPostJwt => {
                let (key, enc) = request.response_encryption()?;
                let json = serde_json::to_vec(&response)
                    .map_err(|_| invalid("the response cannot be written"))?;
                let jwe = jwe::encrypt(&json, &key, enc, Parties::default(), entropy);
                Ok(Self::Encrypted(jwe))
            }
        }
    }

    /// What tells the verifier that there is no answer. It is never encrypted.
    pub fn refusal(error: Error, state: Option<String>) -> Self {
        Self::Refusal {
            error: error.into(),
            state,
        }
    }

    /// Reads the body of a post. Parameters of no meaning here are ignored.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut parameters =
            form::parse(body, Self::MAX_LEN).map_err(|_| invalid("the response cannot be read"))?;
        let mut take = |name: &str| parameters.remove(name);
        match (take("response"), take("vp_token"), take("error")) {
            (Some(jwe), None, None) => Ok(Self::Encrypted(jwe)),
            (None, Some(vp_token), None) => Ok(Self::Answer(AuthorizationResponse {
                vp_token: json::object(vp_token.as_bytes(), Self::MAX_LEN)
                    .map_err(|_| invalid("vp_token is not an object of lists of presentations"))?,
                state: take("state"),
            })),
            (None, None, Some(error)) => Ok(Self::Refusal {
                error: ErrorBody {
                    error,
                    error_description: take("error_description"),
                },
                state: take("state"),
            }),
            _ => Err(invalid(
                "exactly one of vp_token, response and error is needed",
            )),
        }
    }

    /// Decrypts [`Self::Encrypted`].
    pub fn open(jwe: &SealedJwe, key: &DecryptionKey) -> Result<AuthorizationResponse> {
        let opened = jwe.open(key)?;
        json::object(&opened, Self::MAX_LEN)
            .map_err(|_| invalid("the encrypted response does not hold a vp_token"))
    }

    /// The body of the post.
    pub fn to_form(&self) -> Result<String> {
        Ok(match self {
            Self::Answer(response) => {
                let vp_token = serde_json::to_string(&response.vp_token)
                    .map_err(|_| invalid("the response cannot be written"))?;
                form::encode([
                    ("vp_token", Some(vp_token.as_str())),
                    ("state", response.state.as_deref()),
                ])
            }
            Self::Encrypted(jwe) => form::encode([("response", Some(jwe.as_str()))]),
            Self::Refusal { error, state } => form::encode([
                ("error", Some(error.error.as_str())),
                ("error_description", error.error_description.as_deref()),
                ("state", state.as_deref()),
            ]),
        })
    }
}

/// What the verifier answers the post with: OID4VP section 8.2.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DirectPostAnswer {
    /// Where the person's browser goes next.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub redirect_uri: Option<String>,
}

impl DirectPostAnswer {
    /// Reads the answer; an empty body says nothing.
    pub fn parse(json: &[u8]) -> Result<Self> {
        if json.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        json::object(json, 16 << 10)
            .map_err(|_| Error::new(Code::ServerError, "the verifier's answer cannot be read"))
    }
}

const fn invalid(reason: &'static str) -> Error {
    Error::new(Code::InvalidRequest, reason)
}

#[cfg(test)]
mod tests;
