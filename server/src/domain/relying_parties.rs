//! Relying parties that the operator knows: who must be told when a subject whom they recognised is erased
//! or takes a consent back (GDPR article 19).

use std::{fmt, str::FromStr};

use blindprint_core::{Audience, Entropy, Invalid, UnixTime};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::{Error, Result, store::Store};

const LONGEST_NAME: usize = 100;
const LONGEST_REMARK: usize = 1000;
const LONGEST_WEBHOOK: usize = 500;

/// A relying party's name here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RelyingPartyId(Uuid);

impl RelyingPartyId {
    /// A random one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy.uuid())
    }

    /// Its 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for RelyingPartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RelyingPartyId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self).map_err(|_| Invalid {
            what: "relying party",
            rule: "a UUID",
        })
    }
}

/// What the operator says of a relying party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelyingParty {
    /// Its name for people.
    pub name: String,
    /// The name that verdicts are for.
    pub audience: Audience,
    /// Where it wants to be told, if anywhere.
    pub webhook: Option<String>,
    /// A person to write to.
    pub contact: Option<String>,
    /// The operator's own remark.
    pub notes: Option<String>,
}

/// A relying party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    /// Its name here.
    pub id: RelyingPartyId,
    /// What the operator says of it.
    pub known: NewRelyingParty,
    /// Since when.
    pub added: UnixTime,
}

impl RelyingParty {
    /// Checks what the operator says.
    pub fn new(id: RelyingPartyId, known: NewRelyingParty, now: UnixTime) -> Result<Self> {
        let refuse = |what: &str| Err(Error::Setup(format!("relying party: {what}")));
        let fits =
            |text: &str, most| !text.is_empty() && text.len() <= most && !text.contains('\0');
        if !fits(&known.name, LONGEST_NAME) || known.name.chars().any(char::is_control) {
            return refuse("a name has 1 to 100 bytes and no control characters");
        }
        let remarks = [&known.contact, &known.notes];
        if remarks
            .into_iter()
            .flatten()
            .any(|text| !fits(text, LONGEST_REMARK))
        {
            return refuse("contact and notes have 1 to 1000 bytes");
        }
        if let Some(webhook) = &known.webhook {
            let url = Url::parse(webhook)
                .ok()
                .filter(|_| fits(webhook, LONGEST_WEBHOOK));
            // Whether the address may be reached is egress's to say, whenever something is sent.
            let plain = |url: &Url| url.username().is_empty() && url.password().is_none();
            if !url.is_some_and(|url| matches!(url.scheme(), "https" | "http") && plain(&url)) {
                return refuse("a webhook is an https URL without a user name");
            }
        }
        Ok(Self {
            id,
            known,
            added: now,
        })
    }
}

/// Adds a relying party. An audience is one party's.
pub async fn add_relying_party(
    store: &dyn Store,
    known: NewRelyingParty,
    entropy: &dyn Entropy,
    now: UnixTime,
) -> Result<RelyingParty> {
    let party = RelyingParty::new(RelyingPartyId::random(entropy), known, now)?;
    if store.record_relying_party(&party).await? {
        Ok(party)
    } else {
        Err(Error::Setup(format!(
            "there is a relying party for {} already",
            party.known.audience
        )))
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn a_webhook_is_an_address_without_secrets() {
        let new = |webhook: &str| {
            let known = NewRelyingParty {
                name: "Shop".to_owned(),
                audience: "https://shop.example".parse().unwrap(),
                webhook: Some(webhook.to_owned()),
                contact: None,
                notes: None,
            };
            RelyingParty::new(RelyingPartyId::random(&SystemEntropy), known, UnixTime(0))
        };
        assert!(new("https://shop.example/events").is_ok());
        for bad in [
            "",
            "shop.example",
            "ftp://shop.example",
            "https://user:pass@shop.example",
        ] {
            assert!(new(bad).is_err(), "{bad}");
        }
    }
}
