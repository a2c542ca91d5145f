//! Who the service is to strangers: a did:webvh with a parallel did:web, and the keys that its
//! documents list. What wallets sign is addressed to its origin; what it signs itself names these.
//!
//! The update keys, of which the next is committed to, sign nothing but the log. Rotation adds new
//! keys for credentials and keeps the old public ones listed, so that old credentials stay verifiable;
//! the old private keys are gone.

mod kept;

use std::sync::{Arc, PoisonError, RwLock};

use blindprint_core::{Entropy, ServiceId, UnixTime};
use blindprint_did::{Jwk, KeyType, PublicKey, SigningKey};
use blindprint_resolver::{
    Did, Document, MethodRef, Relationship, VerificationMethod,
    webvh::{Change, Creation, Location, Log, LogError, did_web},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Error, Result};

/// Which of its DIDs the service issues under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IssuerMethod {
    /// did:web, which every wallet resolves.
    #[default]
    Web,
    /// did:webvh, whose history is verifiable.
    Webvh,
}

impl IssuerMethod {
    /// Its name in configuration and database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Webvh => "webvh",
        }
    }
}

/// What becomes of the keys that a rotation replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKeys {
    /// What was issued with them stays verifiable.
    StayListed,
    /// Nothing signed with them verifies any more: for keys that somebody else may have.
    AreDisowned,
}

/// The keys in use.
struct Keys {
    ed25519: SigningKey,
    p256: SigningKey,
    authentication: SigningKey,
}

/// Keys that change the log.
struct UpdateKeys {
    /// Signed the last entry.
    current: SigningKey,
    /// Committed to by it: signs the next one.
    next: SigningKey,
}

/// The service's identity.
pub struct Issuer {
    service: ServiceId,
    method: IssuerMethod,
    log: Log,
    web: Document,
    update: UpdateKeys,
    keys: Keys,
}

/// The identity in force, which a rotation replaces while the service runs.
pub struct CurrentIssuer(RwLock<Arc<Issuer>>);

impl CurrentIssuer {
    /// Begins with this one.
    pub fn new(issuer: Issuer) -> Self {
        Self(RwLock::new(Arc::new(issuer)))
    }

    /// The one in force at this moment.
    pub fn now(&self) -> Arc<Issuer> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another one in force.
    pub fn replace(&self, issuer: Issuer) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(issuer);
    }
}

impl Keys {
    fn generate(entropy: &dyn Entropy) -> Self {
        Self {
            ed25519: SigningKey::generate(KeyType::Ed25519, entropy),
            p256: SigningKey::generate(KeyType::P256, entropy),
            authentication: SigningKey::generate(KeyType::Ed25519, entropy),
        }
    }
}

impl Issuer {
    /// A new identity of the service of this name.
    pub fn create(
        service: &ServiceId,
        method: IssuerMethod,
        entropy: &dyn Entropy,
        now: UnixTime,
    ) -> Result<Self> {
        let keys = Keys::generate(entropy);
        let update = UpdateKeys {
            current: SigningKey::generate(KeyType::Ed25519, entropy),
            next: SigningKey::generate(KeyType::Ed25519, entropy),
        };
        let location = location(service)?;
        let web = location
            .did_web()
            .map_err(|error| Error::broken("naming the service's did:web")(error.into()))?;
        let creation = Creation {
            next_keys: vec![update.next.public()],
            ..Creation::at(location)
        };
        let log = Log::create(&creation, &update.current, now, |did| {
            let mut document = Document::new(did.clone());
            document.context = serde_json::from_value(json!([
                "https://www.w3.org/ns/did/v1",
                "https://w3id.org/security/multikey/v1",
                "https://w3id.org/security/jwk/v1",
            ]))
            .ok();
            document.also_known_as = vec![web.to_string()];
            list(&mut document, &keys);
            document
        })
        .map_err(broken)?;
        Self::of(service.clone(), method, log, update, keys)
    }

    /// The same identity with new keys. The old ones can sign nothing any more.
    pub fn rotated(&self, old: OldKeys, entropy: &dyn Entropy, now: UnixTime) -> Result<Self> {
        let keys = Keys::generate(entropy);
        let after_next = SigningKey::generate(KeyType::Ed25519, entropy);
        let mut document = self.log.document().clone();
        document.authentication.clear();
        match old {
            OldKeys::StayListed => {
                let gone = method_ids(&document.id, &self.keys.authentication.public());
                document
                    .verification_method
                    .retain(|method| !gone.contains(&method.id));
            }
            OldKeys::AreDisowned => {
                document.assertion_method.clear();
                document.verification_method.clear();
            }
        }
        list(&mut document, &keys);
        let change = Change {
            document: Some(document),
            update_keys: Some(vec![self.update.next.public()]),
            next_keys: Some(vec![after_next.public()]),
            ..Change::default()
        };
        let entry = match self.log.update(&change, &self.update.next, now) {
            Err(LogError::Wait(until)) => {
                let seconds = until.since(now).max(1).try_into().unwrap_or(u32::MAX);
                return Err(Error::RetryAfter {
                    code: blindprint_core::problem::ProblemCode::Conflict,
                    seconds,
                });
            }
            entry => entry.map_err(broken)?,
        };
        let log = self.log.append(&entry, now).map_err(broken)?;
        let update = UpdateKeys {
            current: copy(&self.update.next)?,
            next: after_next,
        };
        Self::of(self.service.clone(), self.method, log, update, keys)
    }

    fn of(
        service: ServiceId,
        method: IssuerMethod,
        log: Log,
        update: UpdateKeys,
        keys: Keys,
    ) -> Result<Self> {
        let web = did_web(&log)
            .map_err(|error| Error::broken("deriving the did:web document")(error.into()))?;
        Ok(Self {
            service,
            method,
            log,
            web,
            update,
            keys,
        })
    }

    /// The kind of DID that credentials and requests name.
    pub const fn method(&self) -> IssuerMethod {
        self.method
    }

    /// The DID that credentials and requests name.
    pub fn did(&self) -> &Did {
        self.did_of(self.method)
    }

    /// The DID of this kind.
    pub fn did_of(&self, method: IssuerMethod) -> &Did {
        match method {
            IssuerMethod::Web => &self.web.id,
            IssuerMethod::Webvh => self.webvh(),
        }
    }

    /// The did:webvh.
    pub fn webvh(&self) -> &Did {
        self.log.did()
    }

    /// The did:web.
    pub const fn web(&self) -> &Did {
        &self.web.id
    }

    /// `did.json`.
    pub const fn document(&self) -> &Document {
        &self.web
    }

    /// `did.jsonl`.
    pub fn log(&self) -> String {
        self.log.to_jsonl()
    }

    /// The version id of the log's latest entry.
    pub fn version(&self) -> &str {
        self.log.latest().version_id()
    }

    /// The key that signs credentials with this kind of signature.
    pub const fn credential_key(&self, key_type: KeyType) -> &SigningKey {
        match key_type {
            KeyType::Ed25519 => &self.keys.ed25519,
            KeyType::P256 => &self.keys.p256,
        }
    }

    /// The key that signs requests to wallets.
    pub const fn authentication_key(&self) -> &SigningKey {
        &self.keys.authentication
    }

    /// The DID URL of one of these keys as a JWK, for `kid` in JOSE.
    pub fn jose_method(&self, key: &SigningKey) -> String {
        self.jose_method_of(self.method, key)
    }

    /// The same under the DID of this kind.
    pub fn jose_method_of(&self, method: IssuerMethod, key: &SigningKey) -> String {
        jose_id(self.did_of(method), &key.public())
    }

    /// The DID URL of one of these keys as a Multikey, for Data Integrity.
    pub fn multikey_method(&self, key: &SigningKey) -> String {
        self.multikey_method_of(self.method, key)
    }

    /// The same under the DID of this kind.
    pub fn multikey_method_of(&self, method: IssuerMethod, key: &SigningKey) -> String {
        multikey_id(self.did_of(method), &key.public())
    }

    /// Every key that credentials may be signed with, old ones included, as a JWK Set.
    pub fn jwks(&self) -> Value {
        let did = self.did();
        let keys: Vec<Value> = self
            .web
            .relationship(Relationship::AssertionMethod)
            .iter()
            .filter_map(|entry| match entry {
                MethodRef::Reference(id) => self.web.method(&self.web.url(id)?),
                MethodRef::Embedded(method) => Some(method),
            })
            .filter(|method| method.jwk().is_some())
            .filter_map(VerificationMethod::key)
            .map(|key| {
                let mut jwk = jwk(&key);
                jwk["kid"] = jose_id(did, &key).into();
                jwk["use"] = "sig".into();
                jwk["alg"] = match key.key_type() {
                    KeyType::Ed25519 => "EdDSA",
                    KeyType::P256 => "ES256",
                }
                .into();
                jwk
            })
            .collect();
        json!({ "keys": keys })
    }
}

/// Adds the keys to a document: each as a JWK, for JOSE, and as a Multikey, for Data Integrity.
fn list(document: &mut Document, keys: &Keys) {
    let did = document.id.clone();
    for (key, purpose) in [
        (&keys.ed25519, Relationship::AssertionMethod),
        (&keys.p256, Relationship::AssertionMethod),
        (&keys.authentication, Relationship::Authentication),
    ] {
        let key = key.public();
        let methods = [
            (jose_id(&did, &key), "JsonWebKey", "publicKeyJwk", jwk(&key)),
            (
                multikey_id(&did, &key),
                "Multikey",
                "publicKeyMultibase",
                key.multikey().into(),
            ),
        ];
        for (id, kind, member, value) in methods {
            let listed = match purpose {
                Relationship::Authentication => &mut document.authentication,
                _ => &mut document.assertion_method,
            };
            listed.push(MethodRef::Reference(id.clone()));
            document.verification_method.push(VerificationMethod {
                id,
                kind: kind.to_owned(),
                controller: did.clone(),
                material: [(member.to_owned(), value)].into_iter().collect(),
            });
        }
    }
}

fn jwk(key: &PublicKey) -> Value {
    serde_json::to_value(Jwk::from(key)).unwrap_or_default()
}

fn method_ids(did: &Did, key: &PublicKey) -> [String; 2] {
    [jose_id(did, key), multikey_id(did, key)]
}

fn jose_id(did: &Did, key: &PublicKey) -> String {
    format!("{did}#{}", key.thumbprint())
}

fn multikey_id(did: &Did, key: &PublicKey) -> String {
    format!("{did}#{}", key.multikey())
}

/// Keys cannot be cloned by accident.
fn copy(key: &SigningKey) -> Result<SigningKey> {
    SigningKey::from_secret(key.key_type(), &key.to_secret())
        .map_err(|error| Error::broken("moving an update key")(error.into()))
}

/// Where the files of a service's DID are: at its origin's root.
fn location(service: &ServiceId) -> Result<Location> {
    let refused = || {
        Error::Setup(format!(
            "service.public_url: {service} has no host that a DID can name"
        ))
    };
    let url = service.as_str().parse().map_err(|_| refused())?;
    Location::of(&url).map_err(|_| refused())
}

fn broken(error: LogError) -> Error {
    Error::broken("writing the service's DID log")(error.into())
}

#[cfg(test)]
mod tests;
