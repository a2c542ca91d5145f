use blindprint_core::{
    Digest, Jws, Nonce, SubjectId, UnixTime,
    statement::{
        Consent, ErasedConsent, ErasedEnrolment, Erasure, ErasureReceipt, SubjectErasure,
        SubjectErasureReceipt,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    Change, EnrolmentId, Policy, TOLERANCE, by,
    registry::Write,
    signed,
    subject::{Cause, Subject},
};
use crate::message::Refusal;

/// Seconds for which the enclave remembers that it forgot somebody, so that a retry gets the same
/// answer.
pub const TOMBSTONE_PERIOD: i64 = 30 * 24 * 3600;

/// What is left of a subject who was forgotten: enough to repeat the receipt to whoever can name
/// them, and nothing that names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tombstone {
    /// Digest of the subject's own statement; `None` if the host ordered it.
    statement: Option<Digest>,
    /// The key that was pinned, blinded as the subject is.
    pinned_key: Digest,
    handle: Nonce,
    enrolments: Vec<ErasedEnrolment>,
    consents: Vec<ErasedConsent>,
    data_keys: u32,
    pub(super) at: UnixTime,
}

impl Tombstone {
    fn of(subject: &Subject, pinned_key: Digest, statement: Option<Digest>, at: UnixTime) -> Self {
        let enrolments = subject.enrolments.iter();
        let enrolments: Vec<_> = enrolments
            .map(|(id, enrolled)| ErasedEnrolment {
                enrolment: *id,
                template: enrolled.template,
                handle: enrolled.handle,
            })
            .collect();
        let consents = subject.live_consents(at);
        Self {
            statement,
            pinned_key,
            handle: subject.handle,
            consents: consents
                .map(|(id, consent)| ErasedConsent {
                    consent: *id,
                    handle: consent.handle,
                })
                .collect(),
            data_keys: u32::try_from(enrolments.len()).unwrap_or(u32::MAX),
            enrolments,
            at,
        }
    }

    /// Whether it is still remembered at `now`.
    pub(super) const fn stands(&self, now: UnixTime) -> bool {
        now.since(self.at) < TOMBSTONE_PERIOD
    }
}

impl Policy {
    /// Destroys a template, however old the statement is. A retry gets the same receipt.
    pub fn erase(
        &mut self,
        jws: &Jws,
        host: UnixTime,
    ) -> Result<Change<'_, ErasureReceipt>, Refusal> {
        let now = self.observe(host);
        self.standing()?;
        let verified = signed::<Erasure>(jws)?;
        let erasure = verified.statement();
        self.addressed(&erasure.service)?;
        by(&verified, &self.known(&erasure.sub)?.pinned_key)?;
        self.destroy(&erasure.sub, erasure.enrolment, now)
    }

    /// Destroys a template by the host's word. A retry gets the same receipt.
    pub fn erase_ordered(
        &mut self,
        subject: &SubjectId,
        enrolment: EnrolmentId,
        host: UnixTime,
    ) -> Result<Change<'_, ErasureReceipt>, Refusal> {
        let now = self.observe(host);
        self.standing()?;
        self.destroy(subject, enrolment, now)
    }

    fn destroy(
        &mut self,
        id: &SubjectId,
        enrolment: EnrolmentId,
        now: UnixTime,
    ) -> Result<Change<'_, ErasureReceipt>, Refusal> {
        let subject = self.known(id)?.clone();
        let done = subject.erased.contains_key(&enrolment);
        let subject = if done {
            subject
        } else {
            subject.erase(enrolment, Cause::Asked, now)?
        };
        let this = |other: EnrolmentId, _| other == enrolment;
        let receipts = self.parties(id).erasure_receipts(&subject, this);
        let receipt = receipts.into_iter().next().ok_or(Refusal::Unknown)?;
        if done {
            Ok(Change::nothing(self, receipt))
        } else {
            Ok(Change::of(self, id.clone(), subject, now, receipt))
        }
    }

    /// Forgets a subject by their own word. A retry gets the same receipt, for
    /// [`TOMBSTONE_PERIOD`]; a statement from before they came again is none about what came after.
    pub fn erase_subject(
        &mut self,
        jws: &Jws,
        host: UnixTime,
    ) -> Result<Change<'_, SubjectErasureReceipt>, Refusal> {
        let now = self.observe(host);
        self.standing()?;
        let verified = signed::<SubjectErasure>(jws)?;
        let erasure = verified.statement();
        self.addressed(&erasure.service)?;
        let id = &erasure.sub;
        let statement = Some(verified.digest());
        let gone = self.registry.subject(id).is_none();
        let tombstone = self.registry.tombstone(id, now);
        if let Some(tombstone) = tombstone.filter(|t| gone || t.statement == statement) {
            let signer = self.registry.blind(verified.key().as_str());
            if tombstone.pinned_key != signer {
                return Err(Refusal::Signature);
            }
            let receipt = self.forgotten(id, tombstone);
            return Ok(Change::nothing(self, receipt));
        }
        let subject = self.known(id)?;
        by(&verified, &subject.pinned_key)?;
        if subject.since.since(erasure.iat) > TOLERANCE {
            return Err(Refusal::Stale);
        }
        self.bury(id, statement, now)
    }

    /// Forgets a subject by the host's word. A retry gets the same receipt, for
    /// [`TOMBSTONE_PERIOD`].
    pub fn erase_subject_ordered(
        &mut self,
        id: &SubjectId,
        host: UnixTime,
    ) -> Result<Change<'_, SubjectErasureReceipt>, Refusal> {
        let now = self.observe(host);
        self.standing()?;
        if self.registry.subject(id).is_some() {
            return self.bury(id, None, now);
        }
        let tombstone = self.registry.tombstone(id, now).ok_or(Refusal::Unknown)?;
        let receipt = self.forgotten(id, tombstone);
        Ok(Change::nothing(self, receipt))
    }

    /// That a consent was given after its subject was last forgotten. Whoever holds an older one
    /// could otherwise bring them back with it.
    pub(super) fn outlives(&self, consent: &Consent, now: UnixTime) -> Result<(), Refusal> {
        match self.registry.tombstone(&consent.sub, now) {
            Some(tombstone) if consent.given <= tombstone.at.plus(TOLERANCE) => Err(Refusal::Stale),
            _ => Ok(()),
        }
    }

    fn bury(
        &mut self,
        id: &SubjectId,
        statement: Option<Digest>,
        now: UnixTime,
    ) -> Result<Change<'_, SubjectErasureReceipt>, Refusal> {
        let tombstone = self.tombstone_of(self.known(id)?, statement, now);
        let receipt = self.forgotten(id, &tombstone);
        let write = self
            .registry
            .burying(Write::nothing(now), id.clone(), tombstone);
        Ok(Change::writing(self, write, receipt))
    }

    /// What is left of `subject` when they go.
    pub(super) fn tombstone_of(
        &self,
        subject: &Subject,
        statement: Option<Digest>,
        now: UnixTime,
    ) -> Tombstone {
        let pinned_key = self.registry.blind(subject.pinned_key.as_str());
        Tombstone::of(subject, pinned_key, statement, now)
    }

    fn forgotten(&self, id: &SubjectId, tombstone: &Tombstone) -> SubjectErasureReceipt {
        SubjectErasureReceipt {
            iss: self.terms.service.clone(),
            sub: id.clone(),
            handle: tombstone.handle,
            enrolments: tombstone.enrolments.clone(),
            consents: tombstone.consents.clone(),
            data_keys_destroyed: tombstone.data_keys,
            ordered: tombstone.statement.is_none(),
            iat: tombstone.at,
        }
    }
}
