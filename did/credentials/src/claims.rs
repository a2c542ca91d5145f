//! What Blindprint's credentials say. No biometric, no digest of one, no identifier of the person.

use blindprint_core::{Audience, Digest, Modality, ProfileId, ServiceId, UnixTime, statement};
use serde::{Deserialize, Serialize};

use crate::timestamp::{self, Date};

/// The kinds of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialType {
    /// A person of this modality is enrolled under this profile.
    Enrolment,
    /// The person was just compared with their enrolment, and matched.
    Authentication,
    /// Reserved: the person is enrolled once only. Defined in context and schema, never issued.
    Uniqueness,
    /// The service's word on a consent.
    ConsentReceipt,
}

impl CredentialType {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Enrolment,
        Self::Authentication,
        Self::Uniqueness,
        Self::ConsentReceipt,
    ];

    /// The member of the credential's `type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enrolment => "BlindprintEnrolmentCredential",
            Self::Authentication => "BlindprintAuthenticationCredential",
            Self::Uniqueness => "BlindprintUniquenessCredential",
            Self::ConsentReceipt => "BlindprintConsentReceipt",
        }
    }

    /// The name in addresses and configuration ids.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Enrolment => "enrolment",
            Self::Authentication => "authentication",
            Self::Uniqueness => "uniqueness",
            Self::ConsentReceipt => "consent-receipt",
        }
    }

    /// Its JSON Schema (2020-12) over the whole VCDM credential, to be served at
    /// [`crate::Deployment::schema_url`] as `application/schema+json`.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Enrolment => include_str!("../schemas/enrolment.json"),
            Self::Authentication => include_str!("../schemas/authentication.json"),
            Self::Uniqueness => include_str!("../schemas/uniqueness.json"),
            Self::ConsentReceipt => include_str!("../schemas/consent-receipt.json"),
        }
    }
}

/// What a credential says of its subject.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Claims {
    /// See [`CredentialType::Enrolment`].
    Enrolment(EnrolmentClaims),
    /// See [`CredentialType::Authentication`].
    Authentication(AuthenticationClaims),
    /// See [`CredentialType::ConsentReceipt`].
    ConsentReceipt(ConsentReceiptClaims),
}

impl Claims {
    /// Which kind of credential carries them.
    pub const fn credential_type(&self) -> CredentialType {
        match self {
            Self::Enrolment(_) => CredentialType::Enrolment,
            Self::Authentication(_) => CredentialType::Authentication,
            Self::ConsentReceipt(_) => CredentialType::ConsentReceipt,
        }
    }
}

/// A person is enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrolmentClaims {
    /// What was captured.
    pub modality: Modality,
    /// How captures become codes, and how close two must be.
    pub profile: ProfileId,
    /// The encryption's parameter set.
    pub parameter_set: String,
    /// The day of enrolment; a day, so that fewer people are told apart by it.
    pub enrolled_since: Date,
}

/// A verdict, for one relying party. Issued for matches only: a failed one is nobody's credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthenticationClaims {
    /// Always true.
    pub matched: bool,
    /// What was captured.
    pub modality: Modality,
    /// Whose threshold was applied.
    pub profile: ProfileId,
    /// The encryption's parameter set.
    pub parameter_set: String,
    /// What was measured at that threshold; absent for a profile nobody has rated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_point: Option<ErrorRates>,
    /// The relying party that the verdict is for.
    pub audience: Audience,
    /// The relying party's nonce.
    pub nonce: String,
    /// When the person was compared.
    #[serde(with = "timestamp::rfc3339")]
    pub authenticated_at: UnixTime,
    /// `blindprint_did::jws_digest` of the enclave's verdict.
    pub verdict_digest: Digest,
}

/// Error rates in the terms of ISO/IEC 19795-1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRates {
    /// False match rate.
    pub fmr: f64,
    /// False non-match rate.
    pub fnmr: f64,
    /// The data that both were measured on.
    pub dataset: String,
}

impl From<&blindprint_core::OperatingPoint> for ErrorRates {
    fn from(point: &blindprint_core::OperatingPoint) -> Self {
        Self {
            fmr: point.fmr,
            fnmr: point.fnmr,
            dataset: point.dataset.to_owned(),
        }
    }
}

/// What a person agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsentReceiptClaims {
    /// To what.
    pub purpose: statement::Purpose,
    /// To whom: the service that processes.
    pub controller: ServiceId,
    /// Who may learn of verdicts, where the purpose is sharing them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Audience>,
    /// How the consent stood when this was said: `given`. If it ends, the credential is revoked.
    pub state: statement::ConsentState,
    /// Digest of the exact notice text that was shown.
    pub notice_digest: Digest,
    /// The language that it was shown in.
    pub notice_language: String,
    /// Digest of the signed consent.
    pub consent_digest: Digest,
    /// Digest of the consent record (ISO/IEC TS 27560) that was signed for.
    pub record_digest: Digest,
    /// When it was given.
    #[serde(with = "timestamp::rfc3339")]
    pub given_at: UnixTime,
    /// When it ends by itself.
    #[serde(with = "timestamp::rfc3339")]
    pub expires_at: UnixTime,
}
