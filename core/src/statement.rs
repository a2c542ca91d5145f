//! What parties sign. Each statement is the payload of a compact JWS with its own `typ`
//! (RFC 8725 section 3.11), so that none can pass for another.
//!
//! Wallets sign [`RequestProof`], [`Consent`], [`Withdrawal`], [`Enrolment`], [`Probe`], [`Erasure`],
//! [`SubjectErasure`], [`KeyRotation`], [`Recovery`], [`RightsRequest`] and [`SignIn`]; matchers sign
//! [`TemplateCheck`] and [`Evaluation`]; the enclave signs [`ConsentReceipt`], [`EnrolmentReceipt`],
//! [`Verdict`], [`ErasureReceipt`], [`SubjectErasureReceipt`], [`KeyReceipt`] and [`StateMark`]; the
//! service signs [`ErasureCertificate`] and [`RightsDecision`].

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use crate::consent::{ConsentState, Decision};
use crate::{
    Audience, ConsentId, Digest, EnrolmentId, Jws, KeyUri, Nonce, ProfileId, RightsRequestId,
    ServiceId, SubjectId, UnixTime,
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
    /// Telling one named relying party the outcome of a 1:1 comparison.
    Sharing,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Authentication, Self::Uniqueness, Self::Sharing];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Uniqueness => "uniqueness",
            Self::Sharing => "sharing",
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
    /// A person's explicit answer to one version of one notice about one purpose: a consent, or its
    /// refusal. Each is a link of the subject's chain; see [`crate::consent::chain`].
    "blindprint-consent+jwt"
    struct Consent {
        /// Chosen by the wallet, used once.
        id: ConsentId,
        /// Who answers.
        sub: SubjectId,
        /// Whom.
        service: ServiceId,
        /// Yes or no.
        decision: Decision,
        /// To what.
        purpose: Purpose,
        /// Who may learn of verdicts; there is one exactly where the purpose is
        /// [`Purpose::Sharing`].
        recipient: Option<Audience>,
        /// Digest of the exact notice text that was shown.
        notice: Digest,
        /// `Digest::of("blindprint/consent-record/v1", record)` of the consent record in DPV JSON-LD,
        /// canonicalized (RFC 8785).
        record: Digest,
        /// Head of the subject's chain; `None` before the first link.
        previous: Option<Digest>,
        /// When it was given or refused.
        given: UnixTime,
        /// When it ends by itself.
        expires: UnixTime,
    }
}

statement! {
    /// Takes a consent back. From then on the enclave opens nothing under it. It is a link of the
    /// subject's chain and names no head: no withdrawal is refused for coming late.
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
    /// Asks for the destruction of everything that is known of the subject.
    "blindprint-subject-erasure+jwt"
    struct SubjectErasure {
        /// Who.
        sub: SubjectId,
        /// Where.
        service: ServiceId,
        /// When.
        iat: UnixTime,
    }
}

/// What a person may ask for (GDPR articles 15 to 18 and 20 to 22).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// To know what is held (article 15).
    Access,
    /// To take it elsewhere, machine-readable (article 20).
    Portability,
    /// To have it corrected (article 16), which for a template is another enrolment.
    Rectification,
    /// To have it destroyed (article 17).
    Erasure,
    /// To have it held and not used (article 18).
    Restriction,
    /// To object to its use (article 21).
    Objection,
    /// To have a person look at a rejection (article 22).
    Review,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 7] = [
        Self::Access,
        Self::Portability,
        Self::Rectification,
        Self::Erasure,
        Self::Restriction,
        Self::Objection,
        Self::Review,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Portability => "portability",
            Self::Rectification => "rectification",
            Self::Erasure => "erasure",
            Self::Restriction => "restriction",
            Self::Objection => "objection",
            Self::Review => "review",
        }
    }
}

statement! {
    /// Exercises a right.
    "blindprint-rights-request+jwt"
    struct RightsRequest {
        /// Who.
        sub: SubjectId,
        /// With whom.
        service: ServiceId,
        /// Chosen by the wallet, used once.
        id: RightsRequestId,
        /// Which right.
        right: Right,
        /// The enrolment that it is about, if it is about one.
        enrolment: Option<EnrolmentId>,
        /// The challenge whose verdict it is about, if it is about one.
        challenge: Option<Nonce>,
        /// What the person adds in their own words.
        text: Option<String>,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// Signs a browser in as the subject, on the subject's own page.
    "blindprint-sign-in+jwt"
    struct SignIn {
        /// Who.
        sub: SubjectId,
        /// The service whose page it is.
        aud: ServiceId,
        /// The browser's session, from the link that the page shows. Used once.
        session: Nonce,
        /// What the page shows beside the link, for the person to compare.
        code: String,
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
        statement: Digest,
        /// What became of it.
        state: ConsentState,
        /// When it ends by itself. Of somebody who never enrolled it may end before, when the
        /// enclave needs the room.
        expires: UnixTime,
        /// Head of the subject's chain after this event. What the subject did not sign does not
        /// move it.
        head: Digest,
        /// The consent's name in the transparency log, drawn by the enclave.
        handle: Nonce,
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
        /// The enrolment's name in the transparency log, drawn by the enclave.
        handle: Nonce,
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
        /// The enrolment's name in the transparency log.
        handle: Nonce,
        /// When.
        iat: UnixTime,
    }
}

/// A template that went with its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ErasedEnrolment {
    /// Which.
    pub enrolment: EnrolmentId,
    /// The template that no longer opens.
    pub template: Digest,
    /// Its name in the transparency log.
    pub handle: Nonce,
}

/// A consent that went with its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ErasedConsent {
    /// Which.
    pub consent: ConsentId,
    /// Its name in the transparency log.
    pub handle: Nonce,
}

statement! {
    /// The enclave's word that it knows nothing of a subject any more.
    "blindprint-subject-erasure-receipt+jwt"
    struct SubjectErasureReceipt {
        /// The service.
        iss: ServiceId,
        /// Who.
        sub: SubjectId,
        /// The subject's name in the transparency log, drawn by the enclave.
        handle: Nonce,
        /// The enrolments that were live.
        enrolments: Vec<ErasedEnrolment>,
        /// The consents that were live.
        consents: Vec<ErasedConsent>,
        /// Keys without which what backups hold of the templates stays unreadable.
        data_keys_destroyed: u32,
        /// Whether the host ordered it; otherwise the subject signed for it.
        ordered: bool,
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

statement! {
    /// The enclave's word about which of its states is in force, for the transparency log.
    "blindprint-state-mark+jwt"
    struct StateMark {
        /// The service.
        iss: ServiceId,
        /// Drawn when the enclave started.
        boot: Nonce,
        /// Drawn for this mark.
        nonce: Nonce,
        /// States written so far.
        count: u64,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// The service's word that a subject's erasure is complete, to be kept with the log's proof of
    /// inclusion.
    "blindprint-erasure-certificate+jwt"
    struct ErasureCertificate {
        /// The service.
        iss: ServiceId,
        /// The enclave's [`SubjectErasureReceipt`].
        receipt: Jws,
        /// Where the erasure stands in the transparency log, from 0.
        log_index: u64,
        /// Entries in the log that it was proved to be in.
        log_size: u64,
        /// Root of that log (RFC 6962 section 2.1).
        log_root: Digest,
        /// Relying parties that are told.
        notified: u32,
        /// When.
        iat: UnixTime,
    }
}

statement! {
    /// The service's word on how a person in charge decided a request.
    "blindprint-rights-decision+jwt"
    struct RightsDecision {
        /// The service.
        iss: ServiceId,
        /// Whose request.
        sub: SubjectId,
        /// Which.
        request: RightsRequestId,
        /// By which right.
        right: Right,
        /// The challenge whose verdict was reviewed.
        challenge: Option<Nonce>,
        /// Whether the subject gets what they asked for; of a review, whether the rejection was wrong.
        granted: bool,
        /// Why.
        reasons: String,
        /// When.
        iat: UnixTime,
    }
}
