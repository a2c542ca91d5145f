use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use blindprint_core::{
    Digest, Entropy, Jws, KeyUri, Nonce, ServiceId, SignInCode, SignInLink, SubjectId, UnixTime,
    problem::ProblemCode,
};
use subtle::ConstantTimeEq as _;

use super::{BrowserId, Standing};
use crate::{Error, Result};

/// How long a link can be signed: five minutes.
pub const PENDING_SECONDS: i64 = 300;

/// Which browser shows a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// One that nobody is signed in in, by the digest of its cookie.
    Stranger(Digest),
    /// One whose subject is to sign again.
    SignedIn(BrowserId),
}

/// Whose wallet signed a link.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) subject: SubjectId,
    pub(super) key: KeyUri,
    pub(super) sign_in: Jws,
}

struct Shown {
    link: SignInLink,
    expires: UnixTime,
    signed: Option<Signed>,
}

/// Links that are shown, in bounded memory: one a browser.
pub(super) struct Pending {
    capacity: usize,
    shown: Mutex<HashMap<Owner, Shown>>,
}

impl Pending {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            shown: Mutex::default(),
        }
    }

    fn shown(&self) -> MutexGuard<'_, HashMap<Owner, Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a link; the browser's earlier one is over.
    pub(super) fn begin(
        &self,
        owner: Owner,
        service: &ServiceId,
        now: UnixTime,
        entropy: &dyn Entropy,
    ) -> Result<()> {
        let link = SignInLink {
            service: service.clone(),
            session: Nonce::random(entropy),
            code: SignInCode::random(entropy),
        };
        let mut shown = self.shown();
        if shown.len() >= self.capacity {
            shown.retain(|_, it| now < it.expires);
        }
        if shown.len() >= self.capacity && !shown.contains_key(&owner) {
            return Err(Error::unavailable(30));
        }
        let expires = now.plus(PENDING_SECONDS);
        let signed = None;
        shown.insert(
            owner,
            Shown {
                link,
                expires,
                signed,
            },
        );
        Ok(())
    }

    pub(super) fn standing(&self, owner: Owner, now: UnixTime) -> Standing {
        match self.shown().get(&owner).filter(|it| now < it.expires) {
            None => Standing::Gone,
            Some(Shown {
                signed: Some(_), ..
            }) => Standing::Signed,
            Some(Shown { link, expires, .. }) => Standing::Waiting {
                link: link.clone(),
                expires: *expires,
            },
        }
    }

    /// A wallet signed the link with this nonce. Another wallet cannot sign it after that.
    pub(super) fn sign(&self, session: Nonce, code: &str, by: Signed, now: UnixTime) -> Result<()> {
        let gone = || Error::Refused(ProblemCode::ChallengeGone);
        let mut shown = self.shown();
        let found = shown
            .values_mut()
            .find(|it| bool::from(it.link.session.as_bytes().ct_eq(session.as_bytes())));
        let found = found.filter(|it| now < it.expires).ok_or_else(gone)?;
        if found.link.code.as_str() != code {
            return Err(Error::because(
                ProblemCode::Refused,
                "the statement names another code than the page shows",
            ));
        }
        match &found.signed {
            Some(known) if known.subject != by.subject => Err(gone()),
            _ => {
                found.signed = Some(by);
                Ok(())
            }
        }
    }

    /// What a wallet signed, once.
    pub(super) fn take(&self, owner: Owner, now: UnixTime) -> Option<Signed> {
        let mut shown = self.shown();
        let is_signed = shown.get(&owner).is_some_and(|it| it.signed.is_some());
        let taken = is_signed.then(|| shown.remove(&owner)).flatten()?;
        taken.signed.filter(|_| now < taken.expires)
    }
}
