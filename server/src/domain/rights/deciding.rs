//! What officers and subjects decide about requests.

use blindprint_core::{
    RightsRequestId, SubjectId,
    problem::ProblemCode,
    statement::{Right, RightsDecision},
};

use super::{Actor, Case, Rights, RightsState, not_now, opening::is_text};
use crate::{
    Error, Result,
    store::{CaseFilter, Store},
};

/// A person in charge, by the name under which they are signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// The name.
    pub name: String,
}

impl From<&Officer> for Actor {
    fn from(officer: &Officer) -> Self {
        Self::Officer {
            name: officer.name.clone(),
        }
    }
}

impl Rights {
    /// A page of requests for officers, newest first, and how many there are.
    pub async fn cases(
        &self,
        filter: &CaseFilter,
        skip: u32,
        most: u32,
    ) -> Result<(Vec<Case>, u64)> {
        let store: &dyn Store = self.store();
        store.cases(filter, skip, most).await
    }

    /// Approves what waits for an officer: an export can be fetched, an erasure is carried out when its
    /// cooling-off ends.
    pub async fn accept(&self, officer: &Officer, id: RightsRequestId) -> Result<Case> {
        let case = self.case(id).await?;
        let (by, now) = (Actor::from(officer), self.now());
        let moved = match case.right {
            Right::Access | Right::Portability => case
                .go(RightsState::Accepted, by, None, now)
                .and_then(|case| case.go(RightsState::Fulfilled, Actor::Service, None, now)),
            Right::Erasure => self.cooling(case, by),
            Right::Review => {
                return Err(Error::because(
                    ProblemCode::Refused,
                    "a review ends with a decision and its reasons",
                ));
            }
            Right::Rectification | Right::Restriction | Right::Objection => {
                Err(super::NotNow(case.state()))
            }
        };
        let case = self.keep(moved.map_err(not_now)?).await?;
        Ok(self.try_to_carry_out(case).await)
    }

    /// Asks the subject to do something first, which they read with their request.
    pub async fn require_action(
        &self,
        officer: &Officer,
        id: RightsRequestId,
        what: String,
    ) -> Result<Case> {
        reasoned(&what)?;
        let case = self.case(id).await?;
        let moved = case.go(
            RightsState::RequiresAction,
            officer.into(),
            Some(what),
            self.now(),
        );
        self.keep(moved.map_err(not_now)?).await
    }

    /// Refuses a request, with reasons, signed (GDPR article 12(4)).
    pub async fn reject(
        &self,
        officer: &Officer,
        id: RightsRequestId,
        reasons: String,
    ) -> Result<Case> {
        let case = self.case(id).await?;
        let mut case = self.decided(case, false, &reasons)?;
        case.body.restricts = false;
        case.body.erasing = None;
        let moved = case.go(
            RightsState::Rejected,
            officer.into(),
            Some(reasons),
            self.now(),
        );
        self.keep(moved.map_err(not_now)?).await
    }

    /// Decides a review (GDPR article 22(3)): whether the person was wrongly rejected. The reasons are
    /// signed with the decision. A relying party that is shown it may accept it in place of a verdict.
    pub async fn decide_review(
        &self,
        officer: &Officer,
        id: RightsRequestId,
        overturned: bool,
        reasons: String,
    ) -> Result<Case> {
        let case = self.case(id).await?;
        if case.right != Right::Review {
            return Err(Error::because(ProblemCode::Refused, "this is not a review"));
        }
        let case = self.decided(case, overturned, &reasons)?;
        let now = self.now();
        let moved = case
            .go(RightsState::Accepted, officer.into(), None, now)
            .and_then(|case| case.go(RightsState::Fulfilled, officer.into(), Some(reasons), now));
        self.keep(moved.map_err(not_now)?).await
    }

    /// Gives a request two more months, once, and tells its subject why (GDPR article 12(3)).
    pub async fn extend(
        &self,
        officer: &Officer,
        id: RightsRequestId,
        reason: String,
    ) -> Result<Case> {
        reasoned(&reason)?;
        let case = self.case(id).await?;
        let moved = case.extend(officer.into(), reason, self.now());
        self.keep(moved.map_err(not_now)?).await
    }

    /// Ends a restriction or the effect of an objection. Its subject reads why.
    pub async fn lift(
        &self,
        officer: &Officer,
        id: RightsRequestId,
        reasons: String,
    ) -> Result<Case> {
        reasoned(&reasons)?;
        let case = self.case(id).await?;
        let moved = case.lift(officer.into(), Some(reasons), self.now());
        self.keep(moved.map_err(not_now)?).await
    }

    /// The subject takes a request back: one that is not over ends, a restriction is lifted. Doing it
    /// twice changes nothing. An erasure is beyond recall once it has begun.
    pub async fn cancel(
        &self,
        subject: &SubjectId,
        id: RightsRequestId,
        by: Actor,
    ) -> Result<Case> {
        let case = self.of(subject, id).await?;
        let now = self.now();
        if case.state() == RightsState::Unfulfilled
            || case.state() == RightsState::Fulfilled && !case.restricts()
        {
            return Ok(case);
        }
        if case.state() == RightsState::Fulfilled {
            return self.keep(case.lift(by, None, now).map_err(not_now)?).await;
        }
        let begun =
            case.not_before().is_some_and(|at| at <= now) && case.state() == RightsState::Accepted;
        if begun {
            return Err(Error::because(
                ProblemCode::Conflict,
                "the erasure has begun",
            ));
        }
        let mut case = case;
        case.body.restricts = false;
        case.body.erasing = None;
        let moved = case.go(RightsState::Unfulfilled, by, None, now);
        self.keep(moved.map_err(not_now)?).await
    }

    /// The request with the service's signed decision.
    fn decided(&self, mut case: Case, granted: bool, reasons: &str) -> Result<Case> {
        reasoned(reasons)?;
        let subject = case.subject.clone();
        let decision = RightsDecision {
            iss: self.parts.service.id().clone(),
            sub: subject.ok_or(Error::Refused(ProblemCode::NotFound))?,
            request: case.id,
            right: case.right,
            challenge: case.about().challenge,
            granted,
            reasons: reasons.to_owned(),
            iat: self.now(),
        };
        case.body.decision = Some(self.sign(&decision)?);
        Ok(case)
    }
}

/// That there are reasons.
fn reasoned(text: &str) -> Result<()> {
    if is_text(text) {
        Ok(())
    } else {
        Err(Error::because(
            ProblemCode::Refused,
            "reasons have 1 to 2000 bytes and no control characters but line breaks",
        ))
    }
}
