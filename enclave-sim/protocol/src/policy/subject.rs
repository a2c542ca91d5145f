use std::collections::BTreeMap;

use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Entropy, KeyUri, Nonce, ProfileId, ServiceId, SubjectId,
    UnixTime,
    consent::{Lifecycle, Scope, chain},
    statement::{ConsentReceipt, Enrolment, EnrolmentReceipt, ErasureReceipt, KeyReceipt, Purpose},
};
use serde::{Deserialize, Serialize};

use super::{TOLERANCE, attempts::Attempts};
use crate::{DataKey, message::Refusal};

/// Most consents that one subject may ever give or refuse.
pub const MAX_CONSENTS: usize = 256;
/// Most consents of one subject that may be live at once: as many as one receipt can name.
pub const MAX_LIVE_CONSENTS: usize = 24;
/// Most enrolments that one subject may ever make, destroyed ones included.
pub const MAX_ENROLMENTS: usize = 256;

/// What the enclave knows of one subject. It changes by value: a refused transition leaves nothing behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subject {
    /// When the enclave first heard of them.
    pub(super) since: UnixTime,
    /// Their name in the transparency log.
    pub(super) handle: Nonce,
    /// What signs for the subject.
    pub(super) pinned_key: KeyUri,
    /// Set by the first enrolment; changed by nothing but itself.
    pub(super) recovery_key: Option<KeyUri>,
    /// What the subject signed last about consent; see [`chain`].
    pub(super) head: Option<Digest>,
    pub(super) consents: BTreeMap<ConsentId, ConsentRecord>,
    pub(super) enrolments: BTreeMap<EnrolmentId, Enrolled>,
    /// Ids stay used, and a retried destruction gets the same receipts.
    pub(super) erased: BTreeMap<EnrolmentId, Erased>,
    pub(super) attempts: Attempts,
    /// The last rotation or recovery, so that a retry gets the same receipt.
    pub(super) key_change: Option<KeyChange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsentRecord {
    /// Digest of the consent's JWS, which names the consent record.
    pub(super) statement: Digest,
    pub(super) handle: Nonce,
    pub(super) notice: Digest,
    pub(super) lifecycle: Lifecycle,
    /// Head of the chain after it was given or refused.
    pub(super) head: Digest,
    /// Head of the chain when it ended before its time.
    pub(super) ended: Option<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Enrolled {
    /// Digest of the enrolment's JWS, by which a retry is known.
    pub(super) statement: Digest,
    pub(super) profile: ProfileId,
    pub(super) purpose: Purpose,
    pub(super) key: Digest,
    pub(super) template: Digest,
    pub(super) submission: Digest,
    pub(super) consent: Digest,
    pub(super) replaced: Option<EnrolmentId>,
    pub(super) handle: Nonce,
    /// What the template is encrypted under on the host's disk. It goes with this entry.
    pub(super) data_key: DataKey,
    pub(super) at: UnixTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Erased {
    pub(super) template: Digest,
    pub(super) handle: Nonce,
    pub(super) cause: Cause,
    pub(super) at: UnixTime,
}

/// Why a template was destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cause {
    /// The subject asked, or the host ordered it.
    Asked,
    /// Another enrolment took its place.
    Replaced,
    /// This consent was withdrawn, by the subject or on their behalf, and no other covered it.
    Withdrawn(ConsentId),
    /// The recovery with this statement replaced the device.
    Recovered(Digest),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyChange {
    /// Digest of the statement's JWS.
    pub(super) statement: Digest,
    pub(super) at: UnixTime,
}

impl ConsentRecord {
    fn covers(&self, scope: &Scope, now: UnixTime) -> bool {
        self.lifecycle.covers(scope, now)
    }
}

impl Enrolled {
    pub(super) fn new(
        enrolment: &Enrolment,
        statement: Digest,
        template: Digest,
        (handle, data_key): (Nonce, DataKey),
        at: UnixTime,
    ) -> Self {
        Self {
            handle,
            data_key,
            statement,
            profile: enrolment.profile,
            purpose: enrolment.purpose,
            key: enrolment.key,
            template,
            submission: enrolment.submission,
            consent: enrolment.consent,
            replaced: enrolment.replaces,
            at,
        }
    }
}

impl Subject {
    /// A subject of whom nothing is known but the key.
    pub(super) fn pinned(pinned_key: KeyUri, entropy: &dyn Entropy, since: UnixTime) -> Self {
        Self {
            since,
            handle: Nonce::random(entropy),
            pinned_key,
            recovery_key: None,
            head: None,
            consents: BTreeMap::new(),
            enrolments: BTreeMap::new(),
            erased: BTreeMap::new(),
            attempts: Attempts::default(),
            key_change: None,
        }
    }

    /// Their name in the log, and those of everything of theirs that could end.
    pub(super) fn handles(&self) -> impl Iterator<Item = Nonce> {
        let consents = self.consents.values().map(|consent| consent.handle);
        let enrolments = self.enrolments.values().map(|enrolled| enrolled.handle);
        std::iter::once(self.handle)
            .chain(consents)
            .chain(enrolments)
    }

    /// Whether they never enrolled, so that nothing but their consents would be lost with them.
    pub(super) const fn is_newcomer(&self) -> bool {
        self.recovery_key.is_none()
    }

    /// Whether no consent holds any more.
    pub(super) fn has_ended(&self, now: UnixTime) -> bool {
        self.live_consents(now).count() == 0
    }

    /// Whether they may be forgotten: a consent that ended early is too old to be given again.
    pub(super) fn is_forgettable(&self, now: UnixTime) -> bool {
        self.consents
            .values()
            .map(|consent| &consent.lifecycle)
            .all(|life| life.ended().is_none() || now.since(life.given()) > TOLERANCE)
    }

    /// The consents that allow anything.
    pub(super) fn live_consents(
        &self,
        now: UnixTime,
    ) -> impl Iterator<Item = (&ConsentId, &ConsentRecord)> {
        let consents = self.consents.iter();
        consents.filter(move |(_, consent)| consent.lifecycle.is_live(now))
    }

    /// Whether any live consent allows this.
    pub(super) fn consents_to(&self, scope: &Scope, now: UnixTime) -> bool {
        self.consents
            .values()
            .any(|consent| consent.covers(scope, now))
    }

    /// Whether any live consent covers the enrolments of this purpose.
    pub(super) fn covers(&self, purpose: Purpose, now: UnixTime) -> bool {
        Scope::new(purpose, None).is_ok_and(|scope| self.consents_to(&scope, now))
    }

    /// Whether the consent with this digest is live and covers the enrolments of `purpose`.
    pub(super) fn consented_by(&self, statement: Digest, purpose: Purpose, now: UnixTime) -> bool {
        Scope::new(purpose, None).is_ok_and(|scope| {
            self.consents
                .values()
                .any(|consent| consent.statement == statement && consent.covers(&scope, now))
        })
    }

    /// Takes a new consent or refusal, the next link of the chain.
    pub(super) fn consent(
        mut self,
        id: ConsentId,
        record: ConsentRecord,
        previous: Option<Digest>,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        if self.consents.contains_key(&id) {
            return Err(Refusal::Conflict);
        }
        // Whom the enclave does not know, or has forgotten, tells where their chain stands.
        if self.head.is_some() && self.head != previous {
            return Err(Refusal::Chain);
        }
        if self.consents.len() >= MAX_CONSENTS
            || self.live_consents(now).count() >= MAX_LIVE_CONSENTS
        {
            return Err(Refusal::Full);
        }
        self.head = Some(record.head);
        self.consents.insert(id, record);
        Ok(self)
    }

    /// Ends a consent, and with it every template that no other live consent covers. The subject's
    /// own word, of which this is the digest, is the next link of the chain. What has ended already
    /// stays as it is.
    pub(super) fn withdraw(
        mut self,
        id: ConsentId,
        signed: Option<Digest>,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let consent = self.consents.get_mut(&id).ok_or(Refusal::Unknown)?;
        let Ok(withdrawn) = consent.lifecycle.clone().withdraw(now) else {
            return Ok(self);
        };
        consent.lifecycle = Lifecycle::Withdrawn(withdrawn);
        self.head = match signed {
            Some(event) => Some(chain(self.head, event)),
            None => self.head,
        };
        consent.ended = self.head;
        let uncovered: Vec<EnrolmentId> = self
            .enrolments
            .iter()
            .filter(|(_, enrolled)| !self.covers(enrolled.purpose, now))
            .map(|(enrolment, _)| *enrolment)
            .collect();
        uncovered.into_iter().try_fold(self, |subject, enrolment| {
            subject.erase(enrolment, Cause::Withdrawn(id), now)
        })
    }

    /// Ends a consent that no longer informs. Templates stay for the next one.
    pub(super) fn invalidate(mut self, id: ConsentId, now: UnixTime) -> Result<Self, Refusal> {
        let consent = self.consents.get_mut(&id).ok_or(Refusal::Unknown)?;
        if let Ok(invalidated) = consent.lifecycle.clone().invalidate(now) {
            consent.lifecycle = Lifecycle::Invalidated(invalidated);
            consent.ended = self.head;
        }
        Ok(self)
    }

    /// Registers a template, in the place of the one it replaces.
    pub(super) fn enrol(
        mut self,
        id: EnrolmentId,
        enrolled: Enrolled,
        recovery_key: KeyUri,
    ) -> Result<Self, Refusal> {
        if self.enrolments.contains_key(&id) || self.erased.contains_key(&id) {
            return Err(Refusal::Conflict);
        }
        if self.enrolments.len() + self.erased.len() >= MAX_ENROLMENTS {
            return Err(Refusal::Full);
        }
        if let Some(replaced) = enrolled.replaced {
            let old = self.enrolments.get(&replaced).ok_or(Refusal::Unknown)?;
            if old.profile != enrolled.profile {
                return Err(Refusal::Mismatch);
            }
            self = self.erase(replaced, Cause::Replaced, enrolled.at)?;
        }
        if self
            .enrolments
            .values()
            .any(|other| other.profile == enrolled.profile)
        {
            return Err(Refusal::Conflict);
        }
        self.recovery_key = Some(recovery_key);
        self.enrolments.insert(id, enrolled);
        Ok(self)
    }

    /// Destroys a template.
    pub(super) fn erase(
        mut self,
        id: EnrolmentId,
        cause: Cause,
        at: UnixTime,
    ) -> Result<Self, Refusal> {
        let enrolled = self.enrolments.remove(&id).ok_or(Refusal::Unknown)?;
        self.erased.insert(
            id,
            Erased {
                template: enrolled.template,
                handle: enrolled.handle,
                cause,
                at,
            },
        );
        Ok(self)
    }
}

/// A subject's name and the service's, which every receipt carries.
#[derive(Clone, Copy)]
pub(super) struct Parties<'a> {
    pub(super) service: &'a ServiceId,
    pub(super) subject: &'a SubjectId,
}

impl Parties<'_> {
    /// About a consent that `subject` holds.
    pub(super) fn consent_receipt(
        self,
        subject: &Subject,
        id: ConsentId,
        now: UnixTime,
    ) -> Option<ConsentReceipt> {
        let consent = subject.consents.get(&id)?;
        Some(ConsentReceipt {
            iss: self.service.clone(),
            sub: self.subject.clone(),
            consent: id,
            statement: consent.statement,
            state: consent.lifecycle.state(now),
            expires: consent.lifecycle.expires(),
            head: consent.ended.unwrap_or(consent.head),
            handle: consent.handle,
            iat: consent.lifecycle.ended().unwrap_or(now),
        })
    }

    /// About a live enrolment of `subject`.
    pub(super) fn enrolment_receipt(
        self,
        subject: &Subject,
        id: EnrolmentId,
    ) -> Option<EnrolmentReceipt> {
        let enrolled = subject.enrolments.get(&id)?;
        Some(EnrolmentReceipt {
            iss: self.service.clone(),
            sub: self.subject.clone(),
            enrolment: id,
            template: enrolled.template,
            submission: enrolled.submission,
            consent: enrolled.consent,
            profile: enrolled.profile,
            key: enrolled.key,
            pinned_key: subject.pinned_key.clone(),
            replaced: enrolled.replaced,
            handle: enrolled.handle,
            iat: enrolled.at,
        })
    }

    /// About the templates of `subject` that were destroyed for a reason.
    pub(super) fn erasure_receipts(
        self,
        subject: &Subject,
        wanted: impl Fn(EnrolmentId, Cause) -> bool,
    ) -> Vec<ErasureReceipt> {
        subject
            .erased
            .iter()
            .filter(|(id, erased)| wanted(**id, erased.cause))
            .map(|(id, erased)| ErasureReceipt {
                iss: self.service.clone(),
                sub: self.subject.clone(),
                enrolment: *id,
                template: erased.template,
                handle: erased.handle,
                iat: erased.at,
            })
            .collect()
    }

    /// About the keys of `subject` after the change `statement`.
    pub(super) fn key_receipt(self, subject: &Subject, statement: Digest) -> Option<KeyReceipt> {
        let change = subject
            .key_change
            .as_ref()
            .filter(|change| change.statement == statement)?;
        Some(KeyReceipt {
            iss: self.service.clone(),
            sub: self.subject.clone(),
            pinned_key: subject.pinned_key.clone(),
            recovery_key: subject.recovery_key.clone()?,
            erased: self
                .erasure_receipts(subject, |_, cause| cause == Cause::Recovered(statement))
                .into_iter()
                .map(|receipt| receipt.enrolment)
                .collect(),
            iat: change.at,
        })
    }
}
