use std::fmt;

use blindprint_core::UnixTime;
use blindprint_did::{PublicKey, SigningKey, jwt};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::dcql::Query;
use crate::{
    Code, Error, Result, SKEW, http_url, is_plain,
    jwe::{Encryption, Jwks, RecipientKey},
};

/// Type of a request object, and `application/` before it its media type.
const TYP: &str = "oauth-authz-req+jwt";
/// `aud` of a request for any wallet: OID4VP section 5.8.
pub const SELF_ISSUED: &str = "https://self-issued.me/v2";
/// Longest nonce, `wallet_nonce` and state, in bytes.
const MAX_NONCE: usize = 512;
/// Longest address, in bytes.
const MAX_URL: usize = 2048;

/// Who asks: OID4VP section 5.9.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientId {
    /// `redirect_uri:`: known by the address alone that the answer goes to. Its requests are unsigned.
    RedirectUri(String),
    /// `decentralized_identifier:`: a DID, whose key signs the request.
    Did(String),
}

impl ClientId {
    /// Reads a client id with its prefix. A prefix of another kind is refused.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_URL {
            return Err(invalid("the client_id is too long"));
        }
        match text.split_once(':') {
            Some(("redirect_uri", uri)) if is_response_uri(uri) => {
                Ok(Self::RedirectUri(uri.to_owned()))
            }
            Some(("decentralized_identifier", did)) if did.starts_with("did:") && is_plain(did) => {
                Ok(Self::Did(did.to_owned()))
            }
            _ => Err(invalid(
                "the prefix of the client_id is not supported, or what it names is no such thing",
            )),
        }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RedirectUri(uri) => write!(f, "redirect_uri:{uri}"),
            Self::Did(did) => write!(f, "decentralized_identifier:{did}"),
        }
    }
}

/// How the answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseMode {
    /// In the clear (inside TLS).
    #[serde(rename = "direct_post")]
    DirectPost,
    /// Encrypted to a key of the request.
    #[serde(rename = "direct_post.jwt")]
    DirectPostJwt,
}

/// What the verifier says of itself: OID4VP section 5.1. Other members are ignored.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// Keys that the answer can be encrypted to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub jwks: Option<Jwks>,
    /// `A128GCM` if empty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub encrypted_response_enc_values_supported: Vec<String>,
    /// Algorithms, by format.
    pub vp_formats_supported: Map<String, Value>,
}

/// A verifier's question, and where the answer goes.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorizationRequest {
    /// Who asks; presentations are made for this audience, prefix included.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub response_uri: String,
    /// How.
    pub response_mode: ResponseMode,
    /// Challenge of the presentations.
    pub nonce: String,
    /// To be repeated in the answer.
    pub state: Option<String>,
    /// The question.
    pub query: Query,
    /// What the verifier says of itself.
    pub client_metadata: Option<ClientMetadata>,
}

impl AuthorizationRequest {
    /// Longest request that is read, in bytes.
    pub const MAX_LEN: usize = 256 << 10;

    /// Reads parameters, those with objects as JSON: claims of a request object, or what a URL's query was
    /// unpacked to.
    pub(super) fn from_parameters(parameters: &Map<String, Value>) -> Result<Self> {
        let text = |name: &str| match parameters.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(invalid("a parameter that is a text has another form")),
        };
        if parameters.contains_key("transaction_data") {
            return Err(Error::new(
                Code::InvalidTransactionData,
                "transaction_data is not supported",
            ));
        }
        if text("response_type")? != Some("vp_token") {
            return Err(Error::new(
                Code::UnsupportedResponseType,
                "the only response_type here is vp_token",
            ));
        }
        if parameters.contains_key("scope") {
            return Err(Error::new(
                Code::InvalidScope,
                "no scope stands for a query here: send dcql_query",
            ));
        }
        let client_id =
            ClientId::parse(text("client_id")?.ok_or(invalid("there is no client_id"))?)?;
        let response_mode = match text("response_mode")? {
            Some("direct_post") => ResponseMode::DirectPost,
            Some("direct_post.jwt") => ResponseMode::DirectPostJwt,
            _ => {
                return Err(invalid(
                    "the response_mode is neither direct_post nor direct_post.jwt",
                ));
            }
        };
        if parameters.contains_key("redirect_uri") {
            return Err(invalid("redirect_uri does not go with direct_post"));
        }
        let response_uri = match (&client_id, text("response_uri")?) {
            (ClientId::RedirectUri(uri), None) => uri.clone(),
            (ClientId::RedirectUri(uri), Some(response_uri)) if uri != response_uri => {
                return Err(invalid("response_uri is not that of the client_id"));
            }
            (_, Some(response_uri)) if is_response_uri(response_uri) => response_uri.to_owned(),
            _ => return Err(invalid("there is no response_uri that is a URL")),
        };
        let query = parameters
            .get("dcql_query")
            .ok_or(invalid("there is no dcql_query"))?;
        let client_metadata = parameters
            .get("client_metadata")
            .map(ClientMetadata::deserialize)
            .transpose()
            .map_err(|_| invalid("client_metadata cannot be read"))?;
        let request = Self {
            client_id,
            response_uri,
            response_mode,
            nonce: text("nonce")?.unwrap_or_default().to_owned(),
            state: text("state")?.map(str::to_owned),
            query: Query::deserialize(query)
                .map_err(|_| invalid("the dcql_query is not supported or inconsistent"))?,
            client_metadata,
        };
        request.check()?;
        Ok(request)
    }

    /// What holds of every request, whether it is read or made.
    fn check(&self) -> Result<()> {
        if !is_url_safe(&self.nonce) || !self.state.as_deref().is_none_or(is_url_safe) {
            return Err(invalid(
                "nonce and state are made of URL-safe ASCII, at most 512 bytes",
            ));
        }
        let bound =
            |query: &super::dcql::CredentialQuery| query.require_cryptographic_holder_binding;
        if self.state.is_none() && !self.query.credentials().iter().all(bound) {
            return Err(invalid("without holder binding there has to be a state"));
        }
        if self.response_mode == ResponseMode::DirectPostJwt {
            self.response_encryption()?;
        }
        Ok(())
    }

    /// How the answer is encrypted, if the request asks for [`ResponseMode::DirectPostJwt`].
    pub fn response_encryption(&self) -> Result<(RecipientKey, Encryption)> {
        let metadata = self.client_metadata.as_ref();
        let key = metadata
            .and_then(|metadata| metadata.jwks.as_ref()?.recipient())
            .ok_or(invalid(
                "there is no P-256 key for ECDH-ES to encrypt the response to",
            ))?;
        let names = metadata.map_or(&[][..], |metadata| {
            &metadata.encrypted_response_enc_values_supported
        });
        let enc = if names.is_empty() {
            Some(Encryption::A128Gcm)
        } else {
            Encryption::best_of(names.iter().map(String::as_str))
        };
        let enc = enc.ok_or(invalid(
            "the response can be encrypted with A128GCM or A256GCM only",
        ))?;
        Ok((key, enc))
    }

    /// The parameters, for a request object; objects are objects.
    pub(super) fn to_parameters(&self) -> Result<Map<String, Value>> {
        self.check()?;
        let failed = |_| invalid("the request cannot be written");
        let mut parameters = Map::new();
        let mut put = |name: &str, value: Value| parameters.insert(name.to_owned(), value);
        put("response_type", "vp_token".into());
        put("client_id", self.client_id.to_string().into());
        put(
            "response_mode",
            serde_json::to_value(self.response_mode).map_err(failed)?,
        );
        put("response_uri", self.response_uri.as_str().into());
        put("nonce", self.nonce.as_str().into());
        put(
            "dcql_query",
            serde_json::to_value(&self.query).map_err(failed)?,
        );
        if let Some(state) = &self.state {
            put("state", state.as_str().into());
        }
        if let Some(metadata) = &self.client_metadata {
            put(
                "client_metadata",
                serde_json::to_value(metadata).map_err(failed)?,
            );
        }
        Ok(parameters)
    }

    /// The signed request object of a [`ClientId::Did`]. `kid` is the DID URL of the key in the DID
    /// document; `wallet_nonce` what the wallet has posted; `lifetime` in seconds.
    pub fn sign(
        &self,
        key: &SigningKey,
        kid: &str,
        wallet_nonce: Option<&str>,
        now: UnixTime,
        lifetime: i64,
    ) -> Result<String> {
        if !matches!(&self.client_id, ClientId::Did(did) if is_key_of(kid, did)) {
            return Err(invalid(
                "a request is signed with a key of the DID in client_id",
            ));
        }
        let mut claims = self.to_parameters()?;
        // No `iss`: wallets ignore it (section 5.8), and some compare it with the DID in `kid`.
        claims.insert("aud".to_owned(), SELF_ISSUED.into());
        claims.insert("iat".to_owned(), now.0.into());
        claims.insert("exp".to_owned(), now.plus(lifetime).0.into());
        if let Some(nonce) = wallet_nonce {
            if !is_url_safe(nonce) {
                return Err(invalid(
                    "wallet_nonce is made of URL-safe ASCII, at most 512 bytes",
                ));
            }
            claims.insert("wallet_nonce".to_owned(), nonce.into());
        }
        let header = json!({ "typ": TYP, "kid": kid });
        let Value::Object(header) = header else {
            return Err(invalid("the request cannot be written"));
        };
        jwt::sign(key, header, &claims).map_err(|_| invalid("the request cannot be signed"))
    }
}

/// A request object of which nothing is known but who says to have signed it.
#[derive(Debug, Clone)]
pub struct UnverifiedRequest {
    jwt: jwt::UnverifiedJwt,
    client_id: ClientId,
    kid: String,
}

/// What a request object has to fit.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The client id that stood beside it, or in the link to it.
    pub client_id: &'a ClientId,
    /// What the wallet has posted, if it has.
    pub wallet_nonce: Option<&'a str>,
    /// Names of this wallet: [`SELF_ISSUED`], and its own if it has one.
    pub audience: &'a [&'a str],
    /// The present.
    pub now: UnixTime,
}

impl UnverifiedRequest {
    /// Parses a request object: by value, or fetched.
    pub fn parse(jwt: &str) -> Result<Self> {
        let jwt = jwt::UnverifiedJwt::parse(jwt.trim_ascii(), AuthorizationRequest::MAX_LEN)
            .map_err(|_| invalid("the request object is not a JWT signed with EdDSA or ES256"))?;
        let client_id = jwt.claims().get("client_id").and_then(Value::as_str);
        let client_id = ClientId::parse(client_id.ok_or(invalid("there is no client_id"))?)?;
        let ClientId::Did(did) = &client_id else {
            return Err(invalid("requests of a redirect_uri client are not signed"));
        };
        let kid = jwt
            .kid()
            .map(|kid| match kid.strip_prefix('#') {
                Some(fragment) => format!("{did}#{fragment}"),
                None => kid.to_owned(),
            })
            .filter(|kid| kid.len() <= MAX_URL && is_key_of(kid, did))
            .ok_or(invalid(
                "the request object's kid is not a key of the DID in client_id",
            ))?;
        Ok(Self {
            jwt,
            client_id,
            kid,
        })
    }

    /// Who says to ask.
    pub const fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// DID URL of the key to verify with, to be looked up under `verificationMethod` of its document.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The request, if it is signed by `key` and meant for this wallet now.
    pub fn verify(self, key: &PublicKey, expected: &Expected<'_>) -> Result<AuthorizationRequest> {
        if self.client_id != *expected.client_id {
            return Err(invalid("the request object is of another client"));
        }
        let jwt = self.jwt.verify(key, &[TYP]).map_err(|_| {
            invalid("the request object has another type, or is not signed by its key")
        })?;
        let claims = jwt.claims();
        let meant = match claims.get("aud") {
            Some(Value::String(aud)) => expected.audience.contains(&aud.as_str()),
            Some(Value::Array(auds)) => auds.iter().any(|aud| {
                aud.as_str()
                    .is_some_and(|aud| expected.audience.contains(&aud))
            }),
            _ => false,
        };
        if !meant {
            return Err(invalid("the request object is for another wallet"));
        }
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(time) => time
                .as_i64()
                .map(|time| Some(UnixTime(time)))
                .ok_or(invalid("a time of the request object is not an integer")),
        };
        if time("exp")?.is_some_and(|exp| expected.now >= exp.plus(SKEW)) {
            return Err(invalid("the request object has expired"));
        }
        for begin in [time("iat")?, time("nbf")?].into_iter().flatten() {
            if begin > expected.now.plus(SKEW) {
                return Err(invalid("the request object is from the future"));
            }
        }
        if let Some(nonce) = expected.wallet_nonce
            && claims
                .get("wallet_nonce")
                .is_none_or(|found| found != nonce)
        {
            return Err(invalid(
                "the request object does not repeat the wallet_nonce",
            ));
        }
        AuthorizationRequest::from_parameters(claims)
    }
}

fn is_key_of(kid: &str, did: &str) -> bool {
    kid.strip_prefix(did)
        .and_then(|rest| rest.strip_prefix('#'))
        .is_some_and(|fragment| !fragment.is_empty())
}

fn is_response_uri(text: &str) -> bool {
    text.len() <= MAX_URL && http_url(text).is_some_and(|url| url.fragment().is_none())
}

/// OID4VP section 5.2.
pub(super) fn is_url_safe(text: &str) -> bool {
    (1..=MAX_NONCE).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

const fn invalid(reason: &'static str) -> Error {
    Error::new(Code::InvalidRequest, reason)
}

#[cfg(test)]
mod tests;
