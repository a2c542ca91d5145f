//! What to check, and what was checked.

use blindprint_core::UnixTime;
use blindprint_did::PublicKey;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::status::StatusPurpose;

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
