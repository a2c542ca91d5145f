use std::{fmt, str::FromStr};

use blindprint_core::{Entropy, UnixTime, problem::ProblemCode};
use serde_json::json;
use uuid::Uuid;

use super::{Act, ActKind, Actor, Admin, Role, SignedIn};
use crate::{Error, Result};

/// Longest name of an administrator, passkey or link, in bytes.
pub const MAX_NAME: usize = 80;

/// An administrator, as passkeys name them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdministratorId(pub Uuid);

impl AdministratorId {
    /// A fresh one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy.uuid())
    }
}

impl fmt::Display for AdministratorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AdministratorId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// What somebody calls an administrator, a passkey or a link: visible text without line breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 80 bytes and no control characters")]
pub struct BadName;

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let text = text.trim();
        // Invisible characters that change the direction or join words could make one name look like another.
        let hidden = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        if text.is_empty() || text.len() > MAX_NAME || text.chars().any(hidden) {
            return Err(BadName);
        }
        Ok(Self(text.to_owned()))
    }
}

/// An administrator as they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdministratorRecord {
    /// Their id.
    pub id: AdministratorId,
    /// Their name.
    pub name: Name,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub created: UnixTime,
    /// Until when.
    pub removed: Option<UnixTime>,
    /// How many passkeys they have.
    pub passkeys: u32,
    /// When they were last here.
    pub seen: Option<UnixTime>,
}

/// What came of removing something, or of changing a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It was done.
    Done,
    /// There is none of that name.
    Unknown,
    /// It is the last one, without which nobody could get in.
    Last,
}

impl Removal {
    pub(super) fn settled(self, last: &'static str) -> Result<()> {
        match self {
            Self::Done => Ok(()),
            Self::Unknown => Err(Error::Refused(ProblemCode::NotFound)),
            Self::Last => Err(Error::because(ProblemCode::Conflict, last)),
        }
    }
}

const LAST_OPERATOR: &str = "there has to be an operator";

impl Admin {
    /// All administrators, those who are removed last.
    pub async fn administrators(&self) -> Result<Vec<AdministratorRecord>> {
        self.store.administrators().await
    }

    /// Gives an administrator another role. Their sessions end: what they see next is theirs to see.
    pub async fn change_role(&self, by: &SignedIn, id: AdministratorId, role: Role) -> Result<()> {
        let act = Act::done(Actor::from(by), ActKind::ChangeRole, id)
            .with(json!({ "role": role.as_str() }));
        let changed = self.store.change_role(id, role, &act, self.stamp()).await?;
        changed.settled(LAST_OPERATOR)
    }

    /// Removes an administrator with their passkeys and sessions.
    pub async fn remove_administrator(&self, by: &SignedIn, id: AdministratorId) -> Result<()> {
        let act = Act::done(Actor::from(by), ActKind::RemoveAdministrator, id);
        let removed = self.store.remove_administrator(id, &act, self.stamp());
        removed.await?.settled(LAST_OPERATOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_visible_text() {
        assert_eq!(
            " Ada Lovelace ".parse::<Name>().unwrap().as_str(),
            "Ada Lovelace"
        );
        for bad in ["", "  ", "a\nb", "Ada\u{202e}", &"x".repeat(81)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
