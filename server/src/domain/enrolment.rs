use blindprint_core::{
    Digest, EnrolmentId, InvitationId, Jws, SubjectId,
    consent::Scope,
    label,
    problem::ProblemCode,
    statement::{Enrolment, Erasure},
};
use blindprint_did::Verified;
use blindprint_protocol::{
    DataKey,
    message::{DataKeyOf, EnclaveRequest, EnclaveResponse},
};

use super::{
    Admission, Caller, Service, addressed, at_rest,
    record::{EnrolmentState, PendingEnrolment},
    signed,
};
use crate::{Error, Result};

/// A ciphertext with its proof, and the statement that it belongs to.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The signed statement.
    pub statement: Jws,
    /// The same signed by the recovery key, where that is needed.
    pub recovery: Option<Jws>,
    /// The uploaded bytes.
    pub submission: Vec<u8>,
}

impl Upload {
    /// That the statement speaks of these bytes, under the key in force.
    pub(super) fn fits(&self, submission: Digest, key: Digest, in_force: Digest) -> Result<()> {
        if Digest::of(label::SUBMISSION, &self.submission) != submission {
            return Err(Error::because(
                ProblemCode::Refused,
                "the statement speaks of other bytes than the body's",
            ));
        }
        if key == in_force {
            Ok(())
        } else {
            Err(Error::Refused(ProblemCode::KeyRetired))
        }
    }
}

impl Service {
    /// Enrols: what costs little is refused first, then k matchers verify the proof, then the
    /// template is stored, then the enclave registers it. Repeating the same enrolment gives the
    /// same receipt.
    pub async fn enrol(&self, caller: &Caller, by: &Admission, upload: Upload) -> Result<Jws> {
        let verified = signed::<Enrolment>(&upload.statement)?;
        let enrolment = verified.statement();
        addressed(
            self.id(),
            caller,
            &verified,
            &enrolment.sub,
            &enrolment.service,
        )?;
        if let Some(receipt) = self.enrolled_already(caller, &verified).await? {
            return Ok(receipt);
        }
        let invitation = self.admission(caller, by).await?;
        let now = self.clock.now();
        let nonce = enrolment.nonce;
        self.nonces
            .claim(nonce, &caller.subject, verified.digest(), now)?;
        let health = self.enclave.terms().await?;
        upload.fits(enrolment.submission, enrolment.key, health.key)?;
        let scope = Scope::new(enrolment.purpose, None).map_err(|_| {
            let code = ProblemCode::Refused;
            Error::because(code, "nobody enrols for sharing")
        })?;
        let consents = self.consented(caller, &scope, now).await?;
        if !consents
            .iter()
            .any(|consent| consent.record == enrolment.consent)
        {
            return Err(Error::Refused(ProblemCode::ConsentRequired));
        }
        self.holds.check(&caller.subject, now)?;
        let outcome = self
            .check_and_register(caller, verified, upload, invitation, health.matchers_needed)
            .await;
        // Whatever another try may still change leaves the nonce to the same statement.
        let answered = matches!(
            outcome,
            Ok(_) | Err(Error::Refused(_) | Error::Because { .. })
        );
        if answered {
            self.nonces.spend(nonce);
        }
        outcome
    }

    /// The costly part of an enrolment.
    async fn check_and_register(
        &self,
        caller: &Caller,
        verified: Verified<Enrolment>,
        upload: Upload,
        invitation: Option<InvitationId>,
        matchers: u32,
    ) -> Result<Jws> {
        let enrolment = verified.statement();
        let room = self.room(&caller.subject)?;
        let k = matchers as usize;
        let checked = self
            .matchers
            .check_template(enrolment.binding(), &upload.submission, k)
            .await?;
        drop(room);

        let _held = self.changing.hold(&caller.subject).await;
        self.settle(&caller.subject).await?;
        if let Some(receipt) = self.enrolled_already(caller, &verified).await? {
            return Ok(receipt);
        }
        let template = Digest::of(label::TEMPLATE, &checked.template);
        let of = DataKeyOf::Nonce(enrolment.nonce);
        let key = self.data_key(&caller.subject, of).await?;
        let name = (enrolment.enrolment, template);
        let pending = PendingEnrolment {
            statement: verified.digest(),
            template,
            ciphertext: at_rest::seal(&key, name, &checked.template, &*self.entropy)?,
            invitation,
            enrolment: verified.into_statement(),
        };
        let request = EnclaveRequest::Register {
            enrolment: upload.statement,
            recovery: upload.recovery,
            checks: checked.checks,
        };
        self.change_enrolment(&pending, request).await
    }

    /// What a template is encrypted under on the disk. Not to be kept longer than its use takes.
    pub(super) async fn data_key(&self, subject: &SubjectId, of: DataKeyOf) -> Result<DataKey> {
        let subject = subject.clone();
        match self.ask(&EnclaveRequest::DataKey { subject, of }).await? {
            EnclaveResponse::DataKey { key } => Ok(key),
            EnclaveResponse::Refused(refusal) => Err(refusal.into()),
            _ => Err(Error::broken("asking for a data key")(
                "the enclave answered something else".into(),
            )),
        }
    }

    /// The receipt of this very enrolment, if it has one. Another one of theirs under its id is a conflict.
    async fn enrolled_already(
        &self,
        caller: &Caller,
        verified: &Verified<Enrolment>,
    ) -> Result<Option<Jws>> {
        let known = self.store.enrolment(verified.statement().enrolment).await?;
        // Whether another has this id is nothing to tell whoever may not enrol; storing finds out.
        let Some(known) = known.filter(|known| known.subject == caller.subject) else {
            return Ok(None);
        };
        let same = known.statement == verified.digest();
        match known.state {
            EnrolmentState::Live if same => Ok(known.receipt),
            // Cut off by a crash or under way in another request: settled under the lock.
            EnrolmentState::Pending if same => {
                let _held = self.changing.hold(&caller.subject).await;
                self.settle(&caller.subject).await?;
                let settled = self.store.enrolment(known.id).await?;
                Ok(settled.and_then(|enrolment| enrolment.receipt))
            }
            _ => Err(Error::Refused(ProblemCode::Conflict)),
        }
    }

    /// Destroys a template. Repeating it gives the same receipt.
    pub async fn erase(&self, caller: &Caller, id: EnrolmentId, jws: Jws) -> Result<Jws> {
        let verified = signed::<Erasure>(&jws)?;
        let erasure = verified.statement();
        addressed(self.id(), caller, &verified, &erasure.sub, &erasure.service)?;
        if erasure.enrolment != id {
            return Err(Error::because(
                ProblemCode::Refused,
                "the statement erases another enrolment than the path names",
            ));
        }
        let _held = self.changing.hold(&caller.subject).await;
        self.settle(&caller.subject).await?;
        let known = self.own_enrolment(caller, id).await?;
        if let Some(receipt) = known.erasure_receipt {
            // The ciphertext may still lie in the log if a crash came in between.
            self.store.purge().await?;
            return Ok(receipt);
        }
        self.change(&caller.subject, EnclaveRequest::Erase { erasure: jws })
            .await
    }
}
