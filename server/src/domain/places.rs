use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// Places that can be held at once: so many in all, and fewer by one key.
#[derive(Debug)]
pub struct Places<K> {
    most: usize,
    each: usize,
    held: Mutex<Taken<K>>,
}

#[derive(Debug)]
struct Taken<K> {
    total: usize,
    by_key: HashMap<K, usize>,
}

/// A place, free again when this is dropped.
#[derive(Debug)]
pub struct Place<K: Eq + Hash> {
    of: Arc<Places<K>>,
    key: Option<K>,
}

impl<K: Eq + Hash + Clone> Places<K> {
    /// At most `most`, of which one key holds at most `each`.
    pub fn new(most: usize, each: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            each,
            held: Mutex::new(Taken {
                total: 0,
                by_key: HashMap::new(),
            }),
        })
    }

    /// A place, if there is one; without a key only the total counts.
    pub fn take(self: &Arc<Self>, key: Option<K>) -> Option<Place<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.total >= self.most {
            return None;
        }
        if let Some(key) = &key {
            let own = held.by_key.get(key).copied().unwrap_or(0);
            if own >= self.each {
                return None;
            }
            held.by_key.insert(key.clone(), own + 1);
        }
        held.total += 1;
        Some(Place {
            of: Arc::clone(self),
            key,
        })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut held = self.of.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total -= 1;
        let Some(key) = &self.key else { return };
        if let Some(own) = held.by_key.get_mut(key) {
            *own -= 1;
            if *own == 0 {
                held.by_key.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_share_and_gives_it_back() {
        let places = Places::new(5, 2);
        let first = places.take(Some(1)).unwrap();
        let _second = places.take(Some(1)).unwrap();
        assert!(places.take(Some(1)).is_none());
        let _another = places.take(Some(2)).unwrap();
        drop(first);
        let _again = places.take(Some(1)).unwrap();
        let keyless: Vec<_> = (0..2).map(|_| places.take(None).unwrap()).collect();
        assert!(places.take(Some(3)).is_none(), "there are five");
        drop(keyless);
        assert!(places.take(Some(3)).is_some());
        assert_eq!(places.held.lock().unwrap().by_key.len(), 2);
    }
}
