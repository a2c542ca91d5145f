//! Machine clients: programs that hold a secret of their own and act by scopes.

use std::{collections::BTreeSet, fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Digest, Entropy, UnixTime};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::{Error, Result, store::Store};

const LONGEST_NAME: usize = 100;

/// What a machine client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Have general credentials signed.
    CredentialsIssue,
    /// Have credentials verified.
    CredentialsVerify,
    /// Change the status of credentials that the client had issued.
    CredentialsStatus,
    /// Have presentations verified.
    PresentationsVerify,
    /// Ask wallets for presentations.
    PresentationsRequest,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::CredentialsIssue,
        Self::CredentialsVerify,
        Self::CredentialsStatus,
        Self::PresentationsVerify,
        Self::PresentationsRequest,
    ];

    /// Its name in OAuth.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CredentialsIssue => "credentials:issue",
            Self::CredentialsVerify => "credentials:verify",
            Self::CredentialsStatus => "credentials:status",
            Self::PresentationsVerify => "presentations:verify",
            Self::PresentationsRequest => "presentations:request",
        }
    }
}

impl Scope {
    /// What it allows, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::CredentialsIssue => "Have general credentials signed",
            Self::CredentialsVerify => "Have credentials verified",
            Self::CredentialsStatus => "Change the status of the client's own credentials",
            Self::PresentationsVerify => "Have presentations verified",
            Self::PresentationsRequest => "Ask wallets for presentations",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "one of credentials:issue, credentials:verify, credentials:status, presentations:verify, presentations:request"
)]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let named = |scope: &Self| scope.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or(UnknownScope)
    }
}

/// Several scopes, in OAuth's spelling: separated by spaces (RFC 6749 section 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Whether `scope` is among them.
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether all of them are among `other`.
    pub fn within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|scope| scope.as_str()).collect();
        f.write_str(&names.join(" "))
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        text.split_ascii_whitespace().map(str::parse).collect()
    }
}

/// A machine client's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Uuid);

impl ClientId {
    /// The dashboard, where it asks for what machine clients ask for.
    pub const DASHBOARD: Self = Self(Uuid::nil());

    /// Its 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ClientId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// A machine client as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// Its name in OAuth.
    pub id: ClientId,
    /// Its name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Digest of its secret.
    pub secret: Digest,
    /// When it was made.
    pub created: UnixTime,
    /// When it was taken back.
    pub revoked: Option<UnixTime>,
}

/// Digest of a machine client's secret, as it is kept.
pub(super) fn secret_digest(secret: &str) -> Digest {
    Digest::of("blindprint/client-secret/v1", secret.as_bytes())
}

/// 256 random bits as text.
pub(super) fn random_secret(entropy: &dyn Entropy) -> SecretString {
    SecretString::from(URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()))
}

/// Makes a machine client. Its secret is returned here and can be learnt nowhere else.
pub async fn add_client(
    store: &dyn Store,
    name: String,
    scopes: Scopes,
    entropy: &dyn Entropy,
    now: UnixTime,
) -> Result<(ClientId, SecretString)> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::Setup(format!(
            "a client's name has 1 to {LONGEST_NAME} bytes and no control characters"
        )));
    }
    if scopes.is_empty() {
        return Err(Error::Setup("a client needs at least one scope".to_owned()));
    }
    let (id, secret) = (ClientId(entropy.uuid()), random_secret(entropy));
    store
        .record_client(&ClientRecord {
            id,
            name,
            scopes,
            secret: secret_digest(secret.expose_secret()),
            created: now,
            revoked: None,
        })
        .await?;
    Ok((id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        let all: Scopes = Scope::ALL.into_iter().collect();
        assert_eq!(all.to_string().parse(), Ok(all.clone()));
        let one: Scopes = "credentials:verify  credentials:verify".parse().unwrap();
        assert_eq!(one.to_string(), "credentials:verify");
        assert!(one.within(&all) && !all.within(&one));
        assert_eq!("credentials:all".parse::<Scopes>(), Err(UnknownScope));
        assert!("".parse::<Scopes>().unwrap().is_empty());
    }
}
