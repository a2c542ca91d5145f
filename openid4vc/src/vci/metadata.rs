use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ClaimsPath, Code, Error, Format, Result, http_url, json, jwe::Jwks};

/// What an issuer says of itself: OID4VCI section 12.2. Members that are not listed here are
/// ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IssuerMetadata {
    /// The Credential Issuer Identifier: an https URL without query or fragment.
    pub credential_issuer: String,
    /// Where tokens are had; the issuer itself if empty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub authorization_servers: Vec<String>,
    /// URL.
    pub credential_endpoint: String,
    /// URL; without it no nonce is needed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nonce_endpoint: Option<String>,
    /// URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deferred_credential_endpoint: Option<String>,
    /// URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub notification_endpoint: Option<String>,
    /// How a wallet encrypts its credential requests.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential_request_encryption: Option<RequestEncryption>,
    /// How the issuer can encrypt its answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential_response_encryption: Option<ResponseEncryptionSupport>,
    /// How many credentials come at once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub batch_credential_issuance: Option<BatchIssuance>,
    /// The issuer's name, by language.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub display: Vec<Display>,
    /// What is issued, by configuration id.
    pub credential_configurations_supported: BTreeMap<String, CredentialConfiguration>,
}

/// One kind of credential in one format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialConfiguration {
    /// Its format.
    pub format: Format,
    /// OAuth scope that stands for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    /// JOSE names; for `ldp_vc` names of cryptosuites or proof types.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub credential_signing_alg_values_supported: Vec<Algorithm>,
    /// `jwk`, `did:key`, …
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cryptographic_binding_methods_supported: Vec<String>,
    /// How a wallet proves its keys, by proof type: `jwt`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub proof_types_supported: BTreeMap<String, ProofType>,
    /// How it is shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential_metadata: Option<CredentialMetadata>,
    /// The type of a `dc+sd-jwt`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vct: Option<String>,
    /// The type of a `jwt_vc_json` or `ldp_vc`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential_definition: Option<CredentialDefinition>,
}

/// The name or number of a signature algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Algorithm {
    /// A JOSE name, or that of a cryptosuite.
    Name(String),
    /// A COSE number, of formats that Blindprint does not issue.
    Cose(i64),
}

impl From<&str> for Algorithm {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

/// Type of a VCDM credential: OID4VCI appendix A.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialDefinition {
    /// `ldp_vc` only.
    #[serde(rename = "@context", skip_serializing_if = "Vec::is_empty", default)]
    pub context: Vec<serde_json::Value>,
    /// Compact types, `VerifiableCredential` among them.
    #[serde(rename = "type")]
    pub types: Vec<String>,
}

/// How keys are proven under one proof type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofType {
    /// JOSE names.
    pub proof_signing_alg_values_supported: Vec<String>,
    /// What key attestations must say. Blindprint asks for none; a wallet here cannot give any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_attestations_required: Option<serde_json::Value>,
}

/// How a credential is shown to a person, where its format does not say it better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialMetadata {
    /// By language.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub display: Vec<Display>,
    /// In the order in which they are shown.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub claims: Vec<ClaimDescription>,
}

/// How one claim is shown: OID4VCI appendix B.2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimDescription {
    /// Which.
    pub path: ClaimsPath,
    /// Whether every such credential has it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub mandatory: bool,
    /// By language.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub display: Vec<Display>,
}

/// A name in one language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Display {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// BCP 47.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub locale: Option<String>,
    /// A sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub logo: Option<Logo>,
}

/// A picture, by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// `https:` or `data:`.
    pub uri: String,
    /// For those who do not see it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alt_text: Option<String>,
}

/// How requests are encrypted to the issuer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestEncryption {
    /// The issuer's keys, each with a `kid`.
    pub jwks: Jwks,
    /// JWE `enc` names.
    pub enc_values_supported: Vec<String>,
    /// JWE `zip` names. Blindprint uses none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub zip_values_supported: Vec<String>,
    /// Whether a request in the clear is refused.
    pub encryption_required: bool,
}

/// How answers can be encrypted to the wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseEncryptionSupport {
    /// JWE `alg` names.
    pub alg_values_supported: Vec<String>,
    /// JWE `enc` names.
    pub enc_values_supported: Vec<String>,
    /// JWE `zip` names. Blindprint uses none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub zip_values_supported: Vec<String>,
    /// Whether the issuer answers encrypted or not at all.
    pub encryption_required: bool,
}

/// How many credentials come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchIssuance {
    /// Most key proofs in a request, 2 or more.
    pub batch_size: u32,
}

impl IssuerMetadata {
    /// Longest document that is read, in bytes.
    pub const MAX_LEN: usize = 1 << 20;

    /// Reads what was fetched from [`issuer_metadata_url`] of `issuer`.
    pub fn parse(json: &[u8], issuer: &str) -> Result<Self> {
        let metadata: Self = json::object(json, Self::MAX_LEN)
            .map_err(|_| unusable("the issuer's metadata cannot be read"))?;
        if metadata.credential_issuer != issuer {
            return Err(unusable("the metadata is of another issuer"));
        }
        let endpoints = [
            Some(&metadata.credential_endpoint),
            metadata.nonce_endpoint.as_ref(),
            metadata.deferred_credential_endpoint.as_ref(),
            metadata.notification_endpoint.as_ref(),
        ];
        if !endpoints.into_iter().flatten().all(|url| is_endpoint(url)) {
            return Err(unusable("the metadata names an endpoint that is no URL"));
        }
        if metadata
            .batch_credential_issuance
            .is_some_and(|batch| batch.batch_size < 2)
        {
            return Err(unusable("the metadata names a batch size below 2"));
        }
        Ok(metadata)
    }

    /// Who gives tokens for this issuer; `wanted` is the offer's hint.
    pub fn authorization_server<'a>(&'a self, wanted: Option<&str>) -> Result<&'a str> {
        let mut servers = self.authorization_servers.iter().map(String::as_str);
        match wanted {
            Some(wanted) => servers.find(|server| *server == wanted).ok_or_else(|| {
                unusable("the offer names an authorization server that the issuer does not")
            }),
            None => Ok(servers.next().unwrap_or(&self.credential_issuer)),
        }
    }
}

/// What an authorization server says of itself: RFC 8414, RFC 9449 section 5.1, OID4VCI section
/// 12.3. Members that are not listed here are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// Its identifier.
    pub issuer: String,
    /// URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorization_endpoint: Option<String>,
    /// URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_endpoint: Option<String>,
    /// URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub jwks_uri: Option<String>,
    /// Scopes, all or some.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub scopes_supported: Vec<String>,
    /// May be left out where there is no authorization endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub response_types_supported: Vec<String>,
    /// Grants; `authorization_code` and `implicit` if left out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub grant_types_supported: Vec<String>,
    /// How clients authenticate.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// PKCE.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub code_challenge_methods_supported: Vec<String>,
    /// Signature algorithms of DPoP proofs; none if DPoP is not done.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// Types of authorization details: `openid_credential`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub authorization_details_types_supported: Vec<String>,
    /// Whether a pre-authorised code is taken without `client_id`.
    #[serde(
        rename = "pre-authorized_grant_anonymous_access_supported",
        skip_serializing_if = "std::ops::Not::not",
        default
    )]
    pub anonymous_pre_authorized: bool,
}

impl AuthorizationServerMetadata {
    /// Longest document that is read, in bytes.
    pub const MAX_LEN: usize = 256 << 10;

    /// Reads what was fetched from [`authorization_server_metadata_url`] of `issuer`.
    pub fn parse(json: &[u8], issuer: &str) -> Result<Self> {
        let metadata: Self = json::object(json, Self::MAX_LEN)
            .map_err(|_| unusable("the authorization server's metadata cannot be read"))?;
        // RFC 8414 section 3.3: identical, as text.
        if metadata.issuer != issuer {
            return Err(unusable("the metadata is of another authorization server"));
        }
        if !metadata.token_endpoint.as_deref().is_some_and(is_endpoint) {
            return Err(unusable("the authorization server has no token endpoint"));
        }
        Ok(metadata)
    }
}

/// Where an issuer's metadata stand: OID4VCI section 12.2.2.
pub fn issuer_metadata_url(issuer: &str) -> Result<String> {
    well_known(issuer, "openid-credential-issuer")
}

/// Where an authorization server's metadata stand: RFC 8414 section 3.1.
pub fn authorization_server_metadata_url(issuer: &str) -> Result<String> {
    well_known(issuer, "oauth-authorization-server")
}

/// The well-known name goes between host and path, unlike that of OIDC.
fn well_known(issuer: &str, name: &str) -> Result<String> {
    let mut url = parse_issuer(issuer)?;
    let path = match url.path() {
        "/" => String::new(),
        path => path.trim_end_matches('/').to_owned(),
    };
    url.set_path(&format!("/.well-known/{name}{path}"));
    Ok(url.into())
}

/// A Credential Issuer Identifier: a URL without query, fragment or user.
pub(crate) fn parse_issuer(text: &str) -> Result<Url> {
    let unfit = || unusable("the issuer is not a URL without query and fragment");
    let url = http_url(text).ok_or_else(unfit)?;
    let fits = text.len() <= 1024
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if fits { Ok(url) } else { Err(unfit()) }
}

fn is_endpoint(text: &str) -> bool {
    text.len() <= 2048 && http_url(text).is_some_and(|url| url.fragment().is_none())
}

pub(crate) const fn unusable(reason: &'static str) -> Error {
    Error::new(Code::ServerError, reason)
}
