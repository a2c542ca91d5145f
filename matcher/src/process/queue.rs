use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A bounded queue: who comes when it is full is sent away at once.
pub(super) struct Queue<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
    /// Moving average of the time that a worker spends on one.
    service_time: Duration,
}

/// Why something was not taken; it comes back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// Come again after this time.
    Full(Duration),
    /// Nothing is taken any more.
    Closed,
}

/// What is assumed before anything was measured.
const FIRST_GUESS: Duration = Duration::from_millis(500);

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State {
            waiting: VecDeque::with_capacity(capacity),
            closed: false,
            service_time: FIRST_GUESS,
        };
        Self {
            capacity: capacity.max(1),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// Adds `item` at the end, unless `capacity` wait already.
    pub(super) fn push(&self, item: T, workers: usize) -> Result<(), NotTaken> {
        let mut state = self.state();
        if state.closed {
            return Err(NotTaken::Closed);
        }
        if state.waiting.len() >= self.capacity {
            // Until half of what waits is done.
            let halves = u32::try_from(self.capacity.div_ceil(2 * workers.max(1))).unwrap_or(1);
            return Err(NotTaken::Full(state.service_time.saturating_mul(halves)));
        }
        state.waiting.push_back(item);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for the first one; `None` once the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<T> {
        let mut state = self.state();
        loop {
            if let Some(item) = state.waiting.pop_front() {
                return Some(item);
            }
            if state.closed {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells how long one took.
    pub(super) fn served_in(&self, time: Duration) {
        let mut state = self.state();
        state.service_time = (state.service_time * 7 + time) / 8;
    }

    /// Takes nothing more. What waits is still handed out.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// No code that could panic runs while it is locked.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_says_when_to_come_again() {
        let queue = Queue::new(4);
        for item in 0..4 {
            assert_eq!(queue.push(item, 1), Ok(()));
        }
        assert_eq!(queue.push(4, 1), Err(NotTaken::Full(FIRST_GUESS * 2)));
        assert_eq!(queue.push(4, 2), Err(NotTaken::Full(FIRST_GUESS)));
        for _ in 0..100 {
            queue.served_in(Duration::from_millis(80));
        }
        let Err(NotTaken::Full(wait)) = queue.push(4, 1) else {
            panic!("it is full")
        };
        assert!(
            (Duration::from_millis(150)..Duration::from_millis(170)).contains(&wait),
            "{wait:?}"
        );
        assert_eq!(queue.pop(), Some(0));
        assert_eq!(queue.push(4, 1), Ok(()));
        assert_eq!(queue.len(), 4);
    }

    #[test]
    fn a_closed_queue_hands_out_what_waits() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1, 1), Ok(()));
        queue.close();
        assert_eq!(queue.push(2, 1), Err(NotTaken::Closed));
        assert_eq!(queue.pop(), Some(1));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn workers_that_wait_are_woken() {
        let queue = Queue::new(2);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..3).map(|_| scope.spawn(|| queue.pop())).collect();
            assert_eq!(queue.push(7, 3), Ok(()));
            while queue.len() > 0 {
                std::thread::yield_now();
            }
            queue.close();
            let popped: Vec<_> = workers
                .into_iter()
                .filter_map(|it| it.join().unwrap())
                .collect();
            assert_eq!(popped, [7]);
        });
    }
}
