//! What the service remembers, and how its memory changes.

use blindprint_core::{
    Audience, ConsentId, Digest, EnrolmentId, InvitationId, Jws, KeyUri, Nonce, ProfileId,
    SubjectId, UnixTime,
    consent::{ConsentState, Lifecycle},
    problem::ProblemCode,
    statement::{Consent, Enrolment, Purpose},
    wire::{ConsentSummary, EnrolmentSummary},
};

use crate::Error;

/// The keys that may sign for a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectKeys {
    /// Signs everything.
    pub pinned: KeyUri,
    /// Signs recoveries. `None` before the first enrolment.
    pub recovery: Option<KeyUri>,
}

/// A consent that the enclave took note of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRecord {
    /// Which.
    pub id: ConsentId,
    /// Whose.
    pub subject: SubjectId,
    /// To what, and how it stands.
    pub lifecycle: Lifecycle,
    /// Under which notice.
    pub notice: Digest,
    /// What the wallet signed.
    pub jws: Jws,
    /// Digest of that.
    pub record: Digest,
    /// The consent record that was signed for, in DPV JSON-LD.
    pub document: String,
    /// Its name in the transparency log.
    pub handle: Nonce,
    /// The enclave's word.
    pub receipt: Jws,
    /// What the wallet signed to take it back.
    pub withdrawal: Option<Jws>,
    /// The enclave's word about its end.
    pub withdrawal_receipt: Option<Jws>,
}

impl ConsentRecord {
    /// Whether it allows anything at `now`.
    pub fn is_live(&self, now: UnixTime) -> bool {
        self.lifecycle.is_live(now)
    }

    /// How it stands at `now`.
    pub fn state(&self, now: UnixTime) -> ConsentState {
        self.lifecycle.state(now)
    }

    /// To what.
    pub const fn purpose(&self) -> Purpose {
        self.lifecycle.scope().purpose()
    }

    /// When it was given or refused.
    pub const fn given(&self) -> UnixTime {
        self.lifecycle.given()
    }

    /// When it ends by itself.
    pub const fn expires(&self) -> UnixTime {
        self.lifecycle.expires()
    }

    /// For the API.
    pub fn summary(&self, now: UnixTime) -> ConsentSummary {
        ConsentSummary {
            id: self.id,
            purpose: self.purpose(),
            recipient: self.lifecycle.scope().recipient().cloned(),
            notice: self.notice,
            state: self.state(now),
            given: self.given(),
            expires: self.expires(),
            ended: self.lifecycle.ended(),
            reconsent_by: None,
        }
    }
}

/// How far an enrolment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolmentState {
    /// Stored; the enclave has not been seen to register it.
    Pending,
    /// Registered.
    Live,
    /// Its ciphertext is gone.
    Erased,
}

/// A template without its ciphertext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentRecord {
    /// Which.
    pub id: EnrolmentId,
    /// Whose.
    pub subject: SubjectId,
    /// Digest of the enrolment's JWS.
    pub statement: Digest,
    /// How codes are made.
    pub profile: ProfileId,
    /// What it may be compared for.
    pub purpose: Purpose,
    /// Digest of the stored bytes.
    pub template: Digest,
    /// What it is encrypted under.
    pub key: Digest,
    /// How far it has come.
    pub state: EnrolmentState,
    /// The enclave's word, once live.
    pub receipt: Option<Jws>,
    /// When it went live.
    pub enrolled: Option<UnixTime>,
    /// The enclave's word, once erased on the subject's request.
    pub erasure_receipt: Option<Jws>,
}

impl EnrolmentRecord {
    /// For the API; `None` unless live.
    pub fn summary(&self) -> Option<EnrolmentSummary> {
        let enrolled = self
            .enrolled
            .filter(|_| self.state == EnrolmentState::Live)?;
        Some(EnrolmentSummary {
            id: self.id,
            profile: self.profile,
            template: self.template,
            key: self.key,
            enrolled,
        })
    }
}

/// A template on its way to the enclave.
#[derive(Debug, Clone)]
pub struct PendingEnrolment {
    /// What the wallet signed.
    pub enrolment: Enrolment,
    /// Digest of its JWS.
    pub statement: Digest,
    /// Digest of `ciphertext`.
    pub template: Digest,
    /// The bytes to store.
    pub ciphertext: Vec<u8>,
    /// The invitation it uses up.
    pub invitation: Option<InvitationId>,
}

/// Why an enrolment or a first consent could not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBegun {
    /// The id is taken.
    Taken,
    /// The invitation is used up, over or revoked.
    Uninvited,
}

impl From<NotBegun> for Error {
    fn from(reason: NotBegun) -> Self {
        Self::Refused(match reason {
            NotBegun::Taken => ProblemCode::Conflict,
            NotBegun::Uninvited => ProblemCode::InvitationRequired,
        })
    }
}

/// A change that the enclave is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Order in which changes began.
    pub sequence: i64,
    /// Whose.
    pub subject: SubjectId,
    /// The request to the enclave, encoded.
    pub request: Vec<u8>,
    /// The consent record that comes with a consent.
    pub document: Option<String>,
    /// When it began.
    pub begun: UnixTime,
}

/// What became of an operation, to be remembered as one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a few at once, and none for long"
)]
pub enum Effect {
    /// The enclave took note of a consent or a refusal, and pinned its key if it was the first.
    ConsentGiven {
        /// The consent.
        consent: Consent,
        /// Its JWS.
        jws: Jws,
        /// Digest of that.
        record: Digest,
        /// The consent record that it names, in DPV JSON-LD.
        document: String,
        /// Head of the subject's chain from now on.
        head: Digest,
        /// The enclave's name for it.
        handle: Nonce,
        /// The key that signed it.
        key: KeyUri,
        /// The enclave's word.
        receipt: Jws,
    },
    /// The enclave ended a consent, by the subject's word or on their behalf.
    ConsentWithdrawn {
        /// Whose.
        subject: SubjectId,
        /// Which.
        consent: ConsentId,
        /// When.
        at: UnixTime,
        /// The withdrawal's JWS, if the subject signed one.
        withdrawal: Option<Jws>,
        /// Head of the subject's chain from now on.
        head: Digest,
        /// The enclave's word.
        receipt: Jws,
    },
    /// The enclave ended a consent that no longer informs.
    ConsentInvalidated {
        /// Whose.
        subject: SubjectId,
        /// Which.
        consent: ConsentId,
        /// When.
        at: UnixTime,
        /// The enclave's word.
        receipt: Jws,
    },
    /// The enclave registered a template.
    Enrolled {
        /// Which.
        enrolment: EnrolmentId,
        /// The enclave's word.
        receipt: Jws,
        /// The enrolment that it replaces, whose ciphertext goes.
        replaced: Option<EnrolmentId>,
        /// When.
        at: UnixTime,
    },
    /// The enclave refused a template: it is as if it had never come.
    EnrolmentRefused {
        /// Which.
        enrolment: EnrolmentId,
    },
    /// The enclave destroyed a template.
    Erased {
        /// Which.
        enrolment: EnrolmentId,
        /// The enclave's word, if there is one.
        receipt: Option<Jws>,
        /// When.
        at: UnixTime,
    },
    /// The enclave ended every consent of a subject, because the device that gave them is lost.
    ConsentsEnded {
        /// Whose.
        subject: SubjectId,
        /// When.
        at: UnixTime,
    },
    /// The enclave pinned other keys.
    KeysChanged {
        /// Whose.
        subject: SubjectId,
        /// Which.
        keys: SubjectKeys,
    },
    /// The enclave forgot a subject.
    SubjectErased {
        /// Whom.
        subject: SubjectId,
    },
}

impl Effect {
    /// Whether ciphertexts go, and must not stay readable in freed pages or in the log.
    pub const fn destroys(&self) -> bool {
        matches!(
            self,
            Self::Enrolled {
                replaced: Some(_),
                ..
            } | Self::EnrolmentRefused { .. }
                | Self::Erased { .. }
                | Self::SubjectErased { .. }
        )
    }
}

/// A challenge that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeRecord {
    /// The challenge.
    pub challenge: Nonce,
    /// To whom.
    pub subject: SubjectId,
    /// Against which enrolment.
    pub enrolment: EnrolmentId,
    /// For whom.
    pub audience: Audience,
    /// For what.
    pub purpose: Purpose,
    /// The registered template.
    pub template: Digest,
    /// How to make the code.
    pub profile: ProfileId,
    /// What to encrypt it under.
    pub key: Digest,
    /// When it dies.
    pub expires: UnixTime,
    /// Digest of the probe statement that answers it.
    pub probe: Option<Digest>,
}

/// A verdict that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictRecord {
    /// The challenge that was answered.
    pub challenge: Nonce,
    /// Who.
    pub subject: SubjectId,
    /// Against which enrolment.
    pub enrolment: EnrolmentId,
    /// Digest of the probe statement.
    pub probe: Digest,
    /// For whom.
    pub audience: Audience,
    /// Whether it matched.
    pub matched: bool,
    /// The enclave's word.
    pub jws: Jws,
    /// When.
    pub given: UnixTime,
}

/// An invitation to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRecord {
    /// Its name.
    pub id: InvitationId,
    /// Enrolments it is good for.
    pub uses: u32,
    /// Enrolments it was used for.
    pub used: u32,
    /// When it ends.
    pub expires: UnixTime,
    /// The operator's own remark.
    pub note: Option<String>,
    /// When it was made.
    pub created: UnixTime,
    /// When it was taken back.
    pub revoked: Option<UnixTime>,
}

impl InvitationRecord {
    /// Whether one more enrolment can use it at `now`.
    pub fn is_open(&self, now: UnixTime) -> bool {
        self.used < self.uses && self.revoked.is_none() && now < self.expires
    }
}

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
}

/// What is known under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recalled {
    /// Nothing, or an attempt that was cut off: go ahead.
    New,
    /// The same request was answered.
    Answered(StoredAnswer),
    /// Another request came under this key.
    Different,
}
