use blindprint_core::UnixTime;
use blindprint_did::{KeyType, SigningKey};
use blindprint_openid4vc::Format;
use secrecy::SecretBox;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{CredentialView, Shown, candidate};
use crate::{Result, secret::Secret};

/// What the key file holds of a credential.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialRecord {
    pub(crate) id: Uuid,
    pub(crate) name: Option<String>,
    /// The Credential Issuer Identifier.
    pub(crate) received_from: String,
    /// The DID that signed it.
    pub(crate) issuer: String,
    pub(crate) types: Vec<String>,
    pub(crate) format: Format,
    pub(crate) received: UnixTime,
    pub(crate) expires: Option<UnixTime>,
    /// They say the same.
    pub(crate) copies: Vec<Copy>,
}

/// A credential and the key that it is bound to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Copy {
    pub(crate) credential: Value,
    pub(crate) key: Secret,
    pub(crate) key_type: KeyType,
    /// The DID of the key, as a VCDM credential names its subject.
    pub(crate) holder: Option<String>,
    /// Written before it is shown, so that a copy that may have been seen is not shown again.
    pub(crate) shown: Vec<Shown>,
}

impl CredentialRecord {
    pub(crate) fn view(&self) -> Result<CredentialView> {
        let claims = match self.copies.first() {
            Some(copy) => candidate::claims(&self.format, &copy.credential)?,
            None => serde_json::Map::new(),
        };
        Ok(CredentialView {
            id: self.id,
            name: self.name.clone(),
            received_from: self.received_from.clone(),
            issuer: self.issuer.clone(),
            types: self.types.clone(),
            format: self.format.as_str().to_owned(),
            received: self.received,
            expires: self.expires,
            copies: self.copies.len(),
            unused: self.copies.iter().filter(|copy| copy.is_unused()).count(),
            shown: self
                .copies
                .iter()
                .flat_map(|copy| copy.shown.clone())
                .collect(),
            claims,
        })
    }

    pub(crate) fn holds_at(&self, now: UnixTime) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

impl Copy {
    pub(crate) const fn is_unused(&self) -> bool {
        self.shown.is_empty()
    }

    pub(crate) fn signing_key(&self) -> Result<SigningKey> {
        let secret = SecretBox::init_with_mut(|bytes: &mut [u8; 32]| {
            bytes.copy_from_slice(self.key.expose());
        });
        SigningKey::from_secret(self.key_type, &secret)
            .map_err(|_| crate::Error::Unusable("a holder key in the wallet is no key".to_owned()))
    }
}
