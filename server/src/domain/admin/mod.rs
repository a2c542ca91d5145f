//! Those who run the service from a web page: who they are, what they may do, what they did.
//!
//! Administrators have passkeys and no passwords. The first one comes by a one-time link that the
//! machine prints, every other one by a link that an operator makes. Whatever they do is a row of the
//! audit trail and an entry of the transparency log, both in the transaction of the act itself.

mod administrators;
mod audit;
#[cfg(test)]
pub(crate) mod authenticator;
mod carried;
mod keys;
mod links;
mod passkeys;
mod permissions;
mod sessions;

use std::sync::Arc;

use blindprint_core::{Clock, Entropy};

pub use administrators::{AdministratorId, AdministratorRecord, MAX_NAME, Name, Removal};
pub use audit::{Act, ActKind, ActOutcome, ActQuery, ActRecord, Actor, record};
pub(crate) use carried::Carried;
pub use keys::{Ceremony, CeremonyId};
pub use links::{LINK_SECONDS, LinkId, LinkRecord, LinkSecret, LinkState, make_link};
pub use passkeys::{PasskeyRecord, Relying};
pub use permissions::{Permission, Role, UnknownRole};
pub use sessions::{
    FRESH_SECONDS, SessionId, SessionRecord, SessionSecret, SessionTerms, SignedIn,
};

use crate::{domain::ledger::Stamp, store::Store};
use keys::Ceremonies;

/// What the dashboard's rules stand on.
pub struct Admin {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    relying: Option<Relying>,
    terms: SessionTerms,
    ceremonies: Ceremonies,
}

/// The parts that the dashboard's rules use.
pub struct AdminParts {
    /// Memory.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who asks for passkeys; `None` if the service's name cannot (an IP address).
    pub relying: Option<Relying>,
}

impl Admin {
    /// The rules over these parts.
    pub fn new(parts: AdminParts, terms: SessionTerms) -> Self {
        Self {
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            relying: parts.relying,
            terms,
            ceremonies: Ceremonies::default(),
        }
    }

    /// How long sessions last.
    pub const fn terms(&self) -> SessionTerms {
        self.terms
    }

    /// The time and salt of what is appended to the log now.
    pub fn stamp(&self) -> Stamp<'_> {
        Stamp {
            at: self.clock.now(),
            entropy: &*self.entropy,
        }
    }
}
