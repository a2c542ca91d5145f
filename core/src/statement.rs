//! What parties sign. Each statement is the payload of a compact JWS with its own `typ`
//! (RFC 8725 section 3.11), so that none can pass for another.
//!
//! Wallets sign [`RequestProof`], [`Consent`], [`Withdrawal`], [`Enrolment`], [`Probe`], [`Erasure`],
//! [`KeyRotation`] and [`Recovery`]; matchers sign [`TemplateCheck`] and [`Evaluation`]; the
//! enclave signs [`ConsentReceipt`], [`EnrolmentReceipt`], [`Verdict`], [`ErasureReceipt`] and [`KeyReceipt`].

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Audience, ConsentId, Digest, EnrolmentId, KeyUri, Nonce, ProfileId, ServiceId, SubjectId,
    UnixTime,
};

/// A signable payload.
pub trait Statement: Serialize + DeserializeOwned {
    /// The JWS header's `typ`.
    const TYP: &'static str;
}

macro_rules! statement {
    ($(#[$doc:meta])* $typ:literal struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Statement for $name {
            const TYP: &'static str = $typ;
        }
    };
}

/// What a person consents to. Each purpose needs a consent of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// 1:1 comparison with the subject's own template.
    Authentication,
    /// 1:N comparison with everybody's, which needs codes that are comparable across wallets.
    Uniqueness,
}

impl Purpose {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Uniqueness => "uniqueness",
        }
    }
}

statement! {
    /// Proof that an HTTP request comes from a subject's wallet (modelled on `DPoP`, RFC 9449, with
    /// the body covered as well).
    "blindprint-request+jwt"
    struct RequestProof {
        /// On whose behalf.
        sub: SubjectId,
        /// The service addressed.
        aud: ServiceId,
        /// HTTP method, upper case.
        htm: String,
        /// Path and query as sent.
        htu: String,
        /// `Digest::of("blindprint/body/v1", body)`, of the empty body if there is none.
        body: Digest,
        /// Accepted once.
        jti: Nonce,
        /// Accepted within a minute of the service's clock.
        iat: UnixTime,
    }
}

statement! {
    /// A person's explicit consent to one purpose under one version of one notice.
    "blindprint-consent+jwt"
    struct Consent {
        /// Chosen by the wallet, used once.
        id: ConsentId,
        /// Who consents.
        sub: SubjectId,
        /// To whom.
        service: ServiceId,
        /// To what.
        purpose: Purpose,
        /// Digest of the exact notice text that was shown.
        notice: Digest,
        /// When it was given.
        given: UnixTime,
        /// When it ends by itself.
        expires: UnixTime,
    }
}

statement! {
    /// Takes a consent back. From then on the enclave opens nothing under it.
    "blindprint-withdrawal+jwt"
    struct Withdrawal {
        /// Who withdraws.
        sub: SubjectId,
        /// From whom.
        service: ServiceId,
        /// Which consent.
        consent: ConsentId,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// Asks the enclave to register a template under the subject's name.
    "blindprint-enrolment+jwt"
    struct Enrolment {
        /// Who enrols.
        sub: SubjectId,
        /// Where.
        service: ServiceId,
        /// Chosen by the wallet, used once.
        enrolment: EnrolmentId,
        /// The enrolment of the same profile that this one replaces; its template is destroyed.
        replaces: Option<EnrolmentId>,
        /// The consent it rests on: digest of the consent's JWS.
        consent: Digest,
        /// What the template may be compared for.
        purpose: Purpose,
        /// How the code was made.
        profile: ProfileId,
        /// What it is encrypted under.
        key: Digest,
        /// `Digest::of("blindprint/submission/v1", submission)` of the uploaded bytes.
        submission: Digest,
        /// The enclave's nonce.
        nonce: Nonce,
        /// A key, kept on paper, that recovers from a lost wallet or a lockout.
        recovery_key: KeyUri,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// Asks for a verdict on a probe.
    "blindprint-probe+jwt"
    struct Probe {
        /// Who authenticates.
        sub: SubjectId,
        /// Where.
        service: ServiceId,
        /// Against which enrolment.
        enrolment: EnrolmentId,
        /// The registered template.
        template: Digest,
        /// The enclave's challenge.
        challenge: Nonce,
        /// For whom the verdict is.
        audience: Audience,
        /// For what.
        purpose: Purpose,
        /// How the code was made.
        profile: ProfileId,
        /// What it is encrypted under.
        key: Digest,
        /// `Digest::of("blindprint/submission/v1", submission)` of the uploaded bytes.
        submission: Digest,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// Asks for the destruction of an enrolment.
    "blindprint-erasure+jwt"
    struct Erasure {
        /// Whose.
        sub: SubjectId,
        /// Where.
        service: ServiceId,
        /// Which.
        enrolment: EnrolmentId,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// Moves a subject to a new key. Signed twice: by the old key and by the new one.
    "blindprint-rotation+jwt"
    struct KeyRotation {
        /// Whose.
        sub: SubjectId,
        /// Where.
        service: ServiceId,
        /// The key that signs from now on.
        new_key: KeyUri,
        /// The enclave's nonce.
        nonce: Nonce,
        /// When.
        iat: UnixTime,
    }
}

/// What a recovery key is used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RecoveryAction {
    /// Re-enables a subject who was locked after failed attempts.
    Unlock,
    /// Pins a new device's key and destroys every template made under the lost encoding key.
    ReplaceDevice {
        /// The new device's key, which signs the same payload.
        new_key: KeyUri,
        /// The recovery key from now on.
        new_recovery_key: KeyUri,
    },
}

statement! {
    /// Recovers a subject without the wallet. Signed by the recovery key.
    "blindprint-recovery+jwt"
    struct Recovery {
        /// Whose.
        sub: SubjectId,
        /// Where.
        service: ServiceId,
        /// To do what.
        action: RecoveryAction,
        /// The enclave's nonce.
        nonce: Nonce,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// A matcher's word that a template's proof holds and that these stored bytes come from it.
    "blindprint-template-check+jwt"
    struct TemplateCheck {
        /// Digest of the binding that the proof is bound to.
        binding: Digest,
        /// What was uploaded.
        submission: Digest,
        /// `Digest::of("blindprint/template/v1", stored)` of the bytes to store and compare with.
        template: Digest,
        /// Parameter set.
        parameters: String,
        /// Public material.
        key: Digest,
    }
}

statement! {
    /// A matcher's word that it compared exactly these, with a proof that holds.
    "blindprint-evaluation+jwt"
    struct Evaluation {
        /// Digest of the binding that the probe's proof is bound to.
        binding: Digest,
        /// The uploaded probe.
        submission: Digest,
        /// The stored template.
        template: Digest,
        /// `Digest::of("blindprint/verdict-ciphertext/v1", bytes)` of the encrypted verdict bit.
        verdict: Digest,
        /// The profile whose threshold was applied.
        profile: ProfileId,
        /// That threshold.
        tau: u16,
        /// Parameter set.
        parameters: String,
        /// Public material.
        key: Digest,
    }
}

/// What became of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// It is live until it expires.
    Given,
    /// It was taken back.
    Withdrawn,
}

statement! {
    /// The enclave's word about a consent.
    "blindprint-consent-receipt+jwt"
    struct ConsentReceipt {
        /// The service.
        iss: ServiceId,
        /// Whose.
        sub: SubjectId,
        /// Which.
        consent: ConsentId,
        /// Digest of the consent's JWS.
        record: Digest,
        /// Given or withdrawn.
        state: ConsentState,
        /// When it ends by itself. Of somebody who never enrolled it may end before, when the
        /// enclave needs the room.
        expires: UnixTime,
        /// When the enclave took note.
        iat: UnixTime,
    }
}

statement! {
    /// The enclave's word that a template is registered.
    "blindprint-enrolment-receipt+jwt"
    struct EnrolmentReceipt {
        /// The service.
        iss: ServiceId,
        /// Whose.
        sub: SubjectId,
        /// Which.
        enrolment: EnrolmentId,
        /// The stored template, which every probe names.
        template: Digest,
        /// What was uploaded.
        submission: Digest,
        /// Digest of the consent's JWS.
        consent: Digest,
        /// How codes are made.
        profile: ProfileId,
        /// What they are encrypted under.
        key: Digest,
        /// The key pinned for the subject.
        pinned_key: KeyUri,
        /// The enrolment that was destroyed in exchange.
        replaced: Option<EnrolmentId>,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// The enclave's word on whether the same person is present. A failed match is a verdict, not an error.
    "blindprint-verdict+jwt"
    struct Verdict {
        /// The service.
        iss: ServiceId,
        /// Who.
        sub: SubjectId,
        /// For whom: valid for no other relying party.
        aud: Audience,
        /// The relying party's nonce.
        nonce: String,
        /// For what.
        purpose: Purpose,
        /// Whether the codes match at `tau`; see `Profile::matches`.
        matched: bool,
        /// The profile.
        profile: ProfileId,
        /// Its threshold.
        tau: u16,
        /// RFC 8176 authentication method: `face`, `iris` or `fpt`.
        amr: String,
        /// The enrolment compared with.
        enrolment: EnrolmentId,
        /// Its stored template.
        template: Digest,
        /// The uploaded probe.
        submission: Digest,
        /// The challenge answered, which doubles as this verdict's unique id.
        challenge: Nonce,
        /// Parameter set.
        parameters: String,
        /// Public material.
        key: Digest,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// The enclave's word that an enrolment is gone for good.
    "blindprint-erasure-receipt+jwt"
    struct ErasureReceipt {
        /// The service.
        iss: ServiceId,
        /// Whose.
        sub: SubjectId,
        /// Which.
        enrolment: EnrolmentId,
        /// The template that no longer opens.
        template: Digest,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// The enclave's word about a subject's keys.
    "blindprint-key-receipt+jwt"
    struct KeyReceipt {
        /// The service.
        iss: ServiceId,
        /// Whose.
        sub: SubjectId,
        /// The key that is pinned now.
        pinned_key: KeyUri,
        /// The recovery key that is set now.
        recovery_key: KeyUri,
        /// Templates destroyed on the way.
        erased: Vec<EnrolmentId>,
        /// When.
        iat: UnixTime,
    }
}
