//! Credentials: on what they stand, and how they are issued.
//!
//! Whoever wants one names what it stands on: a live enrolment, a fresh positive verdict, a live
//! consent. That is looked at when an offer is made, and again in the transaction that records the
//! issuance, so that what was erased in between gives no credential, and what is erased afterwards
//! takes its credentials with it.

use std::sync::Arc;

use blindprint_core::{Clock, Entropy, ServiceId, SubjectId, problem::ProblemCode};
use blindprint_did::PublicKey;
use serde::{Deserialize, Serialize};

use super::{
    issued::{CredentialKind, Reference},
    record::{ConsentRecord, EnrolmentRecord, EnrolmentState, VerdictRecord},
};
use crate::{Error, Result, backend::Enclave, store::Store};

/// Copies of one credential in one batch at most.
pub const MOST_COPIES: usize = 16;

/// A key that a wallet has proved to hold, to which one copy of a credential is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderKey {
    /// The key.
    pub key: PublicKey,
}

/// What a credential stands on, seen to be there when this was made. It is looked at again when the
/// credential is issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    subject: SubjectId,
    reference: Reference,
}

impl Basis {
    /// Whose.
    pub const fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// Which of theirs.
    pub const fn reference(&self) -> &Reference {
        &self.reference
    }

    /// What a credential on it says.
    pub const fn kind(&self) -> CredentialKind {
        self.reference.kind()
    }
}

/// What the operator decided about credentials.
#[derive(Debug, Clone)]
pub struct CredentialTerms {
    /// The service.
    pub service: ServiceId,
    /// The oldest verdict on which an authentication credential is issued, in seconds.
    pub verdict_seconds: u32,
    /// How long a fetched status list may be relied on, in seconds.
    pub status_ttl: u32,
}

/// The parts that credentials need.
pub struct CredentialParts {
    /// Memory.
    pub store: Arc<dyn Store>,
    /// Its terms go into credentials.
    pub enclave: Arc<Enclave>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// The issuer.
pub struct Credentials {
    terms: CredentialTerms,
    store: Arc<dyn Store>,
    enclave: Arc<Enclave>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// What stands behind a basis now.
enum Facts {
    Enrolment(EnrolmentRecord),
    Verdict(VerdictRecord),
    Consent(ConsentRecord),
}

impl Credentials {
    /// An issuer on these terms.
    pub fn new(terms: CredentialTerms, parts: CredentialParts) -> Self {
        Self {
            terms,
            store: parts.store,
            enclave: parts.enclave,
            clock: parts.clock,
            entropy: parts.entropy,
        }
    }

    /// What a credential of `subject` would stand on. `NoBasis` if it does not exist, is somebody
    /// else's, or is over.
    pub async fn basis(&self, subject: &SubjectId, reference: Reference) -> Result<Basis> {
        let basis = Basis {
            subject: subject.clone(),
            reference,
        };
        self.facts(&basis).await?;
        Ok(basis)
    }

    /// What is behind a basis at this moment.
    async fn facts(&self, basis: &Basis) -> Result<Facts> {
        let now = self.clock.now();
        let facts = match basis.reference {
            Reference::Enrolment(id) => self.live(&basis.subject, id).await?.map(Facts::Enrolment),
            Reference::Authentication(challenge) => {
                let verdict = self.store.verdict(challenge).await?.filter(|verdict| {
                    let age = now.since(verdict.given);
                    verdict.subject == basis.subject
                        && verdict.matched
                        && age <= i64::from(self.terms.verdict_seconds)
                });
                match verdict {
                    Some(verdict) => self
                        .live(&basis.subject, verdict.enrolment)
                        .await?
                        .map(|_| Facts::Verdict(verdict)),
                    None => None,
                }
            }
            Reference::ConsentReceipt(id) => self
                .store
                .consent(&basis.subject, id)
                .await?
                .filter(|consent| consent.is_live(now))
                .map(Facts::Consent),
        };
        facts.ok_or(Error::Refused(ProblemCode::NoBasis))
    }

    async fn live(
        &self,
        subject: &SubjectId,
        id: blindprint_core::EnrolmentId,
    ) -> Result<Option<EnrolmentRecord>> {
        let known = self.store.enrolment(id).await?;
        Ok(known.filter(|enrolment| {
            enrolment.subject == *subject && enrolment.state == EnrolmentState::Live
        }))
    }
}
