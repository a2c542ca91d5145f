use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{Code, Error, Result, form, json};

/// `grant_type` of a pre-authorised code: OID4VCI section 4.1.1.
pub const PRE_AUTHORIZED_CODE: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/// What a client asks the token endpoint: RFC 6749 section 4, OID4VCI section 6.1.
pub struct TokenRequest {
    /// On what ground.
    pub grant: Grant,
    /// Who asks, if it says so.
    pub client_id: Option<String>,
    /// Its proof, for `client_secret_post`.
    pub client_secret: Option<SecretString>,
    /// Scopes, joined by spaces.
    pub scope: Option<String>,
    /// Which credentials; all of the offer if empty.
    pub authorization_details: Vec<AuthorizationDetail>,
}

/// The ground on which a token is asked for.
pub enum Grant {
    /// The code of an offer.
    PreAuthorized {
        /// The code.
        code: SecretString,
        /// What the person typed in.
        tx_code: Option<SecretString>,
    },
    /// The client's own authority: RFC 6749 section 4.4.
    ClientCredentials,
}

/// An authorisation detail of type `openid_credential`: OID4VCI sections 5.1.1 and 6.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationDetail {
    /// `openid_credential`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which configuration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential_configuration_id: Option<String>,
    /// In an answer: what the credential request then names.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub credential_identifiers: Vec<String>,
    /// The issuers meant.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub locations: Vec<String>,
}

impl AuthorizationDetail {
    /// The only type there is here.
    pub const TYPE: &'static str = "openid_credential";
    /// More are not read.
    const MAX: usize = 64;
}

/// A token: RFC 6749 section 5.1. It has no `Debug`, for the token's sake.
#[derive(Serialize, Deserialize)]
pub struct TokenResponse {
    /// Opaque to the client.
    pub access_token: String,
    /// `DPoP` or `Bearer`; letter case is of no meaning.
    pub token_type: String,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in: Option<u64>,
    /// Scopes, where they differ from those asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    /// What the token is good for, where it was asked for in detail.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub authorization_details: Vec<AuthorizationDetail>,
}

impl TokenRequest {
    /// Longest body that is read, in bytes.
    pub const MAX_LEN: usize = 16 << 10;

    /// Reads the body of a token request. Parameters of no meaning here are ignored.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut parameters = form::parse(body, Self::MAX_LEN)
            .map_err(|_| invalid("the token request cannot be read"))?;
        let mut take = |name: &str| parameters.remove(name);
        let grant_type = take("grant_type").ok_or(invalid("there is no grant_type"))?;
        let code = take("pre-authorized_code").map(SecretString::from);
        let tx_code = take("tx_code").map(SecretString::from);
        let grant = match grant_type.as_str() {
            PRE_AUTHORIZED_CODE => Grant::PreAuthorized {
                code: code.ok_or(invalid("there is no pre-authorized_code"))?,
                tx_code,
            },
            _ if tx_code.is_some() => {
                return Err(invalid("tx_code goes with a pre-authorised code only"));
            }
            "client_credentials" => Grant::ClientCredentials,
            _ => {
                return Err(Error::new(
                    Code::UnsupportedGrantType,
                    "the grant_type is not supported",
                ));
            }
        };
        let authorization_details = match take("authorization_details") {
            None => Vec::new(),
            Some(json) => details(&json)?,
        };
        Ok(Self {
            grant,
            client_id: take("client_id"),
            client_secret: take("client_secret").map(SecretString::from),
            scope: take("scope"),
            authorization_details,
        })
    }

    /// The body, in clear text: it is sent and forgotten.
    ///
    /// # Panics
    /// Never: authorisation details are plain JSON.
    pub fn to_form(&self) -> SecretString {
        let (grant_type, code, tx_code) = match &self.grant {
            Grant::PreAuthorized { code, tx_code } => (
                PRE_AUTHORIZED_CODE,
                Some(code.expose_secret()),
                tx_code.as_ref().map(SecretString::expose_secret),
            ),
            Grant::ClientCredentials => ("client_credentials", None, None),
        };
        let details = (!self.authorization_details.is_empty()).then(|| {
            serde_json::to_string(&self.authorization_details).expect("details are plain JSON")
        });
        form::encode([
            ("grant_type", Some(grant_type)),
            ("pre-authorized_code", code),
            ("tx_code", tx_code),
            ("client_id", self.client_id.as_deref()),
            (
                "client_secret",
                self.client_secret.as_ref().map(SecretString::expose_secret),
            ),
            ("scope", self.scope.as_deref()),
            ("authorization_details", details.as_deref()),
        ])
        .into()
    }
}

impl TokenResponse {
    /// Longest body that is read, in bytes.
    pub const MAX_LEN: usize = 64 << 10;

    /// Reads the answer to a token request.
    pub fn parse(json: &[u8]) -> Result<Self> {
        json::object(json, Self::MAX_LEN)
            .map_err(|_| Error::new(Code::ServerError, "the token response cannot be read"))
    }

    /// Whether it has to come with a DPoP proof.
    pub fn is_dpop(&self) -> bool {
        self.token_type.eq_ignore_ascii_case("DPoP")
    }
}

fn details(json: &str) -> Result<Vec<AuthorizationDetail>> {
    let unfit = invalid("authorization_details is not a list of openid_credential objects");
    let details: Vec<AuthorizationDetail> = serde_json::from_str(json).map_err(|_| unfit)?;
    let fits = (1..=AuthorizationDetail::MAX).contains(&details.len())
        && details.iter().all(|detail| {
            detail.kind == AuthorizationDetail::TYPE && detail.credential_configuration_id.is_some()
        });
    if fits { Ok(details) } else { Err(unfit) }
}

const fn invalid(reason: &'static str) -> Error {
    Error::new(Code::InvalidRequest, reason)
}
