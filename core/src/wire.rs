//! The JSON of the native API under `/v1`, shared by server and wallet. Binary bodies (public
//! material and submissions) are described in `blindprint-template`.

use serde::{Deserialize, Serialize};

use crate::{
    Audience, ConsentId, Digest, EnrolmentId, InvitationId, Jws, KeyUri, Nonce, ProfileId,
    ServiceId, SubjectId, UnixTime,
    statement::{ConsentState, Purpose},
};

/// Request header with the wallet's [`crate::statement::RequestProof`] as a compact JWS.
pub const PROOF_HEADER: &str = "blindprint-proof";
/// Request header with the signed statement that a binary body belongs to.
pub const STATEMENT_HEADER: &str = "blindprint-statement";
/// Request header with the statement of [`STATEMENT_HEADER`] signed by the recovery key.
pub const RECOVERY_HEADER: &str = "blindprint-recovery";
/// Request header with an invitation's secret.
pub const INVITATION_HEADER: &str = "blindprint-invitation";
/// Media type of an uploaded template or probe.
pub const SUBMISSION_MEDIA_TYPE: &str = "application/vnd.blindprint.submission";
/// Media type of public key, CRS and evaluation keys.
pub const MATERIAL_MEDIA_TYPE: &str = "application/vnd.blindprint.material";
/// Media type of an attestation document, a tagged `COSE_Sign1` (RFC 9052).
pub const ATTESTATION_MEDIA_TYPE: &str = "application/cose; cose-type=\"cose-sign1\"";

/// What a credential stands on: something of the subject's own. It is looked at when a credential is
/// offered and once more when it is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(
    tag = "kind",
    content = "id",
    rename_all = "kebab-case",
    deny_unknown_fields
)]
pub enum CredentialBasis {
    /// A live enrolment.
    Enrolment(EnrolmentId),
    /// A positive verdict of the last minutes, by the challenge that it answers.
    Authentication(Nonce),
    /// A live consent.
    Consent(ConsentId),
}

macro_rules! wire {
    ($($(#[$doc:meta])* struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $type,)*
            }
        )*
    };
}

mod rights;

pub use rights::{
    ErasureProof, OpenRightsRequest, RightsActor, RightsMoment, RightsRequestView, RightsRequests,
    RightsState,
};

mod log;

pub use log::{LogDescription, OwnLogEntries, OwnLogEntry};

mod sign_in;

pub use sign_in::SignInBrowser;

wire! {
    /// `GET /v1/service`: what a wallet needs to know before it starts.
    struct Service {
        /// The name that statements are addressed to.
        service: ServiceId,
        /// The parameter set in force.
        parameters: String,
        /// Digest of the public material in force.
        key: Digest,
        /// The enclave's verdict key.
        verdict_key: KeyUri,
        /// Whether anybody may enrol without an invitation.
        open_enrolment: bool,
        /// Who is responsible for what it does with personal data.
        controller: Controller,
    }

    /// One version of one notice in one language.
    struct NoticeSummary {
        /// What a consent names.
        digest: Digest,
        /// Stable name.
        name: String,
        /// Version.
        version: u32,
        /// BCP 47 language tag.
        language: String,
        /// What it informs about.
        purpose: Purpose,
        /// First heading.
        title: String,
        /// From when on it is in force.
        published: UnixTime,
        /// Whether consents under earlier versions must be given anew.
        material: bool,
        /// The version that it takes the place of.
        supersedes: Option<u32>,
        /// Longest time of a consent, in days.
        validity_days: u32,
        /// Where the impact assessment is found, if the operator says so.
        dpia: Option<String>,
        /// Whether the service offers what it informs about, so that it takes consents.
        offered: bool,
        /// Who may learn of verdicts, in a notice about sharing them.
        recipient: Option<Recipient>,
    }

    /// Who may learn of verdicts.
    struct Recipient {
        /// As in a verdict's `aud`.
        audience: Audience,
        /// What people call them; the audience where the service knows no name.
        name: String,
    }

    /// Who decides why and how personal data is processed (GDPR article 4(7)).
    struct Controller {
        /// Legal name.
        name: String,
        /// Postal address.
        address: Option<String>,
        /// Where to write to: an email address or a link.
        contact: Option<String>,
        /// The data protection officer, with contact.
        officer: Option<String>,
        /// The data protection authority that oversees the controller.
        authority: Option<String>,
        /// Where the data protection impact assessment is found (article 35).
        dpia: Option<String>,
        /// Where data is stored: `EU`, `EEA` or countries as in ISO 3166-1 alpha-2.
        storage_locations: Vec<String>,
        /// Whose law applies, as there.
        jurisdiction: String,
    }

    /// `GET /v1/notices`.
    struct Notices {
        /// Those in force.
        notices: Vec<NoticeSummary>,
    }

    /// `POST /v1/consents`.
    struct GiveConsent {
        /// A [`crate::statement::Consent`].
        consent: Jws,
        /// The consent record whose digest it names, in DPV JSON-LD.
        record: serde_json::Value,
    }

    /// `POST /v1/consents/{id}/withdrawal`.
    struct WithdrawConsent {
        /// A [`crate::statement::Withdrawal`].
        withdrawal: Jws,
    }

    /// The enclave's signed answer to a change.
    struct Receipt {
        /// A receipt from [`crate::statement`].
        receipt: Jws,
    }

    /// One consent as the service knows it.
    struct ConsentSummary {
        /// Which.
        id: ConsentId,
        /// To what.
        purpose: Purpose,
        /// Who may learn of verdicts, where it is about sharing them.
        recipient: Option<Audience>,
        /// Under which notice.
        notice: Digest,
        /// How it stands.
        state: ConsentState,
        /// When given or refused.
        given: UnixTime,
        /// When it ends by itself.
        expires: UnixTime,
        /// When it ended before that.
        ended: Option<UnixTime>,
        /// When it will end unless it is given anew, because its notice has changed materially.
        reconsent_by: Option<UnixTime>,
    }

    /// `GET /v1/consents/{id}/record`: a consent's record, and what proves it.
    struct RecordedConsent {
        /// In DPV JSON-LD (ISO/IEC TS 27560), as it was signed for.
        record: serde_json::Value,
        /// The person's receipt, in the same terms: the record, and what has become of it since.
        receipt: serde_json::Value,
        /// The [`crate::statement::Consent`] that names the record's digest.
        consent: Jws,
        /// The enclave's word about it.
        consent_receipt: Jws,
        /// The [`crate::statement::Withdrawal`], if the wallet signed one.
        withdrawal: Option<Jws>,
        /// The enclave's word about its end.
        withdrawal_receipt: Option<Jws>,
    }

    /// One enrolment as the service knows it.
    struct EnrolmentSummary {
        /// Which.
        id: EnrolmentId,
        /// How codes are made.
        profile: ProfileId,
        /// The stored template.
        template: Digest,
        /// What it is encrypted under.
        key: Digest,
        /// When.
        enrolled: UnixTime,
    }

    /// `GET /v1/subjects/me`.
    struct Subject {
        /// Who.
        subject: SubjectId,
        /// The key pinned for them; `None` before the first consent.
        pinned_key: Option<KeyUri>,
        /// Head of the subject's chain of consents, which the next one names.
        head: Option<Digest>,
        /// Newest first.
        consents: Vec<ConsentSummary>,
        /// Live ones.
        enrolments: Vec<EnrolmentSummary>,
        /// Verdicts given so far.
        verdicts: u64,
    }

    /// `POST /v1/nonces`: an enclave nonce for an enrolment, rotation or recovery.
    struct NonceIssued {
        /// Used once, by this subject.
        nonce: Nonce,
        /// When it dies.
        expires: UnixTime,
    }

    /// `POST /v1/enrolments`.
    struct Enrolled {
        /// A [`crate::statement::EnrolmentReceipt`].
        receipt: Jws,
    }

    /// `POST /v1/enrolments/{id}/erasure`.
    struct EraseEnrolment {
        /// A [`crate::statement::Erasure`].
        erasure: Jws,
    }

    /// `POST /v1/authentications`.
    struct StartAuthentication {
        /// Against which enrolment.
        enrolment: EnrolmentId,
        /// For whom the verdict will be.
        audience: Audience,
        /// The relying party's nonce, 8 to 128 printable ASCII characters.
        nonce: String,
        /// For what.
        purpose: Purpose,
    }

    /// The enclave's challenge.
    struct Challenge {
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
    }

    /// The answer to a probe.
    struct VerdictIssued {
        /// A [`crate::statement::Verdict`].
        verdict: Jws,
    }

    /// `POST /v1/credential-offers`.
    struct OfferCredential {
        /// Ids of configurations in the issuer's metadata, all of the basis' kind.
        configurations: Vec<String>,
        /// What the credentials will say.
        basis: CredentialBasis,
        /// Whether whoever redeems the offer must type in a transaction code; so it is unless this is
        /// `false`.
        tx_code: Option<bool>,
        /// The `client_id` of the one wallet that may redeem it.
        client_id: Option<String>,
    }

    /// An offer of credentials. Whoever has it, and the transaction code, receives them.
    struct CredentialOffer {
        /// A link that holds the offer.
        by_value: String,
        /// A short link that says where the offer is.
        by_reference: String,
        /// Where `by_reference` is as an SVG picture.
        qr_code: String,
        /// What the person types in, if anything. It goes another way than the offer.
        tx_code: Option<String>,
        /// When it ends, unredeemed.
        expires: UnixTime,
    }

    /// `POST /v1/dids`: begins a did:webvh log at `{public URL}/dids/{name}/did.jsonl`.
    struct HostDid {
        /// The last part of the DID.
        name: String,
        /// The log's first entry, one line of JSON as the wallet signed it.
        entry: String,
    }

    /// `POST /v1/dids/{name}/entries`: one more entry.
    struct AppendToDid {
        /// The line that the wallet signed.
        entry: String,
    }

    /// A hosted did:webvh, as both calls and `GET /v1/dids` answer.
    struct HostedDid {
        /// The last part of the DID.
        name: String,
        /// The DID.
        did: String,
        /// Entries in its log.
        entries: u32,
        /// Whether it was given up.
        deactivated: bool,
    }

    /// `GET /v1/dids`.
    struct HostedDids {
        /// The caller's, oldest first.
        dids: Vec<HostedDid>,
    }

    /// `POST /v1/subjects/me/key`.
    struct RotateKey {
        /// A [`crate::statement::KeyRotation`] signed by the old key.
        rotation: Jws,
        /// The same payload signed by the new key.
        possession: Jws,
    }

    /// `POST /v1/subjects/me/recovery`.
    struct Recover {
        /// A [`crate::statement::Recovery`] signed by the recovery key.
        recovery: Jws,
        /// The same payload signed by the new device's key, where there is one.
        possession: Option<Jws>,
    }

    /// `POST /v1/invitations` (operator).
    struct Invite {
        /// Enrolments it is good for, 1 to 10,000.
        uses: u32,
        /// Seconds until it ends, at most a year.
        valid_for: u32,
        /// The operator's own remark.
        note: Option<String>,
    }

    /// A new invitation. The secret is shown once.
    struct Invitation {
        /// Its name in lists.
        id: InvitationId,
        /// What the wallet presents.
        secret: String,
        /// Enrolments it is good for.
        uses: u32,
        /// When it ends.
        expires: UnixTime,
    }
}
