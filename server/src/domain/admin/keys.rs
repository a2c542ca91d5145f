//! Ceremonies under way: what a browser was asked to sign, until it answers. They are kept in memory
//! alone, few and for minutes; each is taken out by whoever finishes it, so none is answered twice.

use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use blindprint_core::{Entropy, Nonce, UnixTime};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, PasskeyAuthentication, PasskeyRegistration,
};

use super::{AdministratorId, LinkId, Name, SessionId};

/// How long a browser may take.
const SECONDS: i64 = 300;
/// Ceremonies remembered at once. Whoever begins more pushes out the oldest.
const MOST: usize = 1024;

/// A ceremony's name: whoever begins it gets it, and nobody can guess it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CeremonyId(Nonce);

impl fmt::Display for CeremonyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CeremonyId {
    type Err = <Nonce as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What is under way.
pub enum Ceremony {
    /// Somebody joins by a link.
    Joining {
        /// The link.
        link: LinkId,
        /// Who they become.
        id: AdministratorId,
        /// What they are called.
        name: Name,
        /// What they call their passkey.
        passkey: Name,
        /// What was asked.
        state: PasskeyRegistration,
    },
    /// An administrator adds a passkey.
    Adding {
        /// In which session.
        session: SessionId,
        /// What they call it.
        passkey: Name,
        /// What was asked.
        state: PasskeyRegistration,
    },
    /// Somebody signs in.
    SigningIn(DiscoverableAuthentication),
    /// An administrator proves again that it is they.
    Proving {
        /// In which session.
        session: SessionId,
        /// What was asked.
        state: PasskeyAuthentication,
    },
}

#[derive(Default)]
pub(super) struct Ceremonies(Mutex<HashMap<CeremonyId, (UnixTime, Ceremony)>>);

impl Ceremonies {
    /// Remembers a ceremony.
    pub(super) fn begin(
        &self,
        ceremony: Ceremony,
        now: UnixTime,
        entropy: &dyn Entropy,
    ) -> CeremonyId {
        let id = CeremonyId(Nonce::random(entropy));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (begun, _)| begun.0 + SECONDS > now.0);
        if known.len() >= MOST {
            let oldest = known.iter().min_by_key(|(_, (begun, _))| begun.0);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                known.remove(&oldest);
            }
        }
        known.insert(id, (now, ceremony));
        id
    }

    /// Takes a ceremony out, if it is not too late for it.
    pub(super) fn finish(&self, id: CeremonyId, now: UnixTime) -> Option<Ceremony> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, ceremony) = known.remove(&id)?;
        (begun.0 + SECONDS > now.0).then_some(ceremony)
    }
}
