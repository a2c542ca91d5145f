//! The rules of the service, free of HTTP and SQL: `http` translates requests into calls here,
//! `store` remembers what is decided.
//!
//! Whatever the enclave is asked to change goes through `change.rs`, which makes every change
//! survive a crash at any instant.

pub mod admin;
mod admission;
mod at_rest;
mod authentication;
mod buckets;
mod change;
mod clients;
mod configurations;
mod consent;
mod denied;
mod enrolment;
pub mod export;
mod hosting;
mod identity;
mod invitation;
mod issuance;
pub mod issued;
mod issuer;
mod judging;
mod keys;
pub mod ledger;
mod locks;
mod metadata;
mod nonces;
mod notice;
pub mod notifying;
mod offers;
mod openid;
mod orders;
mod places;
mod presentation_requests;
mod presenting;
mod processing;
mod protocol_key;
mod public;
pub mod record;
mod redeeming;
mod refusal;
pub mod relying_parties;
pub mod reports;
mod resolution;
pub mod retention;
pub mod rights;
pub mod sign_in;
mod status;
mod subject;
mod tokens;

use std::sync::Arc;

use blindprint_core::{
    Clock, Entropy, Jws, Nonce, ServiceId, SubjectId, problem::ProblemCode, statement::Statement,
};
use blindprint_did::Verified;
use blindprint_protocol::{
    message::{EnclaveRequest, EnclaveResponse},
    policy::MOST_INCIDENTS,
};

pub use admission::Admission;
pub use buckets::{Buckets, Rate};
pub use clients::{ClientId, ClientRecord, Scope, Scopes, add_client};
pub use configurations::Configuration;
pub use denied::Denied;
pub use enrolment::Upload;
pub use hosting::{Addition, DidName, HostedDid, Hosting, NotHosted};
pub use identity::{Caller, Facts, Identified, MAX_SKEW};
pub use invitation::{InvitationKey, invite};
pub use issuance::{
    Basis, Change, CredentialParts, CredentialTerms, Credentials, General, HolderKey, Issued,
    MOST_COPIES, Securing,
};
pub use issuer::{CurrentIssuer, Issuer, IssuerMethod, OldKeys};
pub use locks::Locks;
pub use notice::{Altered, Notices, PublishedFile};
pub use offers::{Attempt, NotRedeemed, OfferRecord, OfferSecret, Redemption};
pub use openid::{OpenId, OpenIdParts, OpenIdTerms};
pub use places::{Place, Places};
pub use presentation_requests::{Failure, Outcome, Shown, Standing as RequestStanding};
pub use presenting::{LONGEST_REQUEST, RequestMade, WantedPresentation};
pub use protocol_key::{NonceUse, ProtocolKey};
pub use public::{Public, PublicParts, PublicTerms};
pub use resolution::{FoundLists, OwnFiles};
pub use status::{ListForm, SignedList, StatusLists, credential_form};
pub use tokens::{Granted, TOKEN_SECONDS, TokenHolder, TokenRecord};

use crate::{
    Error, Result,
    backend::{Enclave, Matchers},
    store::Store,
};
use nonces::Nonces;
use refusal::Holds;

/// Proof verifications and comparisons of one subject at once.
const COMPARISONS_EACH: usize = 2;

/// What the rules stand on.
pub struct Service {
    terms: Terms,
    store: Arc<dyn Store>,
    enclave: Arc<Enclave>,
    matchers: Arc<Matchers>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    notices: Notices,
    invitations: InvitationKey,
    holds: Holds,
    subject_rate: Buckets<SubjectId>,
    changing: Locks<SubjectId>,
    answering: Locks<Nonce>,
    nonces: Nonces,
    comparisons: Arc<Places<SubjectId>>,
}

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The service's name in every statement.
    pub service: ServiceId,
    /// Whether anybody may enrol.
    pub open_enrolment: bool,
    /// Authenticated requests of one subject.
    pub subject_rate: Rate,
    /// Subjects remembered by that limit.
    pub remembered: usize,
    /// Proof verifications and comparisons at once.
    pub comparisons: usize,
}

/// The parts that the rules use.
pub struct Parts {
    /// Memory.
    pub store: Arc<dyn Store>,
    /// The enclave.
    pub enclave: Arc<Enclave>,
    /// The matchers.
    pub matchers: Arc<Matchers>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What invitations are made with.
    pub invitations: InvitationKey,
    /// What people are told.
    pub notices: Notices,
}

impl Service {
    /// A service on these terms.
    pub fn new(terms: Terms, parts: Parts) -> Self {
        Self {
            subject_rate: Buckets::new(terms.subject_rate, terms.remembered),
            comparisons: Places::new(terms.comparisons, COMPARISONS_EACH),
            nonces: Nonces::new(terms.remembered),
            holds: Holds::new(terms.remembered),
            store: parts.store,
            enclave: parts.enclave,
            matchers: parts.matchers,
            clock: parts.clock,
            entropy: parts.entropy,
            invitations: parts.invitations,
            notices: parts.notices,
            changing: Locks::default(),
            answering: Locks::default(),
            terms,
        }
    }

    /// The service's name in every statement.
    pub const fn id(&self) -> &ServiceId {
        &self.terms.service
    }

    /// Whether anybody may enrol.
    pub const fn open_enrolment(&self) -> bool {
        self.terms.open_enrolment
    }

    /// What people are told.
    pub const fn notices(&self) -> &Notices {
        &self.notices
    }

    /// The enclave.
    pub const fn enclave(&self) -> &Arc<Enclave> {
        &self.enclave
    }

    /// Where the time comes from.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Where randomness comes from.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// The memory.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Whether enrolments and authentications can be served now.
    pub async fn readiness(&self) -> Result<()> {
        self.store.ping().await?;
        let health = self.enclave.health().await?;
        let needed = health.matchers_needed as usize;
        let admitted = health.matchers as usize;
        if health.incidents >= MOST_INCIDENTS {
            tracing::error!("the enclave opens nothing more: too many evaluations were false");
            return Err(Error::unavailable(3600));
        }
        if admitted < needed || self.matchers.healthy().await < needed {
            return Err(Error::unavailable(2));
        }
        Ok(())
    }

    /// Asks the enclave. If it does not answer, the caller may come again.
    async fn ask(&self, request: &EnclaveRequest) -> Result<EnclaveResponse> {
        self.enclave.ask(request).await.map_err(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the enclave does not answer"
            );
            Error::unavailable(2)
        })
    }

    /// Room for one more proof verification or comparison. Full means later, not a queue here:
    /// matchers queue already.
    fn room(&self, subject: &SubjectId) -> Result<Place<SubjectId>> {
        self.comparisons.take(Some(subject.clone())).ok_or_else(|| {
            metrics::counter!("blindprint_overload_total", "where" => "comparisons").increment(1);
            Error::unavailable(1)
        })
    }
}

/// A wallet's statement, whose form and signature hold.
fn signed<T: Statement>(jws: &Jws) -> Result<Verified<T>> {
    blindprint_did::verify(jws).map_err(|_| Error::Refused(ProblemCode::MalformedSubmission))
}

/// That a statement is its caller's, for this service. The enclave checks the same again; here it
/// keeps work away from what cannot succeed.
fn addressed<T>(
    service: &ServiceId,
    caller: &Caller,
    statement: &Verified<T>,
    subject: &SubjectId,
    to: &ServiceId,
) -> Result<()> {
    if to != service {
        return Err(Error::because(
            ProblemCode::Refused,
            format!("the statement is addressed to {to}, this service is {service}"),
        ));
    }
    if *subject != caller.subject || *statement.key() != caller.key {
        return Err(Error::because(
            ProblemCode::Refused,
            "the statement is not the authenticated subject's own",
        ));
    }
    Ok(())
}
