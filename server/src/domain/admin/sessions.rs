use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Digest, Entropy, UnixTime, problem::ProblemCode};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{Act, ActKind, Actor, Admin, AdministratorId, AdministratorRecord};
use crate::{Error, Result};

/// How long a passkey's use is good for acts that destroy something: five minutes.
pub const FRESH_SECONDS: i64 = 300;
/// A session's last use is written down so often at most.
const SEEN_EVERY: i64 = 30;
/// What is kept of what a browser calls itself, in characters.
const LONGEST_AGENT: usize = 160;

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTerms {
    /// Without a request, in seconds.
    pub idle: i64,
    /// In all, in seconds.
    pub longest: i64,
}

/// A session's name in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub Uuid);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SessionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// What a browser's cookie holds: 256 random bits as text.
pub struct SessionSecret(SecretString);

impl SessionSecret {
    pub(super) fn random(entropy: &dyn Entropy) -> Self {
        Self(URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()).into())
    }

    /// The cookie's value.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of("blindprint/admin-session/v1", self.expose().as_bytes())
    }

    /// The token that the session's forms carry. It says nothing about the cookie.
    pub fn csrf(&self) -> String {
        Digest::of("blindprint/admin-csrf/v1", self.expose().as_bytes()).to_string()
    }

    /// Whether a form carries this session's token.
    pub fn admits(&self, token: &str) -> bool {
        self.csrf().as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl From<String> for SessionSecret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its name in lists.
    pub id: SessionId,
    /// The digest of its cookie.
    pub secret: Digest,
    /// Whose it is.
    pub administrator: AdministratorId,
    /// Since when.
    pub created: UnixTime,
    /// When it was last used.
    pub seen: UnixTime,
    /// When a passkey was last used in it.
    pub proven: UnixTime,
    /// What the browser calls itself.
    pub agent: String,
}

impl SessionRecord {
    /// Whether it is over.
    pub const fn is_over(&self, terms: SessionTerms, now: UnixTime) -> bool {
        now.0 >= self.seen.0 + terms.idle || now.0 >= self.created.0 + terms.longest
    }

    /// Whether its passkey was used so lately that something may be destroyed.
    pub const fn is_fresh(&self, now: UnixTime) -> bool {
        now.0 < self.proven.0 + FRESH_SECONDS
    }
}

/// An administrator in a live session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub administrator: AdministratorRecord,
    /// In which session.
    pub session: SessionRecord,
}

impl Admin {
    /// Whose session this is, if it is live. Using it keeps it alive.
    pub async fn signed_in(&self, secret: &SessionSecret) -> Result<Option<SignedIn>> {
        let now = self.clock.now();
        let Some(mut found) = self.store.session(secret.digest()).await? else {
            return Ok(None);
        };
        if found.session.is_over(self.terms, now) {
            return Ok(None);
        }
        if now.0 >= found.session.seen.0 + SEEN_EVERY {
            self.store.touch_session(found.session.id, now).await?;
            found.session.seen = now;
        }
        Ok(Some(found))
    }

    /// Whether this session may destroy something now.
    pub fn is_fresh(&self, who: &SignedIn) -> bool {
        who.session.is_fresh(self.clock.now())
    }

    /// A session's first record, with its cookie.
    pub(super) fn open_session(
        &self,
        administrator: AdministratorId,
        agent: &str,
    ) -> (SessionRecord, SessionSecret) {
        let now = self.clock.now();
        let secret = SessionSecret::random(&*self.entropy);
        let record = SessionRecord {
            id: SessionId(self.entropy.uuid()),
            secret: secret.digest(),
            administrator,
            created: now,
            seen: now,
            proven: now,
            agent: agent
                .chars()
                .filter(|character| !character.is_control())
                .take(LONGEST_AGENT)
                .collect(),
        };
        (record, secret)
    }

    /// The live sessions of an administrator, the latest used first.
    pub async fn sessions_of(&self, who: AdministratorId) -> Result<Vec<SessionRecord>> {
        let now = self.clock.now();
        let mut sessions = self.store.sessions_of(who).await?;
        sessions.retain(|session| !session.is_over(self.terms, now));
        Ok(sessions)
    }

    /// Signs out.
    pub async fn sign_out(&self, who: &SignedIn) -> Result<()> {
        let act = Act::done(Actor::from(who), ActKind::SignOut, who.session.id);
        let own = (who.administrator.id, who.session.id);
        self.store.end_session(own, &act, self.stamp()).await?;
        Ok(())
    }

    /// Ends another session of one's own.
    pub async fn end_session(&self, who: &SignedIn, id: SessionId) -> Result<()> {
        let act = Act::done(Actor::from(who), ActKind::EndSession, id);
        let own = (who.administrator.id, id);
        if self.store.end_session(own, &act, self.stamp()).await? {
            Ok(())
        } else {
            Err(Error::Refused(ProblemCode::NotFound))
        }
    }

    /// Forgets sessions and links that are over.
    pub async fn forget(&self) -> Result<()> {
        let now = self.clock.now();
        self.store
            .forget_admin(now.plus(-self.terms.idle), now.plus(-self.terms.longest))
            .await
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn a_session_ends_when_idle_and_in_the_end() {
        let terms = SessionTerms {
            idle: 100,
            longest: 1000,
        };
        let mut session = SessionRecord {
            id: SessionId(Uuid::nil()),
            secret: Digest::of("x", b""),
            administrator: AdministratorId(Uuid::nil()),
            created: UnixTime(0),
            seen: UnixTime(0),
            proven: UnixTime(0),
            agent: String::new(),
        };
        assert!(!session.is_over(terms, UnixTime(99)));
        assert!(session.is_over(terms, UnixTime(100)));
        session.seen = UnixTime(990);
        assert!(!session.is_over(terms, UnixTime(999)));
        assert!(session.is_over(terms, UnixTime(1000)));
        assert!(session.is_fresh(UnixTime(FRESH_SECONDS - 1)));
        assert!(!session.is_fresh(UnixTime(FRESH_SECONDS)));
    }

    #[test]
    fn a_sessions_token_is_its_own() {
        let one = SessionSecret::random(&SystemEntropy);
        let other = SessionSecret::random(&SystemEntropy);
        assert!(one.admits(&one.csrf()));
        assert!(!one.admits(&other.csrf()) && !one.admits("") && !one.admits(one.expose()));
    }
}
