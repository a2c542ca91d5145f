use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Digest, Entropy, Jws, KeyUri, SubjectId, UnixTime};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::pending::Signed;

/// Without a request, a subject is signed out after 15 minutes.
pub const IDLE_SECONDS: i64 = 900;
/// In any case after an hour.
pub const LONGEST_SECONDS: i64 = 3600;
/// How long a signature is good for what destroys something: five minutes.
pub const FRESH_SECONDS: i64 = 300;
/// What is kept of what a browser calls itself, in characters.
const LONGEST_AGENT: usize = 160;

/// A browser's name in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BrowserId(pub Uuid);

impl fmt::Display for BrowserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BrowserId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// What a browser's cookie holds: 256 random bits as text.
pub struct BrowserSecret(SecretString);

impl BrowserSecret {
    pub(super) fn random(entropy: &dyn Entropy) -> Self {
        Self(URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()).into())
    }

    /// The cookie's value.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of("blindprint/subject-session/v1", self.expose().as_bytes())
    }

    /// The token that the browser's forms carry. It says nothing about the cookie.
    pub fn csrf(&self) -> String {
        Digest::of("blindprint/subject-csrf/v1", self.expose().as_bytes()).to_string()
    }

    /// Whether a form carries this browser's token.
    pub fn admits(&self, token: &str) -> bool {
        self.csrf().as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl From<String> for BrowserSecret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// A browser in which a subject is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserRecord {
    /// Its name in lists.
    pub id: BrowserId,
    /// The digest of its cookie.
    pub secret: Digest,
    /// Whose it is.
    pub subject: SubjectId,
    /// The key that signed.
    pub key: KeyUri,
    /// What it signed last.
    pub sign_in: Jws,
    /// When that came.
    pub proven: UnixTime,
    /// Since when.
    pub created: UnixTime,
    /// When it was last used.
    pub seen: UnixTime,
    /// What it calls itself.
    pub agent: String,
}

impl BrowserRecord {
    pub(super) fn new(
        id: BrowserId,
        secret: Digest,
        signed: Signed,
        agent: &str,
        now: UnixTime,
    ) -> Self {
        let printable = agent.chars().filter(|character| !character.is_control());
        Self {
            id,
            secret,
            subject: signed.subject,
            key: signed.key,
            sign_in: signed.sign_in,
            proven: now,
            created: now,
            seen: now,
            agent: printable.take(LONGEST_AGENT).collect(),
        }
    }

    /// Whether its subject is signed out again.
    pub const fn is_over(&self, now: UnixTime) -> bool {
        now.0 >= self.seen.0 + IDLE_SECONDS || now.0 >= self.created.0 + LONGEST_SECONDS
    }

    /// Whether its subject signed so lately that something may be destroyed.
    pub const fn is_fresh(&self, now: UnixTime) -> bool {
        now.0 < self.proven.0 + FRESH_SECONDS
    }
}
