//! What the service remembers of the credentials that it issued: on what they stand and what their
//! status lists say of them, nothing of their content.

use std::{fmt, str::FromStr};

use blindprint_core::{ConsentId, EnrolmentId, Entropy, Invalid, Nonce, SubjectId, UnixTime};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ClientId, IssuerMethod};

/// One act of issuing, of all copies of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssuanceId(pub Uuid);

impl IssuanceId {
    /// A random one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy.uuid())
    }
}

impl fmt::Display for IssuanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for IssuanceId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self).map_err(|_| Invalid {
            what: "issuance",
            rule: "a UUID",
        })
    }
}

/// What a credential for a subject says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// Somebody is enrolled.
    Enrolment,
    /// Somebody was recognised.
    Authentication,
    /// Somebody consented.
    ConsentReceipt,
}

impl CredentialKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Enrolment, Self::Authentication, Self::ConsentReceipt];

    /// Its name in URLs, configuration ids and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enrolment => "enrolment",
            Self::Authentication => "authentication",
            Self::ConsentReceipt => "consent-receipt",
        }
    }
}

/// How a credential is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialFormat {
    /// VCDM 2.0 with Data Integrity `eddsa-jcs-2022`.
    LdpVcJcs,
    /// VCDM 2.0 with Data Integrity `eddsa-rdfc-2022`.
    LdpVcRdfc,
    /// VCDM 2.0 as `vc+jwt`, with `EdDSA`.
    JwtVc,
    /// SD-JWT VC, with `EdDSA`.
    SdJwtEdDsa,
    /// SD-JWT VC, with ES256.
    SdJwtEs256,
}

impl CredentialFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::LdpVcJcs,
        Self::LdpVcRdfc,
        Self::JwtVc,
        Self::SdJwtEdDsa,
        Self::SdJwtEs256,
    ];

    /// Which lists tell the status of such credentials.
    pub const fn list(self) -> ListKind {
        match self {
            Self::LdpVcJcs | Self::LdpVcRdfc | Self::JwtVc => ListKind::Bitstring,
            Self::SdJwtEdDsa | Self::SdJwtEs256 => ListKind::Token,
        }
    }
}

/// What a credential is about: its kind, and which of the subject's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "kebab-case")]
pub enum Reference {
    /// A live enrolment.
    Enrolment(EnrolmentId),
    /// A positive verdict, by the challenge that it answers.
    Authentication(Nonce),
    /// A live consent.
    ConsentReceipt(ConsentId),
}

impl Reference {
    /// What the credential says.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Enrolment(_) => CredentialKind::Enrolment,
            Self::Authentication(_) => CredentialKind::Authentication,
            Self::ConsentReceipt(_) => CredentialKind::ConsentReceipt,
        }
    }
}

/// What an issuance stands on, and falls with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// A subject's live enrolment.
    Enrolment(SubjectId, EnrolmentId),
    /// A verdict on a comparison with a live enrolment.
    Verdict(SubjectId, EnrolmentId),
    /// A subject's live consent.
    Consent(SubjectId, ConsentId),
    /// A machine client's word.
    Client {
        /// Who.
        client: ClientId,
        /// What they call the credential.
        credential: Option<String>,
    },
}

impl Ground {
    /// What such credentials are called in the database and the log.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Enrolment(..) => "enrolment",
            Self::Verdict(..) => "authentication",
            Self::Consent(..) => "consent-receipt",
            Self::Client { .. } => "general",
        }
    }

    /// About whom the service itself says something.
    pub const fn subject(&self) -> Option<&SubjectId> {
        match self {
            Self::Enrolment(subject, _) | Self::Verdict(subject, _) | Self::Consent(subject, _) => {
                Some(subject)
            }
            Self::Client { .. } => None,
        }
    }
}

/// An issuance on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuance {
    /// Its name.
    pub id: IssuanceId,
    /// On what.
    pub ground: Ground,
    /// Under which of the service's DIDs.
    pub issuer: IssuerMethod,
    /// The kind of list that tells its copies' status, and how many copies there are; `None` where
    /// nothing tells a status.
    pub entries: Option<(ListKind, usize)>,
    /// When.
    pub issued: UnixTime,
}

/// What a status list says of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing against it.
    Valid,
    /// Not to be relied on for now.
    Suspended,
    /// Not to be relied on ever again.
    Revoked,
}

impl Standing {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }
}

/// How a status list is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// As two Bitstring Status List credentials, of revocation and of suspension.
    Bitstring,
    /// As one Token Status List.
    Token,
}

impl ListKind {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bitstring => "bitstring",
            Self::Token => "token",
        }
    }
}

/// Entries of every status list: the least that a Bitstring Status List may have (section 3.2), so that
/// who fetches one hides among as many holders.
pub const LIST_ENTRIES: u32 = 131_072;

/// A status list, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListId(pub i64);

impl fmt::Display for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ListId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let id: Option<i64> = text.parse().ok();
        // One spelling: `+1` and `01` name nothing.
        id.filter(|id| *id > 0 && id.to_string() == text)
            .map(Self)
            .ok_or(Invalid {
                what: "status list",
                rule: "a number",
            })
    }
}

/// The place in a status list that tells of one copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusEntry {
    /// The list.
    pub list: ListId,
    /// The index in it.
    pub index: u32,
}

/// What a status list is and how often it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListRecord {
    /// How it is published.
    pub kind: ListKind,
    /// Under which of the service's DIDs: that of the credentials whose status it tells.
    pub issuer: IssuerMethod,
    /// Grows with every change of what it says.
    pub version: u64,
}

/// Which issuances are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Any credential's, by a place in a list.
    Anybody(StatusEntry),
    /// A credential's that this client had issued, by a place in a list.
    Client(ClientId, StatusEntry),
    /// All that this client had issued under this name.
    Named(ClientId, String),
}
