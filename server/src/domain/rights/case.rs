//! One request and how it moves. Every move takes the request by value and gives it back moved, or not at
//! all; what is over never moves again.

pub use blindprint_core::wire::RightsState;
use blindprint_core::{
    EnrolmentId, Jws, Nonce, RightsRequestId, SubjectId, UnixTime,
    statement::Right,
    wire::{RightsActor, RightsMoment, RightsRequestView},
};
use serde::{Deserialize, Serialize};

use super::calendar::months_after;
use crate::domain::relying_parties::RelyingPartyId;

/// Longest text of a subject or an officer, in bytes.
pub const LONGEST_TEXT: usize = 2000;

/// Whether a request may go from one state to another.
const fn leads(from: RightsState, to: RightsState) -> bool {
    use RightsState as S;
    match from {
        S::Initiated => matches!(to, S::Acknowledged),
        S::Acknowledged => matches!(
            to,
            S::Accepted | S::RequiresAction | S::Rejected | S::Unfulfilled
        ),
        S::RequiresAction => matches!(
            to,
            S::Accepted | S::Fulfilled | S::Rejected | S::Unfulfilled
        ),
        S::Accepted => matches!(to, S::RequiresAction | S::Fulfilled | S::Unfulfilled),
        S::Fulfilled | S::Rejected | S::Unfulfilled => false,
    }
}

/// Who did something to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Actor {
    /// The subject, by the wallet.
    Wallet,
    /// The subject, on their own page.
    Page,
    /// A person in charge.
    Officer {
        /// Which one.
        name: String,
    },
    /// The service by itself.
    Service,
}

/// How an officer knows that it is the subject who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Proof {
    /// The wallet signed the request, or its subject was signed in.
    Subject,
    /// Somebody showed a credential of this service's about the subject, over OID4VP.
    Presentation {
        /// Which request for a presentation it answered.
        request: Nonce,
    },
    /// A positive verdict on the subject, a day old at most.
    Verdict {
        /// The challenge that it answers.
        challenge: Nonce,
    },
    /// Something outside of this service, as the officer describes it.
    OutOfBand {
        /// The description.
        text: String,
    },
}

/// One moment of a request's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// When.
    pub at: UnixTime,
    /// By whom.
    pub by: Actor,
    /// The state from then on.
    pub state: RightsState,
    /// What was said, or what happened besides.
    pub note: Option<String>,
}

impl Moment {
    /// As the subject sees it: which officer it was is the service's own affair.
    fn view(&self) -> RightsMoment {
        RightsMoment {
            at: self.at,
            by: match self.by {
                Actor::Wallet | Actor::Page => RightsActor::Subject,
                Actor::Officer { .. } => RightsActor::Officer,
                Actor::Service => RightsActor::Service,
            },
            state: self.state,
            note: self.note.clone(),
        }
    }
}

/// What a request is about, beside its right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The enrolment, if it is about one.
    pub enrolment: Option<EnrolmentId>,
    /// The challenge whose verdict it is about, if it is about one.
    pub challenge: Option<Nonce>,
    /// What the subject adds.
    pub text: Option<String>,
}

/// What an erasure needs while it is under way. It goes with the subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasing {
    /// The wallet's `SubjectErasure`, if it signed one.
    pub erasure: Option<Jws>,
    /// What opens the certificate.
    pub claim: Nonce,
    /// Whether it was seen whom to tell.
    pub begun: bool,
    /// Relying parties that are told.
    pub recipients: Vec<RelyingPartyId>,
    /// The enclave's receipt, once everything is gone.
    pub receipt: Option<Jws>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub id: RightsRequestId,
    /// Whose; nobody's after an erasure.
    pub subject: Option<SubjectId>,
    /// Which right.
    pub right: Right,
    /// When it came.
    pub opened: UnixTime,
    pub(super) state: RightsState,
    pub(super) due: UnixTime,
    pub(super) closed: Option<UnixTime>,
    pub(super) body: Body,
    /// Changes so far.
    pub(crate) version: i64,
}

/// What of a request is kept as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    pub(super) opened_by: Actor,
    pub(super) proof: Proof,
    pub(super) about: About,
    /// What the wallet signed.
    pub(super) statement: Option<Jws>,
    /// When its cooling-off ends.
    pub(super) not_before: Option<UnixTime>,
    /// Why it takes longer than a month.
    pub(super) extension: Option<String>,
    /// Since when nothing is compared because of it, until it is lifted.
    pub(super) restricts: bool,
    /// The service's signed decision.
    pub(super) decision: Option<Jws>,
    /// Reminders so far.
    pub(super) reminders: u32,
    pub(super) history: Vec<Moment>,
    pub(super) erasing: Option<Erasing>,
}

/// A request stands where this cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request that is {} cannot be moved so", .0.as_str())]
pub struct NotNow(pub RightsState);

impl Case {
    /// A request that came and was acknowledged. Its month begins.
    pub(crate) fn open(
        id: RightsRequestId,
        subject: SubjectId,
        right: Right,
        (opened_by, proof): (Actor, Proof),
        about: About,
        now: UnixTime,
    ) -> Self {
        let came = Moment {
            at: now,
            by: opened_by.clone(),
            state: RightsState::Initiated,
            note: None,
        };
        let told = Moment {
            by: Actor::Service,
            state: RightsState::Acknowledged,
            ..came.clone()
        };
        Self {
            id,
            subject: Some(subject),
            right,
            opened: now,
            // Whoever opens it reads the answer: acknowledged at once.
            state: RightsState::Acknowledged,
            due: months_after(now, 1),
            closed: None,
            body: Body {
                opened_by,
                proof,
                about,
                statement: None,
                not_before: None,
                extension: None,
                restricts: false,
                decision: None,
                reminders: 0,
                history: vec![came, told],
                erasing: None,
            },
            version: 0,
        }
    }

    /// A request as it was kept.
    pub(crate) fn kept(
        (id, subject, right): (RightsRequestId, Option<SubjectId>, Right),
        state: RightsState,
        (opened, due, closed): (UnixTime, UnixTime, Option<UnixTime>),
        version: i64,
        body: Body,
    ) -> Self {
        Self {
            id,
            subject,
            right,
            opened,
            state,
            due,
            closed,
            body,
            version,
        }
    }

    /// How far it has come.
    pub const fn state(&self) -> RightsState {
        self.state
    }

    /// When it must be over.
    pub const fn due(&self) -> UnixTime {
        self.due
    }

    /// When it was over.
    pub const fn closed(&self) -> Option<UnixTime> {
        self.closed
    }

    /// Who opened it.
    pub const fn opened_by(&self) -> &Actor {
        &self.body.opened_by
    }

    /// How the opener is known to be the subject.
    pub const fn proof(&self) -> &Proof {
        &self.body.proof
    }

    /// What it is about.
    pub const fn about(&self) -> &About {
        &self.body.about
    }

    /// When its cooling-off ends, while there is one.
    pub const fn not_before(&self) -> Option<UnixTime> {
        self.body.not_before
    }

    /// Why it takes longer than a month, if it does.
    pub fn extension(&self) -> Option<&str> {
        self.body.extension.as_deref()
    }

    /// The service's signed decision, once there is one.
    pub const fn decision(&self) -> Option<&Jws> {
        self.body.decision.as_ref()
    }

    /// What happened, oldest first.
    pub fn history(&self) -> &[Moment] {
        &self.body.history
    }

    /// Whether nothing is compared for its subject while it stands so.
    pub const fn restricts(&self) -> bool {
        self.body.restricts
    }

    /// Whether its time has passed.
    pub fn is_overdue(&self, now: UnixTime) -> bool {
        !self.state.is_over() && now > self.due
    }

    /// Moves it.
    pub(crate) fn go(
        mut self,
        to: RightsState,
        by: Actor,
        note: Option<String>,
        now: UnixTime,
    ) -> Result<Self, NotNow> {
        if !leads(self.state, to) {
            return Err(NotNow(self.state));
        }
        self.state = to;
        self.closed = to.is_over().then_some(now);
        Ok(self.noting(by, note, now))
    }

    /// Extends its time by two months, once, within the first (GDPR article 12(3)).
    pub(super) fn extend(
        mut self,
        by: Actor,
        reason: String,
        now: UnixTime,
    ) -> Result<Self, NotNow> {
        if self.state.is_over() || self.body.extension.is_some() || now > self.due {
            return Err(NotNow(self.state));
        }
        self.due = months_after(self.opened, 3);
        self.body.extension = Some(reason.clone());
        Ok(self.noting(by, Some(reason), now))
    }

    /// Ends the restriction that it brought about.
    pub(super) fn lift(
        mut self,
        by: Actor,
        note: Option<String>,
        now: UnixTime,
    ) -> Result<Self, NotNow> {
        if !self.body.restricts || self.state != RightsState::Fulfilled {
            return Err(NotNow(self.state));
        }
        self.body.restricts = false;
        Ok(self.noting(by, note, now))
    }

    /// The same with one more line of history.
    pub(super) fn noting(mut self, by: Actor, note: Option<String>, at: UnixTime) -> Self {
        self.body.history.push(Moment {
            at,
            by,
            state: self.state,
            note,
        });
        self
    }

    /// What may be kept of it once its subject is gone: that it was done, and when.
    pub(crate) fn forgotten(mut self) -> Self {
        self.subject = None;
        self.body.proof = match self.body.proof {
            Proof::OutOfBand { .. } | Proof::Presentation { .. } | Proof::Verdict { .. } => {
                Proof::OutOfBand {
                    text: String::new(),
                }
            }
            Proof::Subject => Proof::Subject,
        };
        self.body.about = About::default();
        self.body.statement = None;
        self.body.extension = self.body.extension.map(|_| String::new());
        self.body.restricts = false;
        self.body.decision = None;
        self.body.erasing = None;
        for moment in &mut self.body.history {
            moment.note = None;
        }
        self
    }
}

impl Case {
    /// What is kept as JSON.
    pub(crate) const fn body(&self) -> &Body {
        &self.body
    }

    /// As its subject sees it.
    pub fn view(&self) -> RightsRequestView {
        let about = &self.body.about;
        RightsRequestView {
            id: self.id,
            right: self.right,
            state: self.state,
            opened: self.opened,
            due: self.due,
            closed: self.closed,
            not_before: self.body.not_before,
            extension: self.body.extension.clone(),
            enrolment: about.enrolment,
            challenge: about.challenge,
            text: about.text.clone(),
            restricts: self.body.restricts,
            exportable: self.is_exportable(),
            decision: self.body.decision.clone(),
            history: self.body.history.iter().map(Moment::view).collect(),
        }
    }

    /// Whether it gives its subject an export.
    pub const fn is_exportable(&self) -> bool {
        matches!(self.right, Right::Access | Right::Portability)
            && matches!(self.state, RightsState::Fulfilled)
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;
    use proptest::prelude::*;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn case(right: Right) -> Case {
        let opened = (Actor::Wallet, Proof::Subject);
        let subject = "did:key:zAlice".parse().unwrap();
        let id = RightsRequestId::random(&SystemEntropy);
        Case::open(id, subject, right, opened, About::default(), NOW)
    }

    proptest! {
        #[test]
        fn what_is_over_never_moves_again(steps in prop::collection::vec(0_usize..7, 1..20)) {
            let mut case = case(Right::Erasure);
            for (at, step) in steps.into_iter().enumerate() {
                let before = case.clone();
                let now = NOW.plus(i64::try_from(at).unwrap());
                let to = RightsState::ALL[step];
                match case.go(to, Actor::Service, None, now) {
                    Ok(moved) => {
                        prop_assert!(!before.state().is_over());
                        prop_assert_ne!(to, RightsState::Initiated);
                        prop_assert_eq!(moved.closed().is_some(), to.is_over());
                        case = moved;
                    }
                    Err(NotNow(state)) => {
                        prop_assert_eq!(state, before.state());
                        case = before;
                    }
                }
            }
        }
    }

    #[test]
    fn time_is_extended_once_and_within_the_first_month() {
        let extend = |case: Case, at| case.extend(Actor::Service, "many requests".to_owned(), at);
        let extended = extend(case(Right::Review), NOW.plus(86_400)).unwrap();
        assert_eq!(extended.due(), months_after(NOW, 3));
        assert!(extend(extended, NOW.plus(86_400)).is_err(), "once");
        assert!(
            extend(case(Right::Review), NOW.plus(40 * 86_400)).is_err(),
            "too late"
        );
    }

    #[test]
    fn what_outlives_its_subject_names_nobody() {
        let about = About {
            text: Some("I am Alice".to_owned()),
            ..About::default()
        };
        let opened = Actor::Officer {
            name: "eve".to_owned(),
        };
        let proof = Proof::OutOfBand {
            text: "Alice's passport".to_owned(),
        };
        let id = RightsRequestId::random(&SystemEntropy);
        let subject = "did:key:zAlice".parse().unwrap();
        let case = Case::open(id, subject, Right::Erasure, (opened, proof), about, NOW)
            .go(
                RightsState::Accepted,
                Actor::Service,
                Some("Alice".to_owned()),
                NOW,
            )
            .unwrap()
            .forgotten();
        assert_eq!(case.subject, None);
        let body = serde_json::to_string(case.body()).unwrap();
        assert!(!body.contains("Alice") && body.contains("eve"), "{body}");
    }
}
