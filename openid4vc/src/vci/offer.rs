use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::metadata::parse_issuer;
use crate::{Code, Error, Result, http_url, json};

/// Invitation to fetch credentials: OID4VCI section 4.1.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The issuer's identifier. An offer is signed by nobody: the wallet asks the person before it
    /// believes this.
    pub credential_issuer: String,
    /// Which configurations; not empty, each once.
    pub credential_configuration_ids: Vec<String>,
    /// How the token is had.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grants: Option<Grants>,
}

/// The grants of an offer. Others than these are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grants {
    /// By login.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorization_code: Option<AuthorizationCodeGrant>,
    /// By a code inside the offer.
    #[serde(
        rename = "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        skip_serializing_if = "Option::is_none",
        default
    )]
    pub pre_authorized: Option<PreAuthorizedGrant>,
}

/// Login continues what the issuer has begun.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuthorizationCodeGrant {
    /// To be repeated in the authorization request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub issuer_state: Option<String>,
    /// Which, where the issuer has several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorization_server: Option<String>,
}

/// Whoever holds the code (and the transaction code) gets the token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreAuthorizedGrant {
    /// Single use, short-lived.
    #[serde(rename = "pre-authorized_code")]
    pub code: String,
    /// What is said of the transaction code, if one is needed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tx_code: Option<TxCode>,
    /// Which, where the issuer has several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorization_server: Option<String>,
}

/// Without the code.
impl fmt::Debug for PreAuthorizedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreAuthorizedGrant")
            .field("tx_code", &self.tx_code)
            .field("authorization_server", &self.authorization_server)
            .finish_non_exhaustive()
    }
}

/// What the person types in besides.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TxCode {
    /// Of what it is made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input_mode: Option<InputMode>,
    /// In characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub length: Option<u32>,
    /// Where the person finds it; at most 300 characters. Of a stranger's making: print it with care.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
}

/// Of what a transaction code is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputMode {
    /// Digits.
    Numeric,
    /// Anything.
    Text,
}

/// What a link or QR code holds: OID4VCI section 4.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferLink {
    /// The offer itself.
    Value(Offer),
    /// Where the offer is fetched, by GET, as [`Offer::parse`] reads it. Wallets fetch it more than once.
    Reference(String),
}

impl Offer {
    /// Longest offer that is read, in bytes.
    pub const MAX_LEN: usize = 16 << 10;
    /// Longest `tx_code.description`, in characters.
    pub const MAX_DESCRIPTION: usize = 300;

    /// Reads an offer by value, or one that was fetched.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let offer: Self =
            json::object(json, Self::MAX_LEN).map_err(|_| unfit("the offer cannot be read"))?;
        parse_issuer(&offer.credential_issuer)
            .map_err(|_| unfit("the offer's issuer is not a URL without query and fragment"))?;
        let ids = &offer.credential_configuration_ids;
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        let fits = |id: &String| !id.is_empty() && !id.contains(char::is_control);
        if ids.is_empty() || unique.len() != ids.len() || !ids.iter().all(fits) {
            return Err(unfit(
                "the offer does not name each of its configurations once",
            ));
        }
        if let Some(grant) = offer.pre_authorized() {
            if grant.code.is_empty() {
                return Err(unfit("the offer's code is empty"));
            }
            let description = grant
                .tx_code
                .as_ref()
                .and_then(|code| code.description.as_ref());
            if description.is_some_and(|text| text.chars().count() > Self::MAX_DESCRIPTION) {
                return Err(unfit("the description of the transaction code is too long"));
            }
        }
        Ok(offer)
    }

    /// The code inside, if it has one.
    pub fn pre_authorized(&self) -> Option<&PreAuthorizedGrant> {
        self.grants.as_ref()?.pre_authorized.as_ref()
    }
}

impl OfferLink {
    /// What a wallet's system opens.
    pub const SCHEME: &'static str = "openid-credential-offer";
    /// Longest link that is read, in bytes: an offer in which every byte is escaped.
    pub const MAX_LEN: usize = 3 * Offer::MAX_LEN + 256;

    /// Reads a link of any scheme (a wallet may have its own), or an offer's bare JSON.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() > Self::MAX_LEN {
            return Err(unfit("the offer is too long"));
        }
        if text.starts_with('{') {
            return Offer::parse(text.as_bytes()).map(Self::Value);
        }
        let link = Url::parse(text).map_err(|_| unfit("the offer is no link"))?;
        let mut value = None;
        let mut reference = None;
        for (name, found) in link.query_pairs() {
            let place = match &*name {
                "credential_offer" => &mut value,
                "credential_offer_uri" => &mut reference,
                _ => continue,
            };
            if place.replace(found.into_owned()).is_some() {
                return Err(unfit("the link names an offer twice"));
            }
        }
        match (value, reference) {
            (Some(offer), None) => Offer::parse(offer.as_bytes()).map(Self::Value),
            (None, Some(uri)) => match http_url(&uri) {
                Some(_) => Ok(Self::Reference(uri)),
                None => Err(unfit("the offer is at an address that is no URL")),
            },
            _ => Err(unfit(
                "the link holds neither an offer nor its address, or both",
            )),
        }
    }

    /// The link, for a page or a QR code.
    ///
    /// # Panics
    /// Never: an offer is JSON, and text of any kind is escaped.
    pub fn to_uri(&self) -> String {
        let (name, text) = match self {
            Self::Value(offer) => (
                "credential_offer",
                serde_json::to_string(offer).expect("an offer is plain JSON"),
            ),
            Self::Reference(uri) => ("credential_offer_uri", uri.clone()),
        };
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair(name, &text)
            .finish();
        format!("{}://?{query}", Self::SCHEME)
    }
}

const fn unfit(reason: &'static str) -> Error {
    Error::new(Code::InvalidRequest, reason)
}
