//! How a subject signs in on their own page: the page shows a link with a nonce and a code, the wallet
//! signs a [`SignIn`] for both, and the browser that showed the link is the subject's from then on.
//!
//! Until a wallet has signed, nobody says who they are, so that nothing tells whom the service knows. A
//! browser gets another cookie when it is signed in: the one from before opens nothing.

mod browser;
mod pending;

use std::sync::Arc;

use blindprint_core::{
    Clock, ConsentId, Entropy, Jws, KeyUri, ServiceId, SignInLink, SubjectId, UnixTime,
    problem::ProblemCode, statement::SignIn,
};

pub use browser::{
    BrowserId, BrowserRecord, BrowserSecret, FRESH_SECONDS, IDLE_SECONDS, LONGEST_SECONDS,
};
pub use pending::PENDING_SECONDS;

use self::pending::{Owner, Pending, Signed};
use super::{Caller, MAX_SKEW, addressed, signed};
use crate::{Error, Result, store::Store};

/// Browsers of one subject at once.
const MOST_BROWSERS: u32 = 10;
/// A browser's last use is written down so often at most.
const SEEN_EVERY: i64 = 30;

/// The parts that signing in needs.
pub struct SignInParts {
    /// Memory.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The service's name in every statement.
    pub service: ServiceId,
    /// Links at once that nobody has signed yet.
    pub waiting: usize,
}

/// Who is signed in, and who may be soon.
pub struct SignIns {
    parts: SignInParts,
    pending: Pending,
}

/// How a link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It waits for a wallet.
    Waiting {
        /// The link.
        link: SignInLink,
        /// Until when.
        expires: UnixTime,
    },
    /// A wallet has signed it.
    Signed,
    /// There is none, or its time is over.
    Gone,
}

impl SignIns {
    /// Over these parts.
    pub fn new(parts: SignInParts) -> Self {
        Self {
            pending: Pending::new(parts.waiting),
            parts,
        }
    }

    /// Shows a link in a browser that nobody is signed in in. It knows the link again by the secret.
    pub fn begin(&self) -> Result<BrowserSecret> {
        let secret = BrowserSecret::random(&*self.parts.entropy);
        self.wait_for(Owner::Stranger(secret.digest()))?;
        Ok(secret)
    }

    /// Shows a link in a browser whose subject is to sign again, unless it shows one already.
    pub fn begin_again(&self, browser: &BrowserRecord) -> Result<Standing> {
        let owner = Owner::SignedIn(browser.id);
        if self.standing(owner) == Standing::Gone {
            self.wait_for(owner)?;
        }
        Ok(self.standing(owner))
    }

    fn wait_for(&self, owner: Owner) -> Result<()> {
        let SignInParts {
            entropy, service, ..
        } = &self.parts;
        self.pending.begin(owner, service, self.now(), &**entropy)
    }

    /// How the link stands that a stranger's browser shows.
    pub fn of_stranger(&self, secret: &BrowserSecret) -> Standing {
        self.standing(Owner::Stranger(secret.digest()))
    }

    /// How the link stands that a subject's browser shows for them to sign again.
    pub fn of_browser(&self, browser: &BrowserRecord) -> Standing {
        self.standing(Owner::SignedIn(browser.id))
    }

    fn standing(&self, owner: Owner) -> Standing {
        self.pending.standing(owner, self.now())
    }

    /// A wallet signs a link. Repeating it changes nothing.
    pub fn accept(&self, caller: &Caller, sign_in: &Jws) -> Result<()> {
        let verified = signed::<SignIn>(sign_in)?;
        let word = verified.statement();
        addressed(&self.parts.service, caller, &verified, &word.sub, &word.aud)?;
        let now = self.now();
        if !(-MAX_SKEW..=MAX_SKEW).contains(&now.since(word.iat)) {
            return Err(Error::because(
                ProblemCode::Refused,
                "the statement is not of this minute",
            ));
        }
        let by = Signed {
            subject: caller.subject.clone(),
            key: caller.key.clone(),
            sign_in: sign_in.clone(),
        };
        self.pending.sign(word.session, &word.code, by, now)
    }

    /// Signs the stranger's browser in whose link a wallet has signed. The secret is another one.
    pub async fn enter(
        &self,
        secret: &BrowserSecret,
        agent: &str,
    ) -> Result<Option<BrowserSecret>> {
        let now = self.now();
        let owner = Owner::Stranger(secret.digest());
        let Some(signed) = self.pending.take(owner, now) else {
            return Ok(None);
        };
        let secret = BrowserSecret::random(&*self.parts.entropy);
        let id = BrowserId(self.parts.entropy.uuid());
        let record = BrowserRecord::new(id, secret.digest(), signed, agent, now);
        self.parts
            .store
            .record_browser(&record, MOST_BROWSERS)
            .await?;
        metrics::counter!("blindprint_page_sign_ins_total").increment(1);
        Ok(Some(secret))
    }

    /// Notes that a browser's subject has signed again, if they have. Somebody else's signature ends
    /// the session: two people are at one browser.
    pub async fn renew(&self, browser: &BrowserRecord) -> Result<Option<BrowserRecord>> {
        let now = self.now();
        let Some(signed) = self.pending.take(Owner::SignedIn(browser.id), now) else {
            return Ok(None);
        };
        if signed.subject != browser.subject || signed.key != browser.key {
            self.end(browser, browser.id).await?;
            return Err(Error::Refused(ProblemCode::Unauthenticated));
        }
        let store = &self.parts.store;
        let kept = store
            .prove_browser(browser.id, &signed.sign_in, now)
            .await?;
        Ok(kept.then(|| BrowserRecord {
            sign_in: signed.sign_in,
            proven: now,
            ..browser.clone()
        }))
    }

    /// Whose browser this is, if somebody is signed in in it. Using it keeps it so.
    pub async fn signed_in(&self, secret: &BrowserSecret) -> Result<Option<BrowserRecord>> {
        let now = self.now();
        let store = &self.parts.store;
        let Some(mut found) = store.browser(secret.digest()).await? else {
            return Ok(None);
        };
        if found.is_over(now) || !self.is_pinned(&found.subject, &found.key).await? {
            return Ok(None);
        }
        if now.0 >= found.seen.0 + SEEN_EVERY {
            store.touch_browser(found.id, now).await?;
            found.seen = now;
        }
        Ok(Some(found))
    }

    /// Whether this key still speaks for the subject. Of somebody of whom nothing is kept, their DID's own
    /// key does, which is the one that signed.
    async fn is_pinned(&self, subject: &SubjectId, key: &KeyUri) -> Result<bool> {
        let keys = self.parts.store.keys_of(subject).await?;
        Ok(keys.is_none_or(|keys| keys.pinned == *key))
    }

    /// Whether something may be destroyed from this browser now.
    pub fn is_fresh(&self, browser: &BrowserRecord) -> bool {
        browser.is_fresh(self.now())
    }

    /// Where the same subject is signed in, the latest used first.
    pub async fn browsers(&self, of: &BrowserRecord) -> Result<Vec<BrowserRecord>> {
        let now = self.now();
        let mut browsers = self.parts.store.browsers_of(&of.subject).await?;
        browsers.retain(|browser| !browser.is_over(now) && browser.key == of.key);
        Ok(browsers)
    }

    /// Signs the same subject out in this or another browser.
    pub async fn end(&self, own: &BrowserRecord, id: BrowserId) -> Result<()> {
        if self.parts.store.end_browser(&own.subject, id).await? {
            Ok(())
        } else {
            Err(Error::Refused(ProblemCode::NotFound))
        }
    }

    /// Keeps by which statement somebody is signed in who is about to withdraw a consent.
    pub async fn attest_withdrawal(&self, by: &BrowserRecord, consent: ConsentId) -> Result<()> {
        let store = &self.parts.store;
        if store.consent(&by.subject, consent).await?.is_none() {
            return Err(Error::Refused(ProblemCode::NotFound));
        }
        let now = self.now();
        store
            .record_page_withdrawal(&by.subject, consent, &by.sign_in, now)
            .await
    }

    /// Forgets sessions that are over.
    pub async fn forget(&self) -> Result<()> {
        let now = self.now();
        self.parts
            .store
            .forget_browsers(now.plus(-IDLE_SECONDS), now.plus(-LONGEST_SECONDS))
            .await
    }

    fn now(&self) -> UnixTime {
        self.parts.clock.now()
    }
}

#[cfg(test)]
mod tests;
