//! What the service is to strangers: an issuer of credentials, a host of DIDs, a resolver.

use std::sync::Arc;

use blindprint_core::{Clock, Entropy, ServiceId};
use blindprint_credentials::{Contexts, Deployment, Verifier};
use blindprint_egress::Egress;
use blindprint_resolver::{Config, Resolver};

use super::{
    CredentialParts, CredentialTerms, Credentials, CurrentIssuer, FoundLists, Hosting, Issuer,
    OwnFiles, StatusLists,
};
use crate::{backend::Enclave, store::Store};

/// What the operator decided about it.
pub struct PublicTerms {
    /// The service.
    pub service: ServiceId,
    /// The oldest verdict on which an authentication credential is issued, in seconds.
    pub verdict_seconds: u32,
    /// How long a fetched status list may be relied on, in seconds.
    pub status_ttl: u32,
    /// How DIDs are resolved.
    pub resolver: Config,
}

/// The parts that it uses.
pub struct PublicParts {
    /// Memory.
    pub store: Arc<dyn Store>,
    /// The enclave, whose terms go into credentials.
    pub enclave: Arc<Enclave>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who it is.
    pub issuer: Issuer,
    /// What fetches.
    pub egress: Egress,
}

/// All of it.
pub struct Public {
    /// Issues and verifies credentials.
    pub credentials: Arc<Credentials>,
    /// Hosts DIDs.
    pub hosting: Arc<Hosting>,
    /// Resolves DIDs.
    pub resolver: Resolver,
}

impl Public {
    /// Puts the parts together.
    pub fn new(terms: PublicTerms, parts: PublicParts) -> Self {
        let PublicParts {
            store,
            enclave,
            clock,
            entropy,
            issuer,
            egress,
        } = parts;
        let service = terms.service;
        let issuer = Arc::new(CurrentIssuer::new(issuer));
        let hosting = Arc::new(Hosting::new(
            service.clone(),
            Arc::clone(&store),
            Arc::clone(&clock),
        ));
        let files = OwnFiles::new(service.clone(), Arc::clone(&issuer), Arc::clone(&hosting));
        let resolver = Resolver::with_local(
            terms.resolver,
            egress.clone(),
            Arc::clone(&clock),
            Arc::new(files),
        );
        let lists = Arc::new(StatusLists::new(
            service.clone(),
            terms.status_ttl,
            Arc::clone(&store),
            Arc::clone(&clock),
            Arc::clone(&issuer),
        ));
        let verifier = Verifier::new(
            Arc::new(resolver.clone()),
            Arc::new(FoundLists::new(
                Arc::clone(&lists),
                egress,
                Arc::clone(&clock),
            )),
            Arc::clone(&clock),
            Contexts::standard().with(&Deployment::new(&service)),
        );
        let terms = CredentialTerms {
            service,
            verdict_seconds: terms.verdict_seconds,
        };
        let parts = CredentialParts {
            store,
            enclave,
            clock,
            entropy,
            issuer,
            lists,
            verifier,
        };
        Self {
            credentials: Arc::new(Credentials::new(terms, parts)),
            hosting,
            resolver,
        }
    }
}
