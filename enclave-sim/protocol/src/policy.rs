//! What the enclave permits, without any I/O.
//!
//! Time, randomness, decryption and persistence are arguments or effects: an operation takes the
//! host's time and signed statements, and either refuses or returns a [`Change`]. The process makes
//! [`Change::snapshot`] durable first and then [`Change::commit`]s it, which gives the answer; a
//! change that is dropped has not happened.
//!
//! ```
//! use blindprint_core::{Jws, UnixTime, statement::ErasureReceipt};
//! use blindprint_protocol::{message::Refusal, policy::Policy};
//!
//! fn erase(policy: &mut Policy, erasure: &Jws, now: UnixTime) -> Result<ErasureReceipt, Refusal> {
//!     let change = policy.erase(erasure, now)?;
//!     if let Some(snapshot) = change.snapshot() {
//!         seal(&snapshot).map_err(|_| Refusal::Storage)?;
//!     }
//!     Ok(change.commit())
//! }
//! # fn seal(_: &[u8]) -> std::io::Result<()> { Ok(()) }
//! ```
//!
//! The [`Registry`] outlives the process. Nonces, challenges and admitted matchers do not, so that
//! nothing asked of one boot can be answered in another. Verdicts open in two steps with types of
//! their own: [`Policy::begin_open`] leads to a [`PendingOpening`], whose attempt is counted before
//! there is anything to decrypt; [`PendingOpening::compare`] counts false evaluations, and only
//! [`Agreed::finish`] makes a verdict.
//!
//! The host's clock is not trusted to go forward: the present is the later of it and the
//! highest time ever seen. A clock ahead of its time only makes consents, nonces and statements end
//! early; withdrawal and erasure do not depend on time at all.
//!
//! What the host may order without a signature only ever takes away: it ends consents, destroys
//! templates and forgets subjects. Where a witness is set, the enclave does more than end what there is
//! only while it is *fresh*: while it has lately seen a transparency log that the witness cosigned
//! (`freshness.rs`). A data key lives and dies with its enrolment, so that whatever
//! backups hold of the template dies too.

mod attempts;
mod consent;
mod continuity;
mod erasure;
mod freshness;
mod lifecycle;
mod open;
mod quorum;
mod register;
mod registry;
mod subject;
mod tickets;

use blindprint_core::{
    Audience, Digest, EnrolmentId, Jws, KeyUri, Nonce, ServiceId, SubjectId, UnixTime,
    statement::{Purpose, Statement},
};
use blindprint_did::{DidError, PublicKey, Verified, verify};
use zeroize::Zeroizing;

use crate::{
    DataKey,
    message::{DataKeyOf, Refusal},
};

pub use attempts::{BUDGET, BUDGET_PERIOD, DELAY, FREE_FAILURES, MOST_FAILURES};
pub use consent::Withdrawn;
pub use continuity::{Continuity, Mark, Rollback, continuity};
pub use erasure::TOMBSTONE_PERIOD;
pub use freshness::{LogTerms, Marked, Shown};
pub use lifecycle::Recovered;
pub use open::{Agreed, ChallengeIssued, ChallengeRequest, MOST_INCIDENTS, PendingOpening};
pub use quorum::{AttestedMatcher, MAX_ADMITTED, PRESENCE};
pub use registry::{MAX_NEWCOMERS, MAX_SUBJECTS, Registry, RegistryError};
pub use subject::{MAX_CONSENTS, MAX_ENROLMENTS, MAX_LIVE_CONSENTS};

use freshness::{Freshness, Learnt};
use quorum::Matchers;
use registry::Write;
use subject::{Parties, Subject};
use tickets::{Limits, Tickets};

/// Most matchers that may have to agree.
pub const MAX_MATCHERS: usize = 8;
/// Seconds that a statement's time may lie before or after the present.
pub const TOLERANCE: i64 = 300;

/// For enrolments, rotations and recoveries. Long enough for a slow device's proof.
const NONCES: Limits = Limits {
    lifetime: 900,
    each: 8,
    total: 65_536,
};
const _: () = assert!(MAX_NEWCOMERS * NONCES.each < NONCES.total);
/// For probes.
const CHALLENGES: Limits = Limits {
    lifetime: 300,
    each: 8,
    total: 65_536,
};

/// What holds for every subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The service that statements must be addressed to.
    pub service: ServiceId,
    /// The parameter set in force.
    pub parameters: String,
    /// The public material in force.
    pub key: Digest,
    /// Matchers that must agree, 1 to [`MAX_MATCHERS`].
    pub matchers: usize,
    /// Whether the enclave evaluates too, and must agree.
    pub recompute: bool,
    /// The transparency log that it reads.
    pub log: Option<LogTerms>,
}

/// The enclave's state and rules.
#[derive(Debug)]
pub struct Policy {
    terms: Terms,
    registry: Registry,
    seen: UnixTime,
    nonces: Tickets<SubjectId, DataKey>,
    challenges: Tickets<SubjectId, Asked>,
    matchers: Matchers,
    freshness: Freshness,
}

/// What a challenge was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    enrolment: EnrolmentId,
    audience: Audience,
    nonce: String,
    purpose: Purpose,
}

/// Something that happens as soon as it is durable.
#[must_use = "it has not happened until it is durable and committed"]
pub struct Change<'p, A> {
    policy: &'p mut Policy,
    write: Option<Write>,
    spent: Option<Nonce>,
    expelled: Vec<String>,
    learnt: Option<Learnt>,
    above: Option<u64>,
    answer: A,
}

impl<'p, A> Change<'p, A> {
    fn of(
        policy: &'p mut Policy,
        id: SubjectId,
        subject: Subject,
        now: UnixTime,
        answer: A,
    ) -> Self {
        Self::writing(policy, Write::of(id, subject, now), answer)
    }

    const fn writing(policy: &'p mut Policy, write: Write, answer: A) -> Self {
        Self {
            policy,
            write: Some(write),
            spent: None,
            expelled: Vec::new(),
            learnt: None,
            above: None,
            answer,
        }
    }

    /// Something that holds already.
    const fn nothing(policy: &'p mut Policy, answer: A) -> Self {
        Self {
            policy,
            write: None,
            spent: None,
            expelled: Vec::new(),
            learnt: None,
            above: None,
            answer,
        }
    }

    fn spending(self, nonce: Nonce) -> Self {
        Self {
            spent: Some(nonce),
            ..self
        }
    }

    fn forgetting(self, forgotten: Vec<SubjectId>) -> Self {
        let write = self.write.map(|write| write.forgetting(forgotten));
        Self { write, ..self }
    }

    fn expelling(self, expelled: Vec<String>) -> Self {
        Self { expelled, ..self }
    }

    fn learning(self, learnt: Learnt) -> Self {
        let learnt = Some(learnt);
        Self { learnt, ..self }
    }

    const fn above(mut self, count: Option<u64>) -> Self {
        self.above = count;
        self
    }

    /// The highest number of a state of which the log has told and this one knows nothing: what is
    /// sealed next has a higher one.
    pub const fn outruns(&self) -> Option<u64> {
        self.above
    }

    /// The whole registry with this change, to be made durable before [`Change::commit`]; `None` if
    /// nothing in it changes.
    pub fn snapshot(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.write
            .as_ref()
            .map(|write| self.policy.registry.encode_with(write))
    }

    /// Lets it happen.
    pub fn commit(self) -> A {
        if let Some(write) = self.write {
            for subject in write.forgotten() {
                self.policy.nonces.forget(subject);
                self.policy.challenges.forget(subject);
            }
            self.policy.registry.apply(write);
        }
        if let Some(nonce) = self.spent {
            self.policy.nonces.spend(&nonce);
            self.policy.challenges.spend(&nonce);
        }
        self.policy.matchers.expel(self.expelled);
        if let Some(learnt) = self.learnt {
            self.policy.freshness.learn(learnt);
        }
        self.answer
    }
}

impl Policy {
    /// The rules over what was sealed, at the start of a boot.
    pub const fn boot(terms: Terms, registry: Registry) -> Self {
        let seen = registry.seen;
        Self {
            terms,
            registry,
            seen,
            nonces: Tickets::new(NONCES),
            challenges: Tickets::new(CHALLENGES),
            matchers: Matchers::none(),
            freshness: Freshness::unknown(),
        }
    }

    /// What holds for every subject.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What is sealed.
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// False evaluations ever found under these keys.
    pub const fn incidents(&self) -> u32 {
        self.registry.incidents
    }

    /// Gives `nonce` to a subject, for one enrolment, rotation or recovery. Returns when it dies,
    /// and with it `data_key`, unless an enrolment has taken it over.
    pub fn issue_nonce(
        &mut self,
        subject: SubjectId,
        nonce: Nonce,
        data_key: DataKey,
        host: UnixTime,
    ) -> Result<UnixTime, Refusal> {
        let now = self.observe(host);
        self.fresh(now)?;
        self.known(&subject)?;
        Ok(self.nonces.issue(nonce, subject, data_key, now))
    }

    /// What a template on the host's disk is encrypted under. Of an enrolment only while the subject
    /// consents to its use.
    pub fn data_key(
        &mut self,
        subject: &SubjectId,
        of: DataKeyOf,
        host: UnixTime,
    ) -> Result<DataKey, Refusal> {
        let now = self.observe(host);
        self.fresh(now)?;
        let known = self.known(subject)?;
        match of {
            DataKeyOf::Nonce(nonce) => self.given(&nonce, subject, now).cloned(),
            DataKeyOf::Enrolment(enrolment) => {
                let enrolled = known.enrolments.get(&enrolment).ok_or(Refusal::Unknown)?;
                if known.covers(enrolled.purpose, now) {
                    Ok(enrolled.data_key.clone())
                } else {
                    Err(Refusal::NoConsent)
                }
            }
        }
    }

    /// The present, if the host's clock says `host`.
    fn present(&self, host: UnixTime) -> UnixTime {
        self.seen.max(host)
    }

    fn observe(&mut self, host: UnixTime) -> UnixTime {
        self.seen = self.present(host);
        self.seen
    }

    fn known(&self, id: &SubjectId) -> Result<&Subject, Refusal> {
        self.registry.subject(id).ok_or(Refusal::Unknown)
    }

    fn addressed(&self, service: &ServiceId) -> Result<(), Refusal> {
        if *service == self.terms.service {
            Ok(())
        } else {
            Err(Refusal::Mismatch)
        }
    }

    /// That `nonce` was given to this subject and is not used yet; what was drawn with it.
    fn given(
        &self,
        nonce: &Nonce,
        subject: &SubjectId,
        now: UnixTime,
    ) -> Result<&DataKey, Refusal> {
        match self.nonces.find(nonce, now) {
            Some(ticket) if ticket.holder == *subject => Ok(&ticket.matter),
            _ => Err(Refusal::ChallengeGone),
        }
    }

    const fn parties<'a>(&'a self, subject: &'a SubjectId) -> Parties<'a> {
        Parties {
            service: &self.terms.service,
            subject,
        }
    }
}

/// A statement whose signature holds.
fn signed<T: Statement>(jws: &Jws) -> Result<Verified<T>, Refusal> {
    verify(jws).map_err(|error| match error {
        DidError::Key | DidError::Signature | DidError::Signer => Refusal::Signature,
        _ => Refusal::Malformed,
    })
}

fn by<T>(statement: &Verified<T>, key: &KeyUri) -> Result<(), Refusal> {
    if statement.key() == key {
        Ok(())
    } else {
        Err(Refusal::Signature)
    }
}

/// That `key` signed the same payload.
fn also_signed<T: Statement + PartialEq>(
    jws: &Jws,
    statement: &Verified<T>,
    key: &KeyUri,
) -> Result<(), Refusal> {
    let other = signed::<T>(jws)?;
    by(&other, key)?;
    if other.statement() == statement.statement() {
        Ok(())
    } else {
        Err(Refusal::Mismatch)
    }
}

fn timely(at: UnixTime, now: UnixTime) -> Result<(), Refusal> {
    if (-TOLERANCE..=TOLERANCE).contains(&now.since(at)) {
        Ok(())
    } else {
        Err(Refusal::Stale)
    }
}

/// That a key can verify anything at all.
fn usable(key: &KeyUri) -> Result<(), Refusal> {
    PublicKey::try_from(key)
        .map(drop)
        .map_err(|_| Refusal::Malformed)
}

#[cfg(test)]
mod tests;
