use blindprint_core::{
    ConsentId, Entropy, Jws, Nonce, SubjectId, UnixTime,
    consent::{ConsentState, Lifecycle, chain},
    statement::{Consent, ConsentReceipt, ErasureReceipt, Withdrawal},
};
use blindprint_did::{Verified, resolve};

use super::{
    Change, MAX_NEWCOMERS, MAX_SUBJECTS, Policy, by, signed,
    subject::{Cause, ConsentRecord, Subject},
    timely,
};
use crate::message::{EndCause, Refusal};

/// A consent that ended and what went with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// About the consent.
    pub consent: ConsentReceipt,
    /// About every template that no other live consent covers.
    pub erased: Vec<ErasureReceipt>,
}

impl Policy {
    /// Takes note of a consent or its refusal, the next link of the subject's chain. The first one
    /// pins the subject's key, which must be the one inside the DID; the host's resolution has no
    /// say. Anybody can make a DID, so there is room for a few of those who never enrol only.
    pub fn give_consent(
        &mut self,
        jws: &Jws,
        entropy: &dyn Entropy,
        host: UnixTime,
    ) -> Result<Change<'_, ConsentReceipt>, Refusal> {
        let now = self.observe(host);
        self.fresh(now)?;
        let verified = signed::<Consent>(jws)?;
        let consent = verified.statement();
        self.addressed(&consent.service)?;
        let (subject, forgotten) = if let Some(subject) = self.registry.subject(&consent.sub) {
            by(&verified, &subject.pinned_key)?;
            (subject.clone(), Vec::new())
        } else {
            let key = resolve(&consent.sub).map_err(|_| Refusal::Signature)?.uri();
            by(&verified, &key)?;
            self.outlives(consent, now)?;
            let subject = Subject::pinned(key, entropy, now);
            (subject, self.room_for_one(now)?)
        };
        if let Some(known) = subject.consents.get(&consent.id)
            && known.statement == verified.digest()
            && known.lifecycle.ended().is_none()
        {
            let receipt = self
                .parties(&consent.sub)
                .consent_receipt(&subject, consent.id, now);
            return Ok(Change::nothing(self, receipt.ok_or(Refusal::Unknown)?));
        }
        timely(consent.given, now)?;
        let record = permitted(&verified, Nonce::random(entropy), now)?;
        let subject = subject.consent(consent.id, record, consent.previous, now)?;
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
        self.standing()?;
        let verified = signed::<Withdrawal>(jws)?;
        let withdrawal = verified.statement();
        self.addressed(&withdrawal.service)?;
        let subject = self.known(&withdrawal.sub)?;
        by(&verified, &subject.pinned_key)?;
        let (id, event) = (withdrawal.consent, Some(verified.digest()));
        let next = subject.clone().withdraw(id, event, now)?;
        self.ended(&withdrawal.sub, id, next, now)
    }

    /// Ends a consent by the host's word, which can only ever take away. A retry gets the same answer.
    pub fn end_consent(
        &mut self,
        subject: &SubjectId,
        id: ConsentId,
        cause: EndCause,
        host: UnixTime,
    ) -> Result<Change<'_, Withdrawn>, Refusal> {
        let now = self.observe(host);
        self.standing()?;
        let known = self.known(subject)?.clone();
        let next = match cause {
            EndCause::Invalidated => known.invalidate(id, now)?,
            EndCause::WithdrawnOnBehalf => known.withdraw(id, None, now)?,
        };
        self.ended(subject, id, next, now)
    }

    /// The answer once a consent has ended, and the change if it had not before.
    fn ended(
        &mut self,
        id: &SubjectId,
        consent: ConsentId,
        next: Subject,
        now: UnixTime,
    ) -> Result<Change<'_, Withdrawn>, Refusal> {
        let parties = self.parties(id);
        let answer = Withdrawn {
            consent: parties
                .consent_receipt(&next, consent, now)
                .ok_or(Refusal::Unknown)?,
            erased: parties.erasure_receipts(&next, |_, cause| cause == Cause::Withdrawn(consent)),
        };
        if *self.known(id)? == next {
            Ok(Change::nothing(self, answer))
        } else {
            Ok(Change::of(self, id.clone(), next, now, answer))
        }
    }
}

/// What is remembered of an answer that may be taken: one that says what it must, and, if it is a
/// consent, holds at this moment.
fn permitted(
    verified: &Verified<Consent>,
    handle: Nonce,
    now: UnixTime,
) -> Result<ConsentRecord, Refusal> {
    let consent = verified.statement();
    let lifecycle = Lifecycle::try_from(consent).map_err(|_| Refusal::Malformed)?;
    if lifecycle.state(now) == ConsentState::Expired {
        return Err(Refusal::Stale);
    }
    Ok(ConsentRecord {
        statement: verified.digest(),
        handle,
        notice: consent.notice,
        lifecycle,
        head: chain(consent.previous, verified.digest()),
        ended: None,
    })
}
