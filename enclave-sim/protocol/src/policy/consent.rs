use blindprint_core::{
    Jws, SubjectId, UnixTime,
    statement::{Consent, ConsentReceipt, ErasureReceipt, Withdrawal},
};
use blindprint_did::resolve;

use super::{
    Change, MAX_NEWCOMERS, MAX_SUBJECTS, Policy, by, signed,
    subject::{Cause, ConsentRecord, Subject},
    timely,
};
use crate::message::Refusal;

/// A withdrawal and what it destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// About the consent.
    pub consent: ConsentReceipt,
    /// About every template that no other live consent covers.
    pub erased: Vec<ErasureReceipt>,
}

impl Policy {
    /// Takes note of a consent. The first one pins the subject's key, which must be the one inside
    /// the DID; the host's resolution has no say. Anybody can make a DID, so there is room for a
    /// few of those who never enrol only.
    pub fn give_consent(
        &mut self,
        jws: &Jws,
        host: UnixTime,
    ) -> Result<Change<'_, ConsentReceipt>, Refusal> {
        let now = self.observe(host);
        let verified = signed::<Consent>(jws)?;
        let consent = verified.statement();
        self.addressed(&consent.service)?;
        let (subject, forgotten) = if let Some(subject) = self.registry.subject(&consent.sub) {
            by(&verified, &subject.pinned_key)?;
            (subject.clone(), Vec::new())
        } else {
            let key = resolve(&consent.sub).map_err(|_| Refusal::Signature)?.uri();
            by(&verified, &key)?;
            (Subject::pinned(key, now), self.room_for_one(now)?)
        };
        if let Some(known) = subject.consents.get(&consent.id)
            && known.record == verified.digest()
            && known.withdrawn.is_none()
        {
            let receipt = self
                .parties(&consent.sub)
                .consent_receipt(&subject, consent.id, now);
            return Ok(Change::nothing(self, receipt.ok_or(Refusal::Unknown)?));
        }
        timely(consent.given, now)?;
        if consent.expires <= now.max(consent.given) {
            return Err(Refusal::Stale);
        }
        let subject =
            subject.consent(consent.id, ConsentRecord::new(consent, verified.digest()))?;
        let receipt = self
            .parties(&consent.sub)
            .consent_receipt(&subject, consent.id, now);
        let receipt = receipt.ok_or(Refusal::Unknown)?;
        let id = consent.sub.clone();
        Ok(Change::of(self, id, subject, now, receipt).forgetting(forgotten))
    }

    /// Whom to forget so that there is room for one more newcomer: all who never enrolled and whose
    /// consents have ended, and the oldest of the others if they are too many.
    fn room_for_one(&self, now: UnixTime) -> Result<Vec<SubjectId>, Refusal> {
        let newcomers = self.registry.newcomers();
        let (mut forgotten, staying): (Vec<_>, Vec<_>) = newcomers
            .partition(|(_, subject)| subject.has_ended(now) && subject.is_forgettable(now));
        if staying.len() >= MAX_NEWCOMERS {
            let forgettable = staying
                .iter()
                .filter(|(_, subject)| subject.is_forgettable(now));
            let oldest = forgettable.min_by_key(|(_, subject)| subject.since);
            forgotten.push(*oldest.ok_or(Refusal::Full)?);
        }
        if self.registry.len() - forgotten.len() >= MAX_SUBJECTS {
            return Err(Refusal::Full);
        }
        Ok(forgotten.into_iter().map(|(id, _)| id.clone()).collect())
    }

    /// Ends a consent, at any time and however old the statement is: it can do no harm twice. A
    /// retry gets the same answer.
    pub fn withdraw(
        &mut self,
        jws: &Jws,
        host: UnixTime,
    ) -> Result<Change<'_, Withdrawn>, Refusal> {
        let now = self.observe(host);
        let verified = signed::<Withdrawal>(jws)?;
        let withdrawal = verified.statement();
        self.addressed(&withdrawal.service)?;
        let subject = self.known(&withdrawal.sub)?;
        by(&verified, &subject.pinned_key)?;
        let id = withdrawal.consent;
        let known = subject.consents.get(&id).ok_or(Refusal::Unknown)?;
        let done = known.withdrawn.is_some();
        let subject = if done {
            subject.clone()
        } else {
            subject.clone().withdraw(id, now)?
        };
        let parties = self.parties(&withdrawal.sub);
        let answer = Withdrawn {
            consent: parties
                .consent_receipt(&subject, id, now)
                .ok_or(Refusal::Unknown)?,
            erased: parties.erasure_receipts(&subject, |_, cause| cause == Cause::Withdrawn(id)),
        };
        if done {
            Ok(Change::nothing(self, answer))
        } else {
            Ok(Change::of(
                self,
                withdrawal.sub.clone(),
                subject,
                now,
                answer,
            ))
        }
    }
}
