//! An issuer, a holder and the world between them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use blindprint_core::{Entropy, ManualClock, UnixTime, profiles};
use blindprint_did::{KeyType, PublicKey, SigningKey};
use sha2::{Digest as _, Sha256};

use crate::{
    AuthenticationClaims, Claims, Contexts, Credential, Date, Deployment, EnrolmentClaims,
    FetchError, FetchedList, KeyError, Keys, Relationship, ResolvedKey, Signer, StatusLists, Suite,
    Verifier,
    status::{BitstringStatusList, StatusEntry, StatusPurpose},
};

pub const NOW: UnixTime = UnixTime(1_795_341_600);
pub const ISSUER: &str = "did:web:issuer.example";
pub const ISSUER_KEY: &str = "did:web:issuer.example#key";
pub const ISSUER_P256: &str = "did:web:issuer.example#p256";
pub const REVOCATION: &str = "https://issuer.example/status-lists/1/revocation";
pub const SUSPENSION: &str = "https://issuer.example/status-lists/1/suspension";
pub const TOKENS: &str = "https://issuer.example/status-lists/2";

/// Repeatable bytes.
pub struct Seeded(AtomicU64);

impl Seeded {
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed << 32))
    }

    pub fn below(&self, end: usize) -> usize {
        let bytes = (self as &dyn Entropy).bytes::<8>();
        usize::try_from(u64::from_le_bytes(bytes) % end as u64).unwrap()
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// DID documents and status lists.
#[derive(Default)]
pub struct World {
    keys: Mutex<HashMap<String, (ResolvedKey, Vec<Relationship>)>>,
    lists: Mutex<HashMap<String, Vec<u8>>>,
}

impl World {
    pub fn list_key(&self, method: &str, key: PublicKey, relationships: &[Relationship]) {
        let controller = method.split('#').next().unwrap().to_owned();
        self.list_key_of(method, &controller, key, relationships);
    }

    pub fn list_key_of(
        &self,
        method: &str,
        controller: &str,
        key: PublicKey,
        relationships: &[Relationship],
    ) {
        let key = ResolvedKey {
            controller: controller.to_owned(),
            key,
        };
        let listed = (key, relationships.to_vec());
        self.keys.lock().unwrap().insert(method.to_owned(), listed);
    }

    pub fn serve(&self, url: &str, body: impl Into<Vec<u8>>) {
        self.lists
            .lock()
            .unwrap()
            .insert(url.to_owned(), body.into());
    }

    pub fn unserve(&self, url: &str) {
        self.lists.lock().unwrap().remove(url);
    }
}

#[async_trait]
impl Keys for World {
    async fn key_for(
        &self,
        method: &str,
        relationship: Relationship,
    ) -> Result<ResolvedKey, KeyError> {
        let keys = self.keys.lock().unwrap();
        let (key, relationships) = keys.get(method).ok_or(KeyError::NotFound)?;
        if relationships.contains(&relationship) {
            Ok(key.clone())
        } else {
            Err(KeyError::Relationship)
        }
    }
}

#[async_trait]
impl StatusLists for World {
    async fn fetch(&self, url: &str, _: &str) -> Result<FetchedList, FetchError> {
        let lists = self.lists.lock().unwrap();
        let body = lists.get(url).ok_or(FetchError::Unavailable)?.clone();
        Ok(FetchedList {
            body,
            content_type: None,
        })
    }
}

/// Everybody, with everything set up so that what they make verifies.
pub struct Cast {
    pub world: Arc<World>,
    pub clock: Arc<ManualClock>,
    pub contexts: Contexts,
    pub deployment: Deployment,
    pub issuer: SigningKey,
    pub issuer_p256: SigningKey,
    pub holder: SigningKey,
    pub holder_method: String,
    pub verifier: Verifier,
}

impl Cast {
    pub fn new() -> Self {
        let entropy = Seeded::new(7);
        let world = Arc::new(World::default());
        let clock = Arc::new(ManualClock::at(NOW));
        let deployment = Deployment::new(&"https://issuer.example".parse().unwrap());
        let contexts = Contexts::standard().with(&deployment);
        let issuer = SigningKey::generate(KeyType::Ed25519, &entropy);
        let issuer_p256 = SigningKey::generate(KeyType::P256, &entropy);
        let holder = SigningKey::generate(KeyType::Ed25519, &entropy);
        let did = holder.public().uri();
        let fragment = did.as_str().strip_prefix("did:key:").unwrap();
        let holder_method = format!("{did}#{fragment}");
        world.list_key(
            ISSUER_KEY,
            issuer.public(),
            &[Relationship::AssertionMethod],
        );
        world.list_key(
            ISSUER_P256,
            issuer_p256.public(),
            &[Relationship::AssertionMethod],
        );
        world.list_key(
            &holder_method,
            holder.public(),
            &[Relationship::AssertionMethod, Relationship::Authentication],
        );
        let verifier = Verifier::new(
            world.clone(),
            world.clone(),
            clock.clone(),
            contexts.clone(),
        );
        let cast = Self {
            world,
            clock,
            contexts,
            deployment,
            issuer,
            issuer_p256,
            holder,
            holder_method,
            verifier,
        };
        cast.serve_lists([], []);
        cast
    }

    pub fn signer(&self) -> Signer<'_> {
        Signer::new(&self.issuer, ISSUER_KEY, &self.contexts).unwrap()
    }

    pub fn presenter(&self) -> Signer<'_> {
        Signer::new(&self.holder, &self.holder_method, &self.contexts).unwrap()
    }

    pub fn holder_did(&self) -> &str {
        self.holder_method.split('#').next().unwrap()
    }

    pub fn serve_lists<const R: usize, const S: usize>(
        &self,
        revoked: [u64; R],
        suspended: [u64; S],
    ) {
        for (url, purpose, set) in [
            (REVOCATION, StatusPurpose::Revocation, revoked.to_vec()),
            (SUSPENSION, StatusPurpose::Suspension, suspended.to_vec()),
        ] {
            let list = BitstringStatusList::of(BitstringStatusList::MIN_ENTRIES, set).unwrap();
            let list = list
                .credential(url, ISSUER, purpose, NOW, NOW.plus(3600), 60)
                .unwrap();
            let list = self
                .signer()
                .credential(list, Suite::EddsaJcs2022, NOW)
                .unwrap();
            self.world.serve(url, list.to_string());
        }
    }

    pub fn claims() -> Claims {
        Claims::Enrolment(EnrolmentClaims {
            modality: blindprint_core::Modality::Face,
            profile: profiles()[0].id(),
            parameter_set: "p2048".to_owned(),
            enrolled_since: Date::of(NOW),
        })
    }

    pub fn verdict() -> Claims {
        Claims::Authentication(AuthenticationClaims {
            matched: true,
            modality: blindprint_core::Modality::Face,
            profile: profiles()[0].id(),
            parameter_set: "p2048".to_owned(),
            operating_point: profiles()[0].operating_point.as_ref().map(Into::into),
            audience: "https://shop.example".parse().unwrap(),
            nonce: "n-1".to_owned(),
            authenticated_at: NOW,
            verdict_digest: blindprint_core::Digest::of("test", b"verdict"),
        })
    }

    pub fn credential(&self, claims: &Claims) -> Credential {
        let entry = |purpose, list: &str| StatusEntry {
            purpose,
            index: 4711,
            list: list.to_owned(),
        };
        Credential::builder(&self.deployment, ISSUER, claims)
            .held_by(self.holder_did())
            .valid_from(NOW)
            .valid_until(NOW.plus(600))
            .status(&entry(StatusPurpose::Revocation, REVOCATION))
            .status(&entry(StatusPurpose::Suspension, SUSPENSION))
            .build()
            .unwrap()
    }
}

/// The outcome of a future that waits for nothing.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(future).expect("nothing to wait for")
}
