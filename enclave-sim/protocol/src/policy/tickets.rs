use std::collections::{BTreeMap, VecDeque};

use blindprint_core::{Nonce, UnixTime};

/// How many tickets there may be and how long each lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Seconds.
    pub(super) lifetime: i64,
    /// For each holder.
    pub(super) each: usize,
    /// Altogether.
    pub(super) total: usize,
}

/// Nonces given out, each for one holder and one `T`, good once. They live in memory only and so
/// die with the boot.
///
/// Whoever holds too many loses their own oldest first. Time never goes back and all tickets of a
/// table last equally long, so the oldest is also the first to expire.
#[derive(Debug)]
pub(super) struct Tickets<H, T> {
    limits: Limits,
    issued: u64,
    by_age: BTreeMap<u64, Ticket<H, T>>,
    by_nonce: BTreeMap<Nonce, u64>,
    by_holder: BTreeMap<H, VecDeque<u64>>,
}

#[derive(Debug)]
pub(super) struct Ticket<H, T> {
    nonce: Nonce,
    pub(super) holder: H,
    pub(super) matter: T,
    expires: UnixTime,
}

impl<H: Ord + Clone, T> Tickets<H, T> {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            issued: 0,
            by_age: BTreeMap::new(),
            by_nonce: BTreeMap::new(),
            by_holder: BTreeMap::new(),
        }
    }

    /// Gives out `nonce`, and returns when it dies.
    pub(super) fn issue(&mut self, nonce: Nonce, holder: H, matter: T, now: UnixTime) -> UnixTime {
        while let Some((age, oldest)) = self.by_age.first_key_value()
            && (oldest.expires <= now || self.by_age.len() >= self.limits.total)
        {
            self.remove(*age);
        }
        if let Some(held) = self.by_holder.get(&holder)
            && held.len() >= self.limits.each
            && let Some(oldest) = held.front().copied()
        {
            self.remove(oldest);
        }
        let expires = now.plus(self.limits.lifetime);
        self.issued += 1;
        self.by_nonce.insert(nonce, self.issued);
        self.by_holder
            .entry(holder.clone())
            .or_default()
            .push_back(self.issued);
        self.by_age.insert(
            self.issued,
            Ticket {
                nonce,
                holder,
                matter,
                expires,
            },
        );
        expires
    }

    /// The live ticket with this nonce.
    pub(super) fn find(&self, nonce: &Nonce, now: UnixTime) -> Option<&Ticket<H, T>> {
        let ticket = self.by_age.get(self.by_nonce.get(nonce)?)?;
        (now < ticket.expires).then_some(ticket)
    }

    /// Ends the ticket with this nonce.
    pub(super) fn spend(&mut self, nonce: &Nonce) {
        if let Some(age) = self.by_nonce.get(nonce) {
            self.remove(*age);
        }
    }

    /// Ends all that this holder has.
    pub(super) fn forget(&mut self, holder: &H) {
        for age in self.by_holder.get(holder).cloned().unwrap_or_default() {
            self.remove(age);
        }
    }

    fn remove(&mut self, age: u64) {
        let Some(ticket) = self.by_age.remove(&age) else {
            return;
        };
        self.by_nonce.remove(&ticket.nonce);
        if let Some(held) = self.by_holder.get_mut(&ticket.holder) {
            held.retain(|other| *other != age);
            if held.is_empty() {
                self.by_holder.remove(&ticket.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        lifetime: 100,
        each: 3,
        total: 5,
    };

    fn nonce(n: u8) -> Nonce {
        Nonce::from_bytes([n; 32])
    }

    fn live(tickets: &Tickets<&str, ()>, range: std::ops::Range<u8>, now: i64) -> Vec<u8> {
        range
            .filter(|n| tickets.find(&nonce(*n), UnixTime(now)).is_some())
            .collect()
    }

    #[test]
    fn who_asks_too_often_loses_their_own() {
        let mut tickets = Tickets::new(LIMITS);
        tickets.issue(nonce(0), "alice", (), UnixTime(0));
        for n in 1..20 {
            tickets.issue(nonce(n), "mallory", (), UnixTime(0));
        }
        assert_eq!(live(&tickets, 0..20, 0), [0, 17, 18, 19]);
        assert_eq!((tickets.by_nonce.len(), tickets.by_holder.len()), (4, 2));
    }

    #[test]
    fn the_table_is_bounded_and_the_oldest_goes() {
        let mut tickets = Tickets::new(LIMITS);
        for (n, holder) in ["a", "b", "c", "d", "e", "f", "g"].into_iter().enumerate() {
            tickets.issue(nonce(u8::try_from(n).unwrap()), holder, (), UnixTime(0));
        }
        assert_eq!(live(&tickets, 0..7, 0), [2, 3, 4, 5, 6]);
        assert_eq!(tickets.by_holder.len(), 5);
    }

    #[test]
    fn tickets_end_by_time_and_by_use() {
        let mut tickets = Tickets::new(LIMITS);
        assert_eq!(tickets.issue(nonce(1), "a", (), UnixTime(0)), UnixTime(100));
        tickets.issue(nonce(2), "a", (), UnixTime(50));
        assert_eq!(live(&tickets, 1..3, 99), [1, 2]);
        assert_eq!(live(&tickets, 1..3, 100), [2]);
        tickets.spend(&nonce(2));
        tickets.spend(&nonce(2));
        assert_eq!(live(&tickets, 1..3, 99), [1]);
        tickets.issue(nonce(3), "b", (), UnixTime(100));
        assert_eq!(tickets.by_age.len(), 1, "the expired one is swept");
    }
}
