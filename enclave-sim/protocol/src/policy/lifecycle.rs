use blindprint_core::{
    EnrolmentId, Jws, KeyUri, UnixTime,
    consent::Lifecycle,
    statement::{ErasureReceipt, KeyReceipt, KeyRotation, Recovery, RecoveryAction},
};
use blindprint_did::Verified;

use super::{
    Change, Policy, Subject, also_signed, by, signed,
    subject::{Cause, KeyChange},
    timely, usable,
};
use crate::message::Refusal;

/// A recovery and what it destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// About the keys.
    pub keys: KeyReceipt,
    /// About every template that was made on the lost device.
    pub erased: Vec<ErasureReceipt>,
}

impl Policy {
    /// Moves a subject who has enrolled to a new key, by the word of both keys. A retry gets the
    /// same receipt.
    pub fn rotate_key(
        &mut self,
        rotation: &Jws,
        possession: &Jws,
        host: UnixTime,
    ) -> Result<Change<'_, KeyReceipt>, Refusal> {
        let now = self.observe(host);
        self.fresh(now)?;
        let verified = signed::<KeyRotation>(rotation)?;
        let rotation = verified.statement();
        self.addressed(&rotation.service)?;
        let subject = self.known(&rotation.sub)?;
        let parties = self.parties(&rotation.sub);
        if let Some(receipt) = parties.key_receipt(subject, verified.digest()) {
            return Ok(Change::nothing(self, receipt));
        }
        by(&verified, &subject.pinned_key)?;
        also_signed(possession, &verified, &rotation.new_key)?;
        timely(rotation.iat, now)?;
        // Before the first enrolment there is nothing worth moving, and no recovery key to tell of.
        let recovery_key = subject.recovery_key.as_ref().ok_or(Refusal::Unknown)?;
        if rotation.new_key == subject.pinned_key || rotation.new_key == *recovery_key {
            return Err(Refusal::Mismatch);
        }
        self.given(&rotation.nonce, &rotation.sub, now)?;

        let mut subject = subject.clone();
        subject.pinned_key = rotation.new_key.clone();
        subject.key_change = Some(KeyChange {
            statement: verified.digest(),
            at: now,
        });
        let receipt = parties
            .key_receipt(&subject, verified.digest())
            .ok_or(Refusal::Unknown)?;
        let (id, nonce) = (rotation.sub.clone(), rotation.nonce);
        Ok(Change::of(self, id, subject, now, receipt).spending(nonce))
    }

    /// Recovers a subject by the word of the recovery key. A retry gets the same receipts.
    pub fn recover(
        &mut self,
        recovery: &Jws,
        possession: Option<&Jws>,
        host: UnixTime,
    ) -> Result<Change<'_, Recovered>, Refusal> {
        let now = self.observe(host);
        self.fresh(now)?;
        let verified = signed::<Recovery>(recovery)?;
        let recovery = verified.statement();
        self.addressed(&recovery.service)?;
        let subject = self.known(&recovery.sub)?;
        if let Some(answer) = self.recovered(subject, &verified) {
            return Ok(Change::nothing(self, answer));
        }
        by(
            &verified,
            subject.recovery_key.as_ref().ok_or(Refusal::Unknown)?,
        )?;
        timely(recovery.iat, now)?;
        self.given(&recovery.nonce, &recovery.sub, now)?;

        let mut subject = subject.clone();
        match (&recovery.action, possession) {
            (RecoveryAction::Unlock, None) => {}
            (
                RecoveryAction::ReplaceDevice {
                    new_key,
                    new_recovery_key,
                },
                Some(possession),
            ) => {
                also_signed(possession, &verified, new_key)?;
                usable(new_recovery_key)?;
                if *new_key == subject.pinned_key
                    || new_key == new_recovery_key
                    || new_key == verified.key()
                {
                    return Err(Refusal::Mismatch);
                }
                subject = subject.replace_device(new_key, new_recovery_key, &verified, now)?;
            }
            _ => return Err(Refusal::Malformed),
        }
        subject.attempts = subject.attempts.recovered();
        subject.key_change = Some(KeyChange {
            statement: verified.digest(),
            at: now,
        });
        let answer = self
            .recovered(&subject, &verified)
            .ok_or(Refusal::Unknown)?;
        let (id, nonce) = (recovery.sub.clone(), recovery.nonce);
        Ok(Change::of(self, id, subject, now, answer).spending(nonce))
    }

    /// The answer to a recovery that has happened.
    fn recovered(&self, subject: &Subject, verified: &Verified<Recovery>) -> Option<Recovered> {
        let parties = self.parties(&verified.statement().sub);
        let keys = parties.key_receipt(subject, verified.digest())?;
        let cause = Cause::Recovered(verified.digest());
        let erased = parties.erasure_receipts(subject, |_, other| other == cause);
        Some(Recovered { keys, erased })
    }
}

impl Subject {
    /// Pins a new device and forgets the old one's doings: every template was made under a lost
    /// encoding key, and whoever holds the lost device may have given the consents.
    fn replace_device(
        mut self,
        new_key: &KeyUri,
        new_recovery_key: &KeyUri,
        recovery: &Verified<Recovery>,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        self.pinned_key = new_key.clone();
        self.recovery_key = Some(new_recovery_key.clone());
        for consent in self.consents.values_mut() {
            if let Ok(withdrawn) = consent.lifecycle.clone().withdraw(now) {
                consent.lifecycle = Lifecycle::Withdrawn(withdrawn);
                consent.ended = self.head;
            }
        }
        let cause = Cause::Recovered(recovery.digest());
        let enrolments: Vec<EnrolmentId> = self.enrolments.keys().copied().collect();
        enrolments
            .into_iter()
            .try_fold(self, |subject, id| subject.erase(id, cause, now))
    }
}
