use std::{hash::Hash, sync::Arc};

use blindprint_core::{Clock, UnixTime};
use moka::future::Cache as Store;

use crate::{Options, Resolution, ResolutionError};

/// What an entry takes besides its texts, in bytes, about.
const OVERHEAD: usize = 512;

/// Answers by DID and options, bounded in bytes. A key that several callers ask for at once is
/// resolved once.
pub(crate) struct Cache {
    store: Store<Key, Answer>,
    clock: Arc<dyn Clock>,
    ttl: i64,
    negative_ttl: i64,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) did: String,
    pub(crate) version_id: Option<String>,
    pub(crate) version_time: Option<String>,
    pub(crate) version_number: Option<u64>,
}

impl Key {
    pub(crate) fn new(did: &crate::Did, options: &Options) -> Self {
        Self {
            did: did.to_string(),
            version_id: options.version_id.clone(),
            version_time: options.version_time.clone(),
            version_number: options.version_number,
        }
    }

    /// What it takes in memory, about. Strangers choose what is asked for: even of failures, which weigh
    /// nothing else, no number may fill the memory.
    fn weight(&self) -> u32 {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let texts = self.did.len() + text(&self.version_id) + text(&self.version_time);
        u32::try_from(texts + OVERHEAD).unwrap_or(u32::MAX)
    }
}

#[derive(Clone)]
struct Answer {
    outcome: Result<Arc<Resolution>, ResolutionError>,
    weight: u32,
    expires: UnixTime,
}

impl Cache {
    pub(crate) fn new(clock: Arc<dyn Clock>, capacity: u64, ttl: u32, negative_ttl: u32) -> Self {
        let store = Store::builder()
            .max_capacity(capacity)
            .weigher(|key: &Key, answer: &Answer| answer.weight.saturating_add(key.weight()))
            .build();
        Self {
            store,
            clock,
            ttl: ttl.into(),
            negative_ttl: negative_ttl.into(),
        }
    }

    /// The answer to `key`, from here unless it is missing, expired or `fresh` is asked for.
    pub(crate) async fn answer(
        &self,
        key: Key,
        fresh: bool,
        resolve: impl Future<Output = Result<Resolution, ResolutionError>>,
    ) -> Result<Arc<Resolution>, ResolutionError> {
        let now = self.clock.now();
        let make = async {
            let outcome = resolve.await;
            let ttl = match &outcome {
                // did:webvh says itself how long, but never longer than is configured.
                Ok(found) => found
                    .document_metadata
                    .ttl
                    .map_or(self.ttl, |ttl| self.ttl.min(ttl.into())),
                Err(_) => self.negative_ttl,
            };
            let bytes = outcome.as_ref().map_or(0, |found| {
                let json = serde_json::to_vec(found);
                json.map_or(usize::MAX, |json| json.len())
            });
            Answer {
                outcome: outcome.map(Arc::new),
                weight: u32::try_from(bytes).unwrap_or(u32::MAX),
                expires: self.clock.now().plus(ttl),
            }
        };
        let entry = self
            .store
            .entry(key)
            .or_insert_with_if(make, |answer| fresh || now >= answer.expires);
        entry.await.into_value().outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_choose_has_weight() {
        let did = "did:web:a.example".parse().unwrap();
        let plain = Key::new(&did, &Options::default()).weight();
        assert!(plain > 500, "{plain}");
        let versioned = Options {
            version_id: Some("1".repeat(4000)),
            version_time: Some("2".repeat(100)),
            ..Options::default()
        };
        assert_eq!(Key::new(&did, &versioned).weight(), plain + 4100);
    }
}
