use blindprint_core::{
    Digest, EnrolmentId, Jws,
    problem::ProblemCode,
    statement::{Erasure, ErasureReceipt},
};

use crate::{Attested, Error, Result, Wallet, state::EnrolmentState};

/// What an erasure leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// Which enrolment is gone.
    pub enrolment: EnrolmentId,
    /// The enclave's signed word; `None` if the service had forgotten it before.
    pub receipt: Option<Jws>,
}

impl Wallet {
    /// Destroys an enrolment: the template at the service and, once the enclave has confirmed, its
    /// κ here.
    pub async fn erase(&mut self, id: EnrolmentId) -> Result<Erased> {
        let attested = self.attest().await?;
        let record = self.record_mut(id)?;
        match &record.state {
            EnrolmentState::Registered { template, .. } => {
                record.state = EnrolmentState::Erasing {
                    template: *template,
                };
                // First on disk, so that the wish survives a lost answer.
                self.save()?;
            }
            EnrolmentState::Erasing { .. } => {}
            EnrolmentState::Sent { .. } => {
                return Err(Error::Invalid(format!("enrolment {id} is still under way")));
            }
        }
        self.send_erasure(id, &attested).await
    }

    /// Sends, or sends again, the erasure of an enrolment that is marked for it.
    pub(crate) async fn send_erasure(
        &mut self,
        id: EnrolmentId,
        attested: &Attested,
    ) -> Result<Erased> {
        let EnrolmentState::Erasing { template } = self.record(id)?.state else {
            return Err(Error::Invalid(format!(
                "enrolment {id} is not to be erased"
            )));
        };
        let erasure = self.sign(&Erasure {
            sub: self.state.subject.clone(),
            service: self.state.service.clone(),
            enrolment: id,
            iat: self.now(),
        })?;
        let receipt = match self
            .client
            .erase_enrolment(self.signer(), id, erasure)
            .await
        {
            Ok(receipt) => {
                self.check_erasure(&receipt, id, template, attested)?;
                Some(receipt)
            }
            // An earlier try arrived.
            Err(gone) if gone.is(ProblemCode::NotFound) => None,
            Err(other) => return Err(other),
        };
        self.state.enrolments.retain(|record| record.id != id);
        self.save()?;
        Ok(Erased {
            enrolment: id,
            receipt,
        })
    }

    fn check_erasure(
        &self,
        receipt: &Jws,
        id: EnrolmentId,
        template: Digest,
        attested: &Attested,
    ) -> Result<()> {
        let word = attested.believe::<ErasureReceipt>(receipt)?;
        let fits = word.iss == self.state.service
            && word.sub == self.state.subject
            && word.enrolment == id
            && word.template == template;
        if fits {
            Ok(())
        } else {
            Err(Error::Unbelievable("the receipt is for another erasure"))
        }
    }
}
