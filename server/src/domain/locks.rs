use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

/// One lock for each key that somebody holds or waits for. Memory is bounded by the requests
/// under way.
#[derive(Debug)]
pub struct Locks<K: Eq + Hash>(Arc<Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>>);

/// Holds one key's lock until it is dropped.
#[derive(Debug)]
pub struct Held<K: Eq + Hash> {
    locks: Arc<Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>>,
    key: K,
    guard: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash> Default for Locks<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash + Clone> Locks<K> {
    /// Waits until nobody else holds `key`.
    pub async fn hold(&self, key: &K) -> Held<K> {
        // Made first, so that an entry is cleaned up even if waiting is cut off.
        let mut held = Held {
            locks: Arc::clone(&self.0),
            key: key.clone(),
            guard: None,
        };
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(key.clone()).or_default())
        };
        held.guard = Some(lock.lock_owned().await);
        held
    }
}

impl<K: Eq + Hash> Drop for Held<K> {
    fn drop(&mut self) {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard = None;
        // The map's own reference is the last one when nobody waits.
        if locks
            .get(&self.key)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            locks.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_for_each_key_and_nothing_left_over() {
        let locks = Arc::new(Locks::default());
        let first = locks.hold(&1).await;
        let _other = locks.hold(&2).await;
        let cut_off = tokio::time::timeout(Duration::from_millis(20), locks.hold(&1)).await;
        assert!(cut_off.is_err());
        let waiting = tokio::spawn({
            let locks = Arc::clone(&locks);
            async move { drop(locks.hold(&1).await) }
        });
        drop(first);
        waiting.await.unwrap();
        assert_eq!(locks.0.lock().unwrap().len(), 1);
    }
}
