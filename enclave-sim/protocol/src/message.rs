//! Requests and responses, as CBOR (RFC 8949) in length-prefixed [frames](crate::frame).
//!
//! The host that carries them is not trusted: whatever matters inside is signed by a wallet, a
//! matcher or the enclave.

use blindprint_core::{
    Audience, Binding, ConsentId, Digest, EnrolmentId, Jws, KeyUri, Nonce, ProfileId, SubjectId,
    UnixTime, statement::Purpose,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::DataKey;

/// A part of the public material, fetched in chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaterialPart {
    /// The compact public key that wallets encrypt under.
    PublicKey,
    /// The common reference string that wallets prove with.
    Crs,
    /// The keys that matchers evaluate with.
    EvaluationKeys,
}

/// One matcher's evaluation of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedEvaluation {
    /// A [`blindprint_core::statement::Evaluation`] signed by an admitted matcher.
    pub evaluation: Jws,
    /// The encrypted verdict bit.
    pub verdict: ByteBuf,
}

/// The ciphertexts of a comparison, for an enclave that evaluates again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The stored template.
    pub template: ByteBuf,
    /// The uploaded probe.
    pub submission: ByteBuf,
}

/// What the host may have done without the subject's signature, because it only ever takes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Ends a consent. Answered with [`EnclaveResponse::Receipts`].
    EndConsent {
        /// Whose.
        subject: SubjectId,
        /// Which.
        consent: ConsentId,
        /// Why.
        cause: EndCause,
    },
    /// Destroys an enrolment.
    EraseEnrolment {
        /// Whose.
        subject: SubjectId,
        /// Which.
        enrolment: EnrolmentId,
    },
    /// Forgets a subject.
    EraseSubject {
        /// Whom.
        subject: SubjectId,
    },
}

impl Order {
    /// Whom it is about.
    pub const fn subject(&self) -> &SubjectId {
        match self {
            Self::EndConsent { subject, .. }
            | Self::EraseEnrolment { subject, .. }
            | Self::EraseSubject { subject } => subject,
        }
    }
}

/// Why the host ends a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// Its notice has changed materially and its time to be given anew is over. Templates stay, and
    /// open again under another consent.
    Invalidated,
    /// The subject withdrew it by another way than with the wallet. Templates that no other live
    /// consent covers are destroyed, as if the wallet had signed.
    WithdrawnOnBehalf,
}

/// Of which template a data key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKeyOf {
    /// The one that will be registered with this nonce.
    Nonce(Nonce),
    /// The one of this enrolment.
    Enrolment(EnrolmentId),
}

/// What the host asks of the enclave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EnclaveRequest {
    /// An attestation document with the caller's nonce (at most 64 bytes).
    Attest {
        /// Echoed in the document.
        nonce: ByteBuf,
    },
    /// Up to [`MATERIAL_CHUNK`] bytes of public material from `offset` on.
    Material {
        /// Which part.
        part: MaterialPart,
        /// First byte wanted.
        offset: u64,
    },
    /// A nonce for a matcher's attestation document.
    MatcherNonce,
    /// Admits a matcher whose document carries that nonce and, as public key, its evaluation key.
    AdmitMatcher {
        /// That nonce.
        nonce: Nonce,
        /// `COSE_Sign1` bytes.
        document: ByteBuf,
    },
    /// A nonce for one enrolment, rotation or recovery of this subject. A data key is drawn with it.
    IssueNonce {
        /// Whose.
        subject: SubjectId,
    },
    /// The data key of a template that is about to be registered, or of an enrolment whose purpose
    /// a live consent covers.
    DataKey {
        /// Whose.
        subject: SubjectId,
        /// Of which template.
        of: DataKeyOf,
    },
    /// Takes note of a consent or its refusal; pins the subject's key if this is their first.
    GiveConsent {
        /// A [`blindprint_core::statement::Consent`].
        consent: Jws,
    },
    /// Takes note of a withdrawal and destroys the templates that no other live consent covers.
    /// Answered with [`EnclaveResponse::Receipts`].
    Withdraw {
        /// A [`blindprint_core::statement::Withdrawal`].
        withdrawal: Jws,
    },
    /// Registers a template.
    Register {
        /// A [`blindprint_core::statement::Enrolment`].
        enrolment: Jws,
        /// The same payload signed by the recovery key, which every enrolment but the first needs.
        recovery: Option<Jws>,
        /// A [`blindprint_core::statement::TemplateCheck`] from each of k matchers.
        checks: Vec<Jws>,
    },
    /// A challenge for one authentication.
    Challenge {
        /// Who.
        subject: SubjectId,
        /// Against which enrolment.
        enrolment: EnrolmentId,
        /// For whom.
        audience: Audience,
        /// The relying party's nonce.
        nonce: String,
        /// For what.
        purpose: Purpose,
    },
    /// Opens one verdict bit.
    Open {
        /// A [`blindprint_core::statement::Probe`].
        probe: Jws,
        /// From each of k matchers.
        evaluations: Vec<SignedEvaluation>,
        /// Where the enclave is configured to recompute.
        comparison: Option<Comparison>,
    },
    /// Destroys an enrolment.
    Erase {
        /// A [`blindprint_core::statement::Erasure`].
        erasure: Jws,
    },
    /// Forgets a subject.
    EraseSubject {
        /// A [`blindprint_core::statement::SubjectErasure`].
        erasure: Jws,
    },
    /// Takes something away by the host's own word.
    Order {
        /// What.
        order: Order,
    },
    /// Moves a subject to a new key.
    RotateKey {
        /// A [`blindprint_core::statement::KeyRotation`] signed by the pinned key.
        rotation: Jws,
        /// The same payload signed by the new key.
        possession: Jws,
    },
    /// Recovers a subject. Answered with [`EnclaveResponse::Receipts`].
    Recover {
        /// A [`blindprint_core::statement::Recovery`] signed by the recovery key.
        recovery: Jws,
        /// The same payload signed by the new device's key.
        possession: Option<Jws>,
    },
    /// A mark to append to the transparency log: the enclave's word that its state was this one,
    /// [`blindprint_core::statement::StateMark`]. Asked again within a quarter of the period, it is
    /// the same. Answered with [`EnclaveResponse::Mark`].
    ///
    /// An enclave that requires a witness serves only while it is fresh, which takes, after each
    /// start and then twice a period or so: this; appending the mark as an entry `enclave.mark`;
    /// a checkpoint over it, cosigned by the witness; and [`EnclaveRequest::ShowLog`] until its last
    /// part is answered. One such round at a time.
    Mark,
    /// Shows the enclave what the log has had since [`EnclaveResponse::Mark`]'s `log_size`, in parts of
    /// as many entries as fit into a frame. Every part but the first goes on where the one before
    /// ended, with the same checkpoint; any other begins anew, from `log_size`. Answered with
    /// [`EnclaveResponse::LogSeen`].
    ///
    /// With the last part the enclave ends everything that tombstones name by handles it knows: the
    /// subject's own in `subject.erased`, those of consents and enrolments in any.
    ShowLog {
        /// The log's signed checkpoint, cosigned by the witness where there is one: a note, as
        /// C2SP tlog-checkpoint has it.
        checkpoint: String,
        /// Index of the first entry.
        first: u64,
        /// The entries' bytes, in the order of the log.
        entries: Vec<ByteBuf>,
        /// Whether the last of them is the last under the checkpoint.
        last: bool,
    },
    /// Whether the enclave serves.
    Health,
}

/// What the enclave answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EnclaveResponse {
    /// A tagged `COSE_Sign1`.
    Attested {
        /// The document.
        document: ByteBuf,
    },
    /// Part of the public material.
    Material {
        /// Length of the whole part in bytes.
        total: u64,
        /// At most [`MATERIAL_CHUNK`] bytes.
        chunk: ByteBuf,
    },
    /// A nonce and its end.
    Nonce {
        /// Used once.
        nonce: Nonce,
        /// When it dies.
        expires: UnixTime,
    },
    /// A template's data key. Not to be kept longer than its use takes.
    DataKey {
        /// 256 bits.
        key: DataKey,
    },
    /// The matcher may sign evaluations until enclave or matcher restart.
    MatcherAdmitted,
    /// A receipt signed with the verdict key.
    Receipt {
        /// From [`blindprint_core::statement`].
        receipt: Jws,
    },
    /// A challenge.
    Challenge {
        /// Answered once.
        challenge: Nonce,
        /// The registered template.
        template: Digest,
        /// How to make the code.
        profile: ProfileId,
        /// What to encrypt it under.
        key: Digest,
        /// When it dies.
        expires: UnixTime,
    },
    /// A [`blindprint_core::statement::Verdict`] signed with the verdict key.
    Verdict {
        /// The verdict.
        verdict: Jws,
    },
    /// A mark for the log.
    Mark {
        /// A [`blindprint_core::statement::StateMark`] signed with the verdict key.
        mark: Jws,
        /// From which entry on the log has to be shown.
        log_size: u64,
    },
    /// A part of the log was read.
    LogSeen(LogSeen),
    /// Several receipts: first one for the consent or the keys, then one for each erased template.
    Receipts {
        /// From [`blindprint_core::statement`].
        receipts: Vec<Jws>,
    },
    /// The enclave serves.
    Healthy {
        /// The parameter set.
        parameters: String,
        /// The public material in force.
        key: Digest,
        /// Its verdict key.
        verdict_key: KeyUri,
        /// Drawn at boot. Challenges, nonces and admissions of another boot are gone.
        boot: Nonce,
        /// Matchers that are admitted and have shown themselves lately.
        matchers: u32,
        /// Matchers needed for a verdict.
        matchers_needed: u32,
        /// Whether [`EnclaveRequest::Open`] must carry the ciphertexts.
        recompute: bool,
        /// False evaluations found under this key. From [`crate::policy::MOST_INCIDENTS`] on
        /// nothing more is opened.
        incidents: u32,
        /// What it has seen of the transparency log, if it reads one.
        log: Option<LogSeen>,
    },
    /// Nothing was changed, except that attempts are counted.
    Refused(Refusal),
}

/// What the enclave has seen of the transparency log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSeen {
    /// How many entries.
    pub log_size: u64,
    /// Until when it serves; `None` if it never did. Without meaning where it requires no witness.
    pub fresh_until: Option<UnixTime>,
    /// Whether it was started from an older state, and must see a mark of its own before it serves.
    pub restoring: bool,
    /// Whether another state of the same enclave has shown itself in the log, so that this one never
    /// serves again.
    pub rolled_back: bool,
}

/// Why the enclave refused. Named by what the caller does next; says nothing that a host does
/// not already know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The request does not decode.
    #[error("the request does not decode")]
    Malformed,
    /// A signature does not verify, or its key is not the one pinned.
    #[error("a signature is not by the key it must be by")]
    Signature,
    /// A statement contradicts another or the registry.
    #[error("the statement does not fit what is registered")]
    Mismatch,
    /// The statement's time is not near the present.
    #[error("the statement's time is not near the present")]
    Stale,
    /// The consent does not continue the chain of those before it: read its head again.
    #[error("the consent does not continue the subject's chain")]
    Chain,
    /// The ciphertext is under other public material or another parameter set.
    #[error("the ciphertext is under another key")]
    WrongKey,
    /// The subject has a recovery key, and it did not sign this.
    #[error("the recovery key must sign this too")]
    RecoveryNeeded,
    /// No live consent.
    #[error("there is no live consent for this purpose")]
    NoConsent,
    /// The nonce or challenge is unknown, used or expired.
    #[error("the nonce or challenge is unknown, used or expired")]
    ChallengeGone,
    /// The id is taken.
    #[error("this was done already")]
    Conflict,
    /// There is nothing of that name under this subject.
    #[error("there is nothing of that name under this subject")]
    Unknown,
    /// Too many failures in a row.
    #[error("too many failed attempts: wait {retry_after} s")]
    Throttled {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// Disabled until recovery.
    #[error("disabled until recovered")]
    Locked,
    /// Nothing more is opened under this key: too many evaluations were false.
    #[error("nothing more is opened under this key: too many evaluations were false")]
    Retired,
    /// This matcher signed a false evaluation, or signed beside one. Another instance may come.
    #[error("this instance signed for an evaluation that was false")]
    Expelled,
    /// Evaluations are missing, unsigned, by unadmitted matchers, hold no verdict or contradict
    /// each other.
    #[error("the evaluations do not suffice")]
    Evaluations,
    /// The matcher's attestation does not verify.
    #[error("the attestation does not verify")]
    Attestation,
    /// The registry or challenge table is full.
    #[error("there is no room for more")]
    Full,
    /// Show the log first: the enclave has not seen a witnessed mark of its own lately.
    #[error("the transparency log must be shown first, cosigned by the witness")]
    Unwitnessed,
    /// Another state of the same enclave runs, or ran later: this one never serves again. Start from
    /// the last state, or restore.
    #[error("this is not the last state of this enclave")]
    RolledBack,
    /// The state could not be sealed; nothing was changed.
    #[error("the state could not be written")]
    Storage,
}

/// Largest chunk of public material in one response, in bytes.
pub const MATERIAL_CHUNK: usize = 1 << 20;

/// What the server asks of a matcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MatcherRequest {
    /// Verifies a template's proof and makes the stored form.
    CheckTemplate {
        /// What the proof must be bound to.
        binding: Binding,
        /// The uploaded template.
        submission: ByteBuf,
    },
    /// Verifies a probe's proof and compares it with a stored template.
    Evaluate {
        /// What the proof must be bound to.
        binding: Binding,
        /// The uploaded probe.
        submission: ByteBuf,
        /// The stored template.
        template: ByteBuf,
    },
    /// Whether the matcher serves.
    Health,
}

/// What a matcher answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MatcherResponse {
    /// The proof holds.
    TemplateChecked {
        /// A [`blindprint_core::statement::TemplateCheck`].
        check: Jws,
        /// The bytes to store.
        template: ByteBuf,
    },
    /// The proof holds and the comparison is done.
    Evaluated(SignedEvaluation, Timings),
    /// The matcher serves.
    Healthy {
        /// The public material it evaluates under.
        key: Digest,
        /// Requests waiting.
        queued: u32,
        /// Most requests that may wait.
        capacity: u32,
        /// Requests at work at once.
        workers: u32,
    },
    /// Nothing was done.
    Refused(MatcherRefusal),
}

/// How long the stages of an evaluation took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timings {
    /// Waiting in the queue.
    pub queued: u64,
    /// Verifying the proof.
    pub proof: u64,
    /// Tensor product, distance and threshold.
    pub evaluation: u64,
}

/// Why a matcher refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MatcherRefusal {
    /// The request or ciphertext does not decode.
    #[error("the request or ciphertext does not decode")]
    Malformed,
    /// Another parameter set or public material.
    #[error("the ciphertext is under another key")]
    WrongKey,
    /// The proof does not hold for this binding.
    #[error("the proof does not hold for this ciphertext and request")]
    ProofRejected,
    /// The queue is full.
    #[error("the queue is full: retry in {retry_after} s")]
    Busy {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// Not admitted by the enclave yet.
    #[error("the matcher is not admitted by the enclave yet")]
    NotReady,
}
