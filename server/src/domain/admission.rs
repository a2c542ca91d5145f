use blindprint_core::{EnrolmentId, InvitationId, problem::ProblemCode};

use super::{
    Caller, Service,
    record::{EnrolmentRecord, EnrolmentState},
};
use crate::{Error, Result};

/// By what right somebody asks to consent for the first time or to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// None was given.
    None,
    /// An invitation's secret.
    Invitation(String),
    /// An operator's token or an enrolment key, which was verified.
    Operator,
}

impl Service {
    /// That the caller may enrol, and the invitation that pays for it. Nothing is used up yet.
    ///
    /// Who has been let in before needs no second invitation: a renewal or a new device after a
    /// recovery adds nobody.
    pub(super) async fn admission(
        &self,
        caller: &Caller,
        admission: &Admission,
    ) -> Result<Option<InvitationId>> {
        if self.terms.open_enrolment || *admission == Admission::Operator {
            return Ok(None);
        }
        if let Admission::Invitation(secret) = admission {
            let refused = || Error::Refused(ProblemCode::InvitationRequired);
            let id = self.invitations.open(secret).ok_or_else(refused)?;
            let invitation = self.store.invitation(id).await?.ok_or_else(refused)?;
            return if invitation.is_open(self.clock.now()) {
                Ok(Some(id))
            } else {
                Err(refused())
            };
        }
        let enrolments = self.store.enrolments_of(&caller.subject).await?;
        if enrolments
            .iter()
            .any(|enrolment| enrolment.state != EnrolmentState::Pending)
        {
            return Ok(None);
        }
        Err(Error::Refused(ProblemCode::InvitationRequired))
    }

    /// The caller's own enrolment of that name.
    pub(super) async fn own_enrolment(
        &self,
        caller: &Caller,
        id: EnrolmentId,
    ) -> Result<EnrolmentRecord> {
        let known = self.store.enrolment(id).await?;
        known
            .filter(|enrolment| enrolment.subject == caller.subject)
            .ok_or(Error::Refused(ProblemCode::NotFound))
    }
}
