use blindprint_core::{
    Digest, Jws, Nonce, UnixTime,
    statement::{Enrolment, EnrolmentReceipt, TemplateCheck},
};

use super::{
    Change, Policy, also_signed, by, signed,
    subject::{Enrolled, Subject},
    timely, usable,
};
use crate::{DataKey, message::Refusal};

impl Policy {
    /// Registers a template under the subject who signed for it, from a consent that the enclave
    /// has seen itself. From the second template on the recovery key must have signed the same: a
    /// stolen wallet must not put its thief's face in the place of its owner's. The data key that
    /// was drawn with the nonce is the template's from now on. A retry of a registration that holds
    /// gets the same receipt.
    pub fn register(
        &mut self,
        jws: &Jws,
        recovery: Option<&Jws>,
        checks: &[Jws],
        handle: Nonce,
        host: UnixTime,
    ) -> Result<Change<'_, EnrolmentReceipt>, Refusal> {
        let now = self.observe(host);
        self.fresh(now)?;
        let verified = signed::<Enrolment>(jws)?;
        let enrolment = verified.statement();
        self.addressed(&enrolment.service)?;
        let subject = self.known(&enrolment.sub)?;
        by(&verified, &subject.pinned_key)?;
        if let Some(known) = subject.enrolments.get(&enrolment.enrolment)
            && known.statement == verified.digest()
        {
            let receipt = self
                .parties(&enrolment.sub)
                .enrolment_receipt(subject, enrolment.enrolment);
            return Ok(Change::nothing(self, receipt.ok_or(Refusal::Unknown)?));
        }
        let data_key = self.permit_enrolment(enrolment, subject, now)?.clone();
        match recovery {
            Some(recovery) => also_signed(recovery, &verified, &enrolment.recovery_key)?,
            None if subject.recovery_key.is_some() => return Err(Refusal::RecoveryNeeded),
            None => {}
        }
        let template = self.checked_template(enrolment, checks)?;

        let own = (handle, data_key);
        let enrolled = Enrolled::new(enrolment, verified.digest(), template, own, now);
        let subject = subject.clone().enrol(
            enrolment.enrolment,
            enrolled,
            enrolment.recovery_key.clone(),
        )?;
        let receipt = self
            .parties(&enrolment.sub)
            .enrolment_receipt(&subject, enrolment.enrolment);
        let receipt = receipt.ok_or(Refusal::Unknown)?;
        let (id, nonce) = (enrolment.sub.clone(), enrolment.nonce);
        Ok(Change::of(self, id, subject, now, receipt).spending(nonce))
    }

    /// The data key that the template gets, if it may be registered.
    fn permit_enrolment(
        &self,
        enrolment: &Enrolment,
        subject: &Subject,
        now: UnixTime,
    ) -> Result<&DataKey, Refusal> {
        if enrolment.key != self.terms.key {
            return Err(Refusal::WrongKey);
        }
        timely(enrolment.iat, now)?;
        if !subject.consented_by(enrolment.consent, enrolment.purpose, now) {
            return Err(Refusal::NoConsent);
        }
        if subject.attempts.locked(now) {
            return Err(Refusal::Locked);
        }
        permit_recovery_key(enrolment, subject)?;
        self.given(&enrolment.nonce, &enrolment.sub, now)
    }

    /// The digest that all the matchers say the stored template has.
    fn checked_template(&self, enrolment: &Enrolment, checks: &[Jws]) -> Result<Digest, Refusal> {
        let binding = enrolment.binding().digest();
        let (_, checks): (_, Vec<TemplateCheck>) =
            self.matchers.quorum(checks, self.terms.matchers)?;
        let template = checks.first().ok_or(Refusal::Evaluations)?.template;
        let hold = checks.iter().all(|check| {
            check.binding == binding
                && check.submission == enrolment.submission
                && check.template == template
                && check.parameters == self.terms.parameters
                && check.key == self.terms.key
        });
        if hold {
            Ok(template)
        } else {
            Err(Refusal::Evaluations)
        }
    }
}

/// The recovery key is set once: whoever steals the wallet cannot put their own in its place, and
/// it is another key than the wallet's.
fn permit_recovery_key(enrolment: &Enrolment, subject: &Subject) -> Result<(), Refusal> {
    usable(&enrolment.recovery_key)?;
    let fits = match &subject.recovery_key {
        Some(set) => enrolment.recovery_key == *set,
        None => enrolment.recovery_key != subject.pinned_key,
    };
    if fits { Ok(()) } else { Err(Refusal::Mismatch) }
}
