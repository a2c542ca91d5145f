use std::{
    collections::HashMap,
    hash::Hash,
    sync::Mutex,
    time::{Duration, Instant},
};

/// How often something may happen.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Steadily, in a minute.
    pub per_minute: u32,
    /// At once, after a pause.
    pub burst: u32,
}

/// Token buckets for each key, in bounded memory.
///
/// A bucket that has filled up again says nothing and is forgotten. If none can be forgotten, keys
/// that are not known yet share one bucket, so that a flood of fresh keys slows down fresh keys and
/// nobody else.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    capacity: usize,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    known: HashMap<K, Bucket>,
    shared: Option<Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// Buckets for at most `capacity` keys.
    pub fn new(rate: Rate, capacity: usize) -> Self {
        Self {
            rate,
            capacity,
            state: Mutex::new(State {
                known: HashMap::new(),
                shared: None,
            }),
        }
    }

    /// Takes a token, or says how many seconds it takes until there is one.
    pub fn take(&self, key: &K, now: Instant) -> Result<(), u32> {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(bucket) = state.known.get_mut(key) {
            return bucket.take(self.rate, now);
        }
        if state.known.len() >= self.capacity {
            let rate = self.rate;
            state.known.retain(|_, bucket| !bucket.is_full(rate, now));
        }
        let full = Bucket {
            tokens: f64::from(self.rate.burst),
            at: now,
        };
        if state.known.len() >= self.capacity {
            return state.shared.get_or_insert(full).take(self.rate, now);
        }
        state
            .known
            .entry(key.clone())
            .or_insert(full)
            .take(self.rate, now)
    }
}

impl Bucket {
    fn level(&self, rate: Rate, now: Instant) -> f64 {
        let minutes = now.saturating_duration_since(self.at).as_secs_f64() / 60.0;
        minutes
            .mul_add(f64::from(rate.per_minute), self.tokens)
            .min(f64::from(rate.burst))
    }

    fn is_full(&self, rate: Rate, now: Instant) -> bool {
        self.level(rate, now) >= f64::from(rate.burst)
    }

    fn take(&mut self, rate: Rate, now: Instant) -> Result<(), u32> {
        let level = self.level(rate, now);
        if level < 1.0 {
            let wait = Duration::from_secs_f64((1.0 - level) * 60.0 / f64::from(rate.per_minute));
            return Err(u32::try_from(wait.as_secs())
                .unwrap_or(u32::MAX)
                .saturating_add(1));
        }
        *self = Self {
            tokens: level - 1.0,
            at: now,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_minute: 60,
        burst: 2,
    };

    #[test]
    fn a_burst_then_a_steady_rate() {
        let buckets = Buckets::new(RATE, 10);
        let start = Instant::now();
        assert_eq!(buckets.take(&"a", start), Ok(()));
        assert_eq!(buckets.take(&"a", start), Ok(()));
        assert_eq!(buckets.take(&"a", start), Err(2));
        assert_eq!(
            buckets.take(&"b", start),
            Ok(()),
            "one key does not pay for another"
        );
        assert_eq!(buckets.take(&"a", start + Duration::from_secs(1)), Ok(()));
        assert!(buckets.take(&"a", start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_a_flood_pays_for_itself() {
        let buckets = Buckets::new(RATE, 3);
        let start = Instant::now();
        for _ in 0..2 {
            assert_eq!(buckets.take(&0, start), Ok(()));
        }
        let refused = (1..1000)
            .filter(|key| buckets.take(key, start).is_err())
            .count();
        assert_eq!(
            refused, 995,
            "two have buckets of their own, two share the last one's tokens"
        );
        assert!(buckets.state.lock().unwrap().known.len() <= 3);
        let later = start + Duration::from_mins(1);
        assert_eq!(
            buckets.take(&5000, later),
            Ok(()),
            "full buckets are forgotten"
        );
        assert_eq!(buckets.state.lock().unwrap().known.len(), 1);
    }
}
