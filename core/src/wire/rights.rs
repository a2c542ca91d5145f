//! Requests by which subjects exercise their rights.

use serde::{Deserialize, Serialize};

use crate::{EnrolmentId, Jws, Nonce, RightsRequestId, UnixTime, statement::Right};

/// How far a request has come; the names are those of the Data Privacy Vocabulary (`dpv:Request…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RightsState {
    /// It came.
    Initiated,
    /// Its subject was told so.
    Acknowledged,
    /// It is being carried out, or will be when its cooling-off ends.
    Accepted,
    /// Its subject must do something first.
    RequiresAction,
    /// It is done.
    Fulfilled,
    /// It was refused, with reasons.
    Rejected,
    /// It ended without being done, because its subject took it back.
    Unfulfilled,
}

impl RightsState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Initiated,
        Self::Acknowledged,
        Self::Accepted,
        Self::RequiresAction,
        Self::Fulfilled,
        Self::Rejected,
        Self::Unfulfilled,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Acknowledged => "acknowledged",
            Self::Accepted => "accepted",
            Self::RequiresAction => "requires_action",
            Self::Fulfilled => "fulfilled",
            Self::Rejected => "rejected",
            Self::Unfulfilled => "unfulfilled",
        }
    }

    /// The IRI in the Data Privacy Vocabulary.
    pub const fn iri(self) -> &'static str {
        match self {
            Self::Initiated => "https://w3id.org/dpv#RequestInitiated",
            Self::Acknowledged => "https://w3id.org/dpv#RequestAcknowledged",
            Self::Accepted => "https://w3id.org/dpv#RequestAccepted",
            Self::RequiresAction => "https://w3id.org/dpv#RequestRequiresAction",
            Self::Fulfilled => "https://w3id.org/dpv#RequestFulfilled",
            Self::Rejected => "https://w3id.org/dpv#RequestRejected",
            Self::Unfulfilled => "https://w3id.org/dpv#RequestUnfulfilled",
        }
    }

    /// Whether nothing comes after it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Fulfilled | Self::Rejected | Self::Unfulfilled)
    }
}

/// Who did something to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RightsActor {
    /// The subject.
    Subject,
    /// A person in charge.
    Officer,
    /// The service by itself.
    Service,
}

wire! {
    /// `POST /v1/rights-requests`.
    struct OpenRightsRequest {
        /// A [`crate::statement::RightsRequest`].
        request: Jws,
        /// A [`crate::statement::SubjectErasure`], with an erasure of everything.
        erasure: Option<Jws>,
    }

    /// One moment of a request's history.
    struct RightsMoment {
        /// When.
        at: UnixTime,
        /// By whom.
        by: RightsActor,
        /// The state from then on.
        state: RightsState,
        /// What was said, or what happened besides.
        note: Option<String>,
    }

    /// A request, as its subject sees it.
    struct RightsRequestView {
        /// Its name.
        id: RightsRequestId,
        /// Which right.
        right: Right,
        /// How far it has come.
        state: RightsState,
        /// When it came.
        opened: UnixTime,
        /// When it must be over.
        due: UnixTime,
        /// When it was over.
        closed: Option<UnixTime>,
        /// When its cooling-off ends; until then its subject can take it back.
        not_before: Option<UnixTime>,
        /// Why it takes longer than a month.
        extension: Option<String>,
        /// The enrolment that it is about.
        enrolment: Option<EnrolmentId>,
        /// The challenge whose verdict it is about.
        challenge: Option<Nonce>,
        /// What the subject added.
        text: Option<String>,
        /// Whether nothing is compared for the subject because of it.
        restricts: bool,
        /// Whether an export can be fetched.
        exportable: bool,
        /// A [`crate::statement::RightsDecision`], where a person decided.
        decision: Option<Jws>,
        /// Oldest first.
        history: Vec<RightsMoment>,
    }

    /// `GET /v1/rights-requests`.
    struct RightsRequests {
        /// Newest first.
        requests: Vec<RightsRequestView>,
    }

    /// `GET /v1/erasure-certificates/{claim}`: what proves an erasure to anybody, offline.
    struct ErasureProof {
        /// A [`crate::statement::ErasureCertificate`].
        certificate: Jws,
        /// That the erasure is in the transparency log: C2SP tlog-proof, with the entry and a signed checkpoint.
        proof: String,
    }
}
