//! What is taken away without the wallet: by the operator's rules, or by a person in charge. The
//! enclave lets the host do this much, and nothing of it can be undone.

use blindprint_core::{
    ConsentId, EnrolmentId, Jws, SubjectId, consent::ConsentState, problem::ProblemCode,
    statement::SubjectErasure,
};
use blindprint_protocol::message::{EnclaveRequest, EndCause, Order};

use super::{Service, record::EnrolmentState, signed};
use crate::{Error, Result};

impl Service {
    /// Ends a consent. Repeating it gives the same receipt; so does one that ended before.
    pub async fn end_consent(
        &self,
        subject: &SubjectId,
        consent: ConsentId,
        cause: EndCause,
    ) -> Result<Jws> {
        let _held = self.changing.hold(subject).await;
        self.settle(subject).await?;
        let known = self.store.consent(subject, consent).await?;
        let known = known.ok_or(Error::Refused(ProblemCode::NotFound))?;
        if known.state(self.clock.now()) == ConsentState::Refused {
            return Err(Error::Refused(ProblemCode::Conflict));
        }
        if let Some(receipt) = known.withdrawal_receipt {
            self.store.purge().await?;
            return Ok(receipt);
        }
        let order = Order::EndConsent {
            subject: subject.clone(),
            consent,
            cause,
        };
        self.change(subject, EnclaveRequest::Order { order }).await
    }

    /// Destroys a template. Repeating it gives the same receipt.
    pub async fn erase_enrolment_ordered(
        &self,
        subject: &SubjectId,
        enrolment: EnrolmentId,
    ) -> Result<Jws> {
        let _held = self.changing.hold(subject).await;
        self.settle(subject).await?;
        let known = self.store.enrolment(enrolment).await?;
        let known = known
            .filter(|known| known.subject == *subject && known.state != EnrolmentState::Pending)
            .ok_or(Error::Refused(ProblemCode::NotFound))?;
        if let Some(receipt) = known.erasure_receipt {
            self.store.purge().await?;
            return Ok(receipt);
        }
        let order = Order::EraseEnrolment {
            subject: subject.clone(),
            enrolment,
        };
        self.change(subject, EnclaveRequest::Order { order }).await
    }

    /// Forgets a subject, by the wallet's [`SubjectErasure`] where it signed one: the enclave destroys
    /// what it knows, and everything of theirs in the database goes in one transaction. What was said
    /// of them in credentials is revoked. Repeating it gives the same receipt, for as long as the
    /// enclave remembers.
    pub async fn erase_subject(&self, subject: &SubjectId, erasure: Option<Jws>) -> Result<Jws> {
        let request = match erasure {
            Some(erasure) => {
                if signed::<SubjectErasure>(&erasure)?.statement().sub != *subject {
                    return Err(Error::because(
                        ProblemCode::Refused,
                        "the statement erases somebody else",
                    ));
                }
                EnclaveRequest::EraseSubject { erasure }
            }
            None => EnclaveRequest::Order {
                order: Order::EraseSubject {
                    subject: subject.clone(),
                },
            },
        };
        let _held = self.changing.hold(subject).await;
        self.settle(subject).await?;
        let receipt = self.change(subject, request).await?;
        self.holds.release(subject);
        Ok(receipt)
    }
}
