//! One-time links that make an administrator.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Digest, Entropy, UnixTime};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use uuid::Uuid;

use super::{Act, ActKind, Actor, Admin, AdministratorId, Name, Role, SignedIn};
use crate::{Error, Result, domain::ledger::Stamp, store::Store};
use blindprint_core::problem::ProblemCode;

/// How long a link is good for: a day.
pub const LINK_SECONDS: i64 = 86_400;
/// What the first operator is called until somebody gives them another name.
const FIRST: &str = "First operator";
/// Links that may wait to be used at once.
const MOST_LINKS: usize = 50;

/// A link's name in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkId(pub Uuid);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for LinkId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// What whoever has a link presents: 256 random bits as text.
pub struct LinkSecret(SecretString);

impl LinkSecret {
    /// A fresh one.
    fn random(entropy: &dyn Entropy) -> Self {
        Self(URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()).into())
    }

    /// The last part of the link's path.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of("blindprint/admin-link/v1", self.expose().as_bytes())
    }
}

impl From<String> for LinkSecret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Whoever has it may join.
    Waiting,
    /// Somebody joined by it.
    Used,
    /// It was taken back.
    Revoked,
    /// It is too late.
    Expired,
}

/// A link as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRecord {
    /// Its name in lists.
    pub id: LinkId,
    /// The digest of its secret.
    pub secret: Digest,
    /// What its user may do then.
    pub role: Role,
    /// Whom it is for.
    pub name: Name,
    /// Who made it; `None` for the machine's own command line.
    pub maker: Option<AdministratorId>,
    /// When it was made.
    pub created: UnixTime,
    /// When it ends.
    pub expires: UnixTime,
    /// When somebody joined by it.
    pub used: Option<UnixTime>,
    /// When it was taken back.
    pub revoked: Option<UnixTime>,
}

impl LinkRecord {
    /// How it stands.
    pub const fn state(&self, now: UnixTime) -> LinkState {
        if self.used.is_some() {
            LinkState::Used
        } else if self.revoked.is_some() {
            LinkState::Revoked
        } else if self.expires.0 <= now.0 {
            LinkState::Expired
        } else {
            LinkState::Waiting
        }
    }
}

/// Makes a link. Its secret is returned here and can be learnt nowhere else.
pub async fn make_link(
    store: &dyn Store,
    by: Actor,
    role: Role,
    name: Name,
    stamp: Stamp<'_>,
) -> Result<(LinkRecord, LinkSecret)> {
    let links = store.links().await?;
    let waiting = links
        .iter()
        .filter(|link| link.state(stamp.at) == LinkState::Waiting);
    if waiting.count() >= MOST_LINKS {
        return Err(Error::because(
            ProblemCode::QuotaReached,
            "too many links wait to be used: revoke some",
        ));
    }
    let secret = LinkSecret::random(stamp.entropy);
    let link = LinkRecord {
        id: LinkId(stamp.entropy.uuid()),
        secret: secret.digest(),
        role,
        name,
        maker: by.id,
        created: stamp.at,
        expires: stamp.at.plus(LINK_SECONDS),
        used: None,
        revoked: None,
    };
    let act = Act::done(by, ActKind::MakeLink, link.id)
        .with(json!({ "role": role.as_str(), "name": link.name.as_str() }));
    store.record_link(&link, &act, stamp).await?;
    Ok((link, secret))
}

impl Admin {
    /// Makes a link for another administrator.
    pub async fn make_link(
        &self,
        by: &SignedIn,
        role: Role,
        name: Name,
    ) -> Result<(LinkRecord, LinkSecret)> {
        make_link(&*self.store, Actor::from(by), role, name, self.stamp()).await
    }

    /// A link for the first operator, while there is no administrator. Earlier ones that the machine made
    /// end: whoever starts the service again has not got them any more.
    pub async fn first_link(&self) -> Result<Option<LinkSecret>> {
        let administrators = self.store.administrators().await?;
        if administrators.iter().any(|who| who.removed.is_none()) {
            return Ok(None);
        }
        let stamp = self.stamp();
        for link in self.store.links().await? {
            if link.maker.is_none() && link.state(stamp.at) == LinkState::Waiting {
                let act = Act::done(Actor::machine(), ActKind::RevokeLink, link.id);
                self.store.revoke_link(link.id, &act, stamp).await?;
            }
        }
        let name: Name = FIRST
            .parse()
            .map_err(|error| Error::broken("naming the first operator")(Box::new(error)))?;
        let made = make_link(&*self.store, Actor::machine(), Role::Operator, name, stamp);
        let (_, secret) = made.await?;
        Ok(Some(secret))
    }

    /// All links, newest first.
    pub async fn links(&self) -> Result<Vec<LinkRecord>> {
        self.store.links().await
    }

    /// Takes a link back that waits to be used.
    pub async fn revoke_link(&self, by: &SignedIn, id: LinkId) -> Result<()> {
        let act = Act::done(Actor::from(by), ActKind::RevokeLink, id);
        if self.store.revoke_link(id, &act, self.stamp()).await? {
            Ok(())
        } else {
            Err(Error::Refused(ProblemCode::NotFound))
        }
    }

    /// The link of a secret, if it waits to be used.
    pub async fn waiting_link(&self, secret: &LinkSecret) -> Result<Option<LinkRecord>> {
        let link = self.store.link(secret.digest()).await?;
        Ok(link.filter(|link| link.state(self.clock.now()) == LinkState::Waiting))
    }
}
