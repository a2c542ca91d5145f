//! The rights of subjects (GDPR articles 12 and 15 to 22): who may ask for what, how long an answer may
//! take, and what is done.
//!
//! A request is opened by the wallet, on the subject's own page, or by an officer who knows by some proof
//! that it is the subject who asks. It is acknowledged in the same moment. What the configuration lets
//! happen by itself happens; the rest waits for an officer. A restriction or an objection takes effect
//! before anybody has looked at it.

mod calendar;
mod carrying_out;
mod case;
mod certificate;
mod deciding;
mod opening;
mod restricting;
mod shown;

use std::{collections::BTreeSet, sync::Arc};

use blindprint_core::{
    Digest, Entropy, Jws, RightsRequestId, ServiceId, SubjectId, UnixTime,
    problem::ProblemCode,
    statement::{Right, Statement},
};
use blindprint_did::KeyType;
use serde_json::json;

pub use case::{About, Actor, Body, Case, LONGEST_TEXT, Moment, NotNow, Proof, RightsState};
pub use certificate::{CERTIFICATE_DAYS, SealedCertificate};
pub use deciding::Officer;
pub use opening::{IdentityProof, OpenedBy, Wanted};

use super::{
    Credentials, Locks, OpenId, Service,
    ledger::{Draft, Ledger, Stamp},
};
use crate::{Error, Result, store::Store};

/// Requests of one subject that are not over, at most.
pub(super) const MOST_OPEN: u32 = 20;

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct RightsTerms {
    /// What is done without an officer.
    pub automatic: BTreeSet<Right>,
    /// How long an erasure waits, in seconds.
    pub cooling_off: i64,
    /// Days before a request is due on which officers are reminded.
    pub reminder_days: Vec<u32>,
}

/// The parts that rights need.
pub struct RightsParts {
    /// The rules, and what they stand on.
    pub service: Arc<Service>,
    /// Who signs decisions and certificates.
    pub credentials: Arc<Credentials>,
    /// What people showed to officers.
    pub openid: Arc<OpenId>,
    /// Proves what was logged.
    pub ledger: Arc<Ledger>,
}

/// The keeper of rights.
pub struct Rights {
    terms: RightsTerms,
    parts: RightsParts,
    carrying: Locks<RightsRequestId>,
}

impl Rights {
    /// On these terms.
    pub fn new(terms: RightsTerms, parts: RightsParts) -> Self {
        Self {
            terms,
            parts,
            carrying: Locks::default(),
        }
    }

    /// One request of a subject's own.
    pub async fn of(&self, subject: &SubjectId, id: RightsRequestId) -> Result<Case> {
        let case = self.store().case(id).await?;
        let case = case.filter(|case| case.subject.as_ref() == Some(subject));
        self.looked_at(case.ok_or(Error::Refused(ProblemCode::NotFound))?)
            .await
    }

    /// All requests of a subject, newest first.
    pub async fn all_of(&self, subject: &SubjectId) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        for case in self.store().cases_of(subject).await? {
            cases.push(self.looked_at(case).await?);
        }
        Ok(cases)
    }

    /// One request, for an officer.
    pub async fn case(&self, id: RightsRequestId) -> Result<Case> {
        let case = self.store().case(id).await?;
        self.looked_at(case.ok_or(Error::Refused(ProblemCode::NotFound))?)
            .await
    }

    /// The service.
    pub(super) fn id(&self) -> &ServiceId {
        self.parts.service.id()
    }

    /// The transparency log.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.parts.ledger
    }

    pub(super) fn store(&self) -> &dyn Store {
        self.parts.service.store()
    }

    pub(super) fn now(&self) -> UnixTime {
        self.parts.service.clock().now()
    }

    fn entropy(&self) -> &dyn Entropy {
        self.parts.service.entropy()
    }

    pub(super) fn stamp(&self) -> Stamp<'_> {
        Stamp {
            at: self.now(),
            entropy: self.entropy(),
        }
    }

    /// Keeps a moved request. Somebody who moved it at the same time was first, or this was.
    async fn keep(&self, case: Case) -> Result<Case> {
        let draft = draft(&case);
        if self
            .store()
            .move_case(&case, &[draft], self.stamp())
            .await?
        {
            Ok(Case {
                version: case.version + 1,
                ..case
            })
        } else {
            Err(Error::RetryAfter {
                code: ProblemCode::Conflict,
                seconds: 1,
            })
        }
    }

    /// A statement in the service's name.
    fn sign<T: Statement>(&self, statement: &T) -> Result<Jws> {
        let issuer = self.parts.credentials.issuer().now();
        blindprint_did::sign(issuer.credential_key(KeyType::Ed25519), statement)
            .map_err(|error| Error::broken("signing in the service's name")(error.into()))
    }
}

/// What the log says of a request's move: that some request moved. Who has the salt can show which.
fn draft(case: &Case) -> Draft {
    let kind = blindprint_log::Kind::RightsChanged;
    let mut event = json!({ "right": case.right, "state": case.state(), "due": case.due() });
    let Some(subject) = &case.subject else {
        return Draft::own(kind, event.to_string());
    };
    let body = serde_json::to_vec(case.body()).unwrap_or_default();
    event["request"] = json!(case.id);
    event["body"] = json!(Digest::of("blindprint/rights-request/v1", &body));
    Draft::of(subject, kind, event.to_string())
}

fn not_now(error: NotNow) -> Error {
    Error::because(ProblemCode::Conflict, error.to_string())
}
