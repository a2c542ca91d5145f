use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use blindprint_core::{Clock, UnixTime};
use blindprint_did::jwt::UnverifiedJwt;
use serde_json::{Map, Value};

use crate::{Document, FetchError, FetchedList, StatusLists, status::MAX_ENCODED};

/// Status lists that are fetched again only when their own `ttl` has passed.
///
/// What is kept is what was served, unverified: [`crate::Verifier`] verifies it at every use. A list
/// without `ttl` is not kept, nor is a failure.
pub struct CachedLists {
    lists: Arc<dyn StatusLists>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By address and media type asked for.
    lists: HashMap<(String, String), (UnixTime, FetchedList)>,
    bytes: usize,
}

impl CachedLists {
    /// The longest that a list is kept, in seconds, whatever it says of itself.
    pub const MAX_TTL: i64 = 300;
    /// The most that is kept, in bytes.
    pub const MAX_BYTES: usize = 32 * 1024 * 1024;

    /// Keeps what `lists` fetches.
    pub fn new(lists: Arc<dyn StatusLists>, clock: Arc<dyn Clock>) -> Self {
        Self {
            lists,
            clock,
            kept: Mutex::default(),
        }
    }
}

#[async_trait]
impl StatusLists for CachedLists {
    async fn fetch(&self, url: &str, accept: &str) -> Result<FetchedList, FetchError> {
        let name = (url.to_owned(), accept.to_owned());
        let kept = |kept: &Mutex<Kept>| {
            let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let (until, list) = kept.lists.get(&name)?;
            (self.clock.now() < *until).then(|| list.clone())
        };
        if let Some(list) = kept(&self.kept) {
            return Ok(list);
        }
        // Counted from before the fetch, so that a slow answer is not kept for longer.
        let now = self.clock.now();
        let list = self.lists.fetch(url, accept).await?;
        if let Some(ttl) = ttl(&list.body) {
            let until = now.plus(ttl.min(Self::MAX_TTL));
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.insert(name, until, list.clone(), now);
        }
        Ok(list)
    }
}

impl Kept {
    fn insert(
        &mut self,
        name: (String, String),
        until: UnixTime,
        list: FetchedList,
        now: UnixTime,
    ) {
        self.remove(&name);
        let size = list.body.len();
        if size > CachedLists::MAX_BYTES {
            return;
        }
        while self.bytes + size > CachedLists::MAX_BYTES || self.lists.len() >= 1024 {
            let soonest = self.lists.iter().min_by_key(|(_, (until, _))| *until);
            let Some(name) = soonest.map(|(name, _)| name.clone()) else {
                break;
            };
            self.remove(&name);
        }
        if now < until {
            self.bytes += size;
            self.lists.insert(name, (until, list));
        }
    }

    fn remove(&mut self, name: &(String, String)) {
        if let Some((_, list)) = self.lists.remove(name) {
            self.bytes -= list.body.len();
        }
    }
}

/// The `ttl` of a list in any of its forms, in seconds.
fn ttl(body: &[u8]) -> Option<i64> {
    let body = body.trim_ascii();
    if body.starts_with(b"{") {
        let list = Document::parse_within(body, MAX_ENCODED + Document::MAX_LEN).ok()?;
        return of_credential(list.members());
    }
    let token = UnverifiedJwt::parse(std::str::from_utf8(body).ok()?, 2 * MAX_ENCODED).ok()?;
    match token.claims().get("ttl") {
        Some(ttl) => ttl.as_i64(),
        None => of_credential(token.claims()),
    }
}

/// Bitstring Status List counts in milliseconds (section 2.2).
fn of_credential(members: &Map<String, Value>) -> Option<i64> {
    let ttl = members.get("credentialSubject")?.get("ttl")?.as_i64()?;
    Some(ttl / 1000)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use blindprint_core::ManualClock;

    use super::*;
    use crate::{
        Suite,
        fixture::{Cast, NOW, REVOCATION, TOKENS, now},
        status::TokenStatusList,
    };

    struct Counted {
        cast: Cast,
        fetches: AtomicUsize,
    }

    #[async_trait]
    impl StatusLists for Counted {
        async fn fetch(&self, url: &str, accept: &str) -> Result<FetchedList, FetchError> {
            self.fetches.fetch_add(1, Ordering::Relaxed);
            self.cast.world.fetch(url, accept).await
        }
    }

    #[test]
    fn a_list_is_fetched_again_after_its_ttl() {
        let cast = Cast::new();
        let list = TokenStatusList::of(2, 1 << 17, []).unwrap();
        let make = |ttl| {
            cast.signer()
                .token_status_list(TOKENS, &list, NOW, NOW.plus(3600), ttl)
        };
        let (minute, hour) = (make(60).unwrap(), make(3600).unwrap());
        cast.world.serve(TOKENS, minute);
        let bits = crate::status::BitstringStatusList::of(131_072, []).unwrap();
        let purpose = crate::status::StatusPurpose::Revocation;
        let bits = bits
            .credential(
                REVOCATION,
                "did:web:issuer.example",
                purpose,
                NOW,
                NOW.plus(3600),
                60,
            )
            .unwrap();
        let signed = cast
            .signer()
            .credential(bits.clone(), Suite::EddsaJcs2022, NOW)
            .unwrap();
        cast.world.serve(REVOCATION, signed.to_string());
        let as_token = cast.signer().credential_jwt(&bits).unwrap();
        cast.world.serve("https://issuer.example/jwt", as_token);
        cast.world.serve("https://issuer.example/plain", "{}");
        let world = Arc::new(Counted {
            cast,
            fetches: AtomicUsize::new(0),
        });
        let clock = Arc::new(ManualClock::at(NOW));
        let lists = CachedLists::new(world.clone(), clock.clone());
        let fetches = |url: &str| {
            let before = world.fetches.load(Ordering::Relaxed);
            let fetched = now(lists.fetch(url, "x")).map(|_| ());
            (fetched, world.fetches.load(Ordering::Relaxed) - before)
        };
        let kept = [TOKENS, REVOCATION, "https://issuer.example/jwt"];
        for url in kept {
            assert_eq!(fetches(url), (Ok(()), 1));
        }
        clock.advance(59);
        for url in kept {
            assert_eq!(fetches(url), (Ok(()), 0));
        }
        clock.advance(1);
        world.cast.world.serve(TOKENS, hour);
        for url in kept {
            assert_eq!(fetches(url), (Ok(()), 1));
        }
        clock.advance(299);
        assert_eq!(fetches(TOKENS), (Ok(()), 0));
        clock.advance(1);
        assert_eq!(fetches(TOKENS), (Ok(()), 1));
        for _ in 0..2 {
            assert_eq!(fetches("https://issuer.example/plain"), (Ok(()), 1));
            assert_eq!(
                fetches("https://issuer.example/none"),
                (Err(FetchError::Unavailable), 1)
            );
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut kept = Kept::default();
        for n in 0..40_i64 {
            let list = FetchedList {
                body: vec![0; CachedLists::MAX_BYTES / 10],
                content_type: None,
            };
            kept.insert((n.to_string(), String::new()), NOW.plus(n + 1), list, NOW);
            assert!(kept.bytes <= CachedLists::MAX_BYTES);
        }
        assert_eq!(kept.lists.len(), 10);
        assert!(kept.lists.contains_key(&("39".to_owned(), String::new())));
    }
}
