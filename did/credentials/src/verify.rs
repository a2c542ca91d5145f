//! The one place of strict verification.

use std::sync::Arc;

use async_trait::async_trait;
use blindprint_core::{Clock, UnixTime};
use blindprint_did::PublicKey;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Contexts, Document, FetchError, KeyError, VerifyError, sd_jwt::SdJwt, status::StatusPurpose,
};

/// What a key is listed for in its DID document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relationship {
    /// Making claims: issuers.
    AssertionMethod,
    /// Proving presence: holders.
    Authentication,
}

impl Relationship {
    /// The member of the DID document, and the `proofPurpose`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssertionMethod => "assertionMethod",
            Self::Authentication => "authentication",
        }
    }
}

/// A key as its DID document gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedKey {
    /// Whose key the document says it is.
    pub controller: String,
    /// The key.
    pub key: PublicKey,
}

/// Where keys come from.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The key under the DID URL `method`, if its DID's present document lists it under
    /// `relationship`.
    async fn key_for(
        &self,
        method: &str,
        relationship: Relationship,
    ) -> Result<ResolvedKey, KeyError>;
}

/// A status list as it was served.
#[derive(Debug, Clone)]
pub struct FetchedList {
    /// The body, at most [`crate::Document::MAX_LEN`] or so bytes more than a list needs.
    pub body: Vec<u8>,
    /// The response's media type, without parameters.
    pub content_type: Option<String>,
}

/// Where status lists come from.
#[async_trait]
pub trait StatusLists: Send + Sync {
    /// The list at `url`, asked for as `accept`.
    async fn fetch(&self, url: &str, accept: &str) -> Result<FetchedList, FetchError>;
}

/// The form that a credential or presentation came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Format {
    /// VCDM 2.0 with `eddsa-jcs-2022`.
    #[serde(rename = "eddsa-jcs-2022")]
    EddsaJcs2022,
    /// VCDM 2.0 with `eddsa-rdfc-2022`.
    #[serde(rename = "eddsa-rdfc-2022")]
    EddsaRdfc2022,
    /// VCDM 2.0 as `vc+jwt` or `vp+jwt`.
    #[serde(rename = "jwt")]
    Jwt,
    /// SD-JWT VC.
    #[serde(rename = "dc+sd-jwt")]
    SdJwt,
    /// A presentation without any proof.
    #[serde(rename = "unsigned")]
    Unsigned,
}

/// A credential in one of the forms that are understood. Nothing else is known of it.
#[derive(Debug, Clone, PartialEq)]
pub enum UnverifiedCredential {
    /// VCDM 2.0 with a Data Integrity proof.
    DataIntegrity(Document),
    /// VCDM 2.0 as `vc+jwt`.
    Jwt(String),
    /// SD-JWT VC.
    SdJwt(SdJwt),
}

impl UnverifiedCredential {
    /// From JSON: a credential with its proof, an `EnvelopedVerifiableCredential`, or a string as
    /// in [`Self::from_text`].
    pub fn from_value(value: Value) -> Result<Self, VerifyError> {
        match value {
            Value::String(text) => Self::from_text(&text),
            value => Ok(Self::DataIntegrity(Document::try_from(value)?)),
        }
    }

    /// From a compact JWS, an SD-JWT, or JSON text.
    pub fn from_text(text: &str) -> Result<Self, VerifyError> {
        let text = text.trim();
        if text.starts_with('{') {
            Ok(Self::DataIntegrity(Document::parse(text.as_bytes())?))
        } else if text.contains('~') {
            Ok(Self::SdJwt(SdJwt::parse(text)?))
        } else {
            Ok(Self::Jwt(text.to_owned()))
        }
    }

    /// As a member of a presentation's `verifiableCredential`.
    pub(crate) fn to_member(&self) -> Value {
        match self {
            Self::DataIntegrity(document) => document.clone().into_value(),
            Self::Jwt(token) => token.as_str().into(),
            Self::SdJwt(token) => token.to_text().into(),
        }
    }
}

/// A presentation in one of the forms that are understood. Nothing else is known of it.
#[derive(Debug, Clone, PartialEq)]
pub enum UnverifiedPresentation {
    /// VCDM 2.0 as JSON, with a Data Integrity proof or without any.
    Json(Document),
    /// VCDM 2.0 as `vp+jwt`.
    Jwt(String),
    /// SD-JWT VC with key binding.
    SdJwt(SdJwt),
}

impl UnverifiedPresentation {
    /// From JSON: a presentation, an `EnvelopedVerifiablePresentation`, or a string as in
    /// [`Self::from_text`].
    pub fn from_value(value: Value) -> Result<Self, VerifyError> {
        match value {
            Value::String(text) => Self::from_text(&text),
            value => Ok(Self::Json(Document::try_from(value)?)),
        }
    }

    /// From a compact JWS, an SD-JWT, or JSON text.
    pub fn from_text(text: &str) -> Result<Self, VerifyError> {
        let text = text.trim();
        if text.starts_with('{') {
            Ok(Self::Json(Document::parse(text.as_bytes())?))
        } else if text.contains('~') {
            Ok(Self::SdJwt(SdJwt::parse(text)?))
        } else {
            Ok(Self::Jwt(text.to_owned()))
        }
    }
}

/// What a verification looked at, and what it could not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "check", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Check {
    /// One proof, made for this purpose with a key that the issuer or holder lists for it.
    Proof {
        /// The key.
        method: String,
    },
    /// It holds now.
    Validity,
    /// Only known contexts, only defined terms.
    Contexts,
    /// It satisfies this schema.
    Schema {
        /// Which.
        id: String,
    },
    /// It names a schema that is not known here.
    SchemaUnchecked {
        /// Which.
        id: String,
    },
    /// Its status was read in the issuer's list and is good.
    Status {
        /// What it would have meant otherwise.
        purpose: StatusPurpose,
    },
    /// It names no status list.
    NoStatus,
    /// The caller asked not to look at its status.
    StatusUnchecked,
    /// It answers the challenge.
    Challenge,
    /// It was made for this verifier.
    Domain,
    /// The holder of the presentation is the subject of the credential.
    HolderBinding,
}

/// How to verify a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialChecks {
    /// Look at its status; a list that cannot be had is then an error.
    pub status: bool,
}

impl Default for CredentialChecks {
    fn default() -> Self {
        Self { status: true }
    }
}

/// How to verify a presentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentationChecks {
    /// The challenge or nonce it must answer.
    pub challenge: Option<String>,
    /// The domain or audience it must be made for.
    pub domain: Option<String>,
    /// Whether its holder must be the subject of every credential in it.
    pub holder_binding: bool,
    /// Whether one without proof is taken: its credentials then hold, but anybody may show them.
    pub unsigned: bool,
    /// How old its proof may be, in seconds.
    pub max_age: i64,
    /// For the credentials in it.
    pub credentials: CredentialChecks,
}

impl PresentationChecks {
    /// The presentation must answer this challenge, be made for this verifier within the last five
    /// minutes, and its holder must be the subject of every credential.
    pub fn bound_to(challenge: &str, domain: &str) -> Self {
        Self {
            challenge: Some(challenge.to_owned()),
            domain: Some(domain.to_owned()),
            holder_binding: true,
            unsigned: false,
            max_age: 300,
            credentials: CredentialChecks::default(),
        }
    }
}

/// A credential that holds. Only [`Verifier`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedCredential {
    pub(crate) format: Format,
    pub(crate) issuer: String,
    pub(crate) types: Vec<String>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) holder: Option<String>,
    pub(crate) holder_key: Option<PublicKey>,
    pub(crate) valid_until: Option<UnixTime>,
    pub(crate) checks: Vec<Check>,
}

impl VerifiedCredential {
    /// The form it came in.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Who issued it: a DID.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its `type`s, or its `vct`.
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// The whole VCDM credential without its proof, or the SD-JWT's processed claims.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The one subject's `id`, or the SD-JWT's `sub`.
    pub fn holder(&self) -> Option<&str> {
        self.holder.as_deref()
    }

    /// The key in an SD-JWT's `cnf`.
    pub const fn holder_key(&self) -> Option<&PublicKey> {
        self.holder_key.as_ref()
    }

    /// Until when it holds.
    pub const fn valid_until(&self) -> Option<UnixTime> {
        self.valid_until
    }

    /// What was looked at.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}

/// A presentation that holds, with its credentials. Only [`Verifier`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedPresentation {
    pub(crate) format: Format,
    pub(crate) holder: Option<String>,
    pub(crate) credentials: Vec<VerifiedCredential>,
    pub(crate) checks: Vec<Check>,
}

impl VerifiedPresentation {
    /// The form it came in.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Who presents: a DID. `None` for SD-JWT, whose holder is a bare key, and for unsigned ones.
    pub fn holder(&self) -> Option<&str> {
        self.holder.as_deref()
    }

    /// What it holds.
    pub fn credentials(&self) -> &[VerifiedCredential] {
        &self.credentials
    }

    /// What was looked at, beside the credentials.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}

/// Verifies credentials and presentations.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<dyn Keys>,
    status_lists: Arc<dyn StatusLists>,
    clock: Arc<dyn Clock>,
    contexts: Contexts,
}

impl Verifier {
    /// How far clocks may differ, in seconds.
    pub const LEEWAY: i64 = 60;

    /// A verifier that knows these contexts, and Blindprint's schemas beside them.
    pub fn new(
        keys: Arc<dyn Keys>,
        status_lists: Arc<dyn StatusLists>,
        clock: Arc<dyn Clock>,
        contexts: Contexts,
    ) -> Self {
        Self {
            keys,
            status_lists,
            clock,
            contexts,
        }
    }

    /// Verifies a credential.
    pub async fn credential(
        &self,
        credential: UnverifiedCredential,
        checks: &CredentialChecks,
    ) -> Result<VerifiedCredential, VerifyError> {
        let _ = (&self.keys, &self.status_lists, &self.clock, &self.contexts);
        let _ = (credential, checks);
        Err(VerifyError::NoProof)
    }

    /// Verifies a presentation and every credential in it.
    pub async fn presentation(
        &self,
        presentation: UnverifiedPresentation,
        checks: &PresentationChecks,
    ) -> Result<VerifiedPresentation, VerifyError> {
        let _ = (presentation, checks);
        Err(VerifyError::NoProof)
    }
}
