//! The identity as one file, so that log and keys change together or not at all.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{ServiceId, UnixTime};
use blindprint_did::{KeyType, SigningKey};
use blindprint_resolver::{
    Relationship, VerificationMethod,
    webvh::{Limits, Unverified},
};
use secrecy::{ExposeSecret as _, SecretBox, zeroize::Zeroizing};
use serde::{Deserialize, Serialize};

use super::{Issuer, IssuerMethod, Keys, UpdateKeys, method_ids};
use crate::{Error, Result};

/// The end of the year 9999.
const END_OF_TIME: UnixTime = UnixTime(253_402_300_799);

/// The file. Keys are borrowed from a text that is wiped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<'a> {
    service: ServiceId,
    log: Vec<String>,
    #[serde(borrow)]
    update_key: &'a str,
    next_update_key: &'a str,
    ed25519: &'a str,
    p256: &'a str,
    authentication: &'a str,
}

impl Issuer {
    /// What is kept of it: secret.
    pub fn to_text(&self) -> Result<Zeroizing<String>> {
        let kept = Kept {
            service: self.service.clone(),
            log: self
                .log
                .entries()
                .iter()
                .map(|entry| entry.line().to_owned())
                .collect(),
            update_key: &text(&self.update.current),
            next_update_key: &text(&self.update.next),
            ed25519: &text(&self.keys.ed25519),
            p256: &text(&self.keys.p256),
            authentication: &text(&self.keys.authentication),
        };
        serde_json::to_string(&kept)
            .map(Zeroizing::new)
            .map_err(|error| Error::broken("writing the service's identity")(error.into()))
    }

    /// The identity of the service of this name, from what was kept. The log is verified, and the keys
    /// must be those that it lists.
    pub fn from_text(text: &str, service: &ServiceId, method: IssuerMethod) -> Result<Self> {
        let damaged = |why: &dyn fmt::Display| {
            Error::Setup(format!("identity.json in the data folder: {why}"))
        };
        let kept: Kept<'_> =
            serde_json::from_str(text).map_err(|_| damaged(&"it is not an identity"))?;
        if kept.service != *service {
            return Err(damaged(&format!(
                "it is that of {}, this service is {service}; credentials of the one would not \
                 verify under the other's name",
                kept.service
            )));
        }
        let jsonl = kept.log.join("\n");
        // An identity of one's own may be as long as it has become.
        let limits = Limits {
            bytes: usize::MAX,
            entries: usize::MAX,
        };
        let log = Unverified::parse(jsonl.as_bytes(), &limits)
            // A clock that was set back does not take our own name away.
            .and_then(|log| log.verify(END_OF_TIME))
            .map_err(|error| damaged(&error))?;
        let key = |text, key_type| key(text, key_type).ok_or_else(|| damaged(&"a key is damaged"));
        let issuer = Self::of(
            kept.service,
            method,
            log,
            UpdateKeys {
                current: key(kept.update_key, KeyType::Ed25519)?,
                next: key(kept.next_update_key, KeyType::Ed25519)?,
            },
            Keys {
                ed25519: key(kept.ed25519, KeyType::Ed25519)?,
                p256: key(kept.p256, KeyType::P256)?,
                authentication: key(kept.authentication, KeyType::Ed25519)?,
            },
        )?;
        if issuer.lists_its_keys() {
            Ok(issuer)
        } else {
            Err(damaged(&"its keys are not those in its log"))
        }
    }

    fn lists_its_keys(&self) -> bool {
        let document = self.log.document();
        let listed = |key: &SigningKey, purpose| {
            method_ids(&document.id, &key.public()).iter().all(|id| {
                id.parse().is_ok_and(|url| {
                    document.permits(&url, purpose)
                        && document.method(&url).and_then(VerificationMethod::key)
                            == Some(key.public())
                })
            })
        };
        let updates = &self.log.latest().parameters().update_keys;
        updates.contains(&self.update.current.public().multikey())
            && listed(&self.keys.ed25519, Relationship::AssertionMethod)
            && listed(&self.keys.p256, Relationship::AssertionMethod)
            && listed(&self.keys.authentication, Relationship::Authentication)
    }
}

fn text(key: &SigningKey) -> Zeroizing<String> {
    Zeroizing::new(URL_SAFE_NO_PAD.encode(key.to_secret().expose_secret()))
}

fn key(text: &str, key_type: KeyType) -> Option<SigningKey> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
    let bytes = <[u8; 32]>::try_from(bytes.as_slice()).ok()?;
    SigningKey::from_secret(key_type, &SecretBox::new(Box::new(bytes))).ok()
}
