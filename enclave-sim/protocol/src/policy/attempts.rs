use blindprint_core::UnixTime;
use serde::{Deserialize, Serialize};

use crate::message::Refusal;

/// Failures in a row after which every further attempt has to wait (NIST SP 800-63B-4 section 3.2.3).
pub const FREE_FAILURES: u32 = 5;
/// Seconds between two attempts from then on.
pub const DELAY: i64 = 30;
/// Failures in a row after which only the recovery key helps.
pub const MOST_FAILURES: u32 = 50;
/// Failures that a match does not forgive, within [`BUDGET_PERIOD`].
pub const BUDGET: usize = 50;
/// The trailing period of the budget, in seconds.
pub const BUDGET_PERIOD: i64 = 90 * 24 * 3600;

/// How often somebody failed to authenticate as a subject.
///
/// An attempt is counted as a failure when it begins and given back if it matches, so that a
/// crash between the two cannot make a guess free. Only the count in a row bounds a host that lies
/// about the time: the delay and the budget pass when its clock does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attempts {
    /// Attempts ever begun.
    begun: u64,
    /// Failures since the last match.
    in_a_row: u32,
    /// The failures of the trailing period, in order.
    failures: Vec<Attempt>,
}

/// One attempt that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attempt {
    number: u64,
    at: UnixTime,
}

impl Attempts {
    /// Whether an attempt may begin.
    pub(super) fn permit(&self, now: UnixTime) -> Result<(), Refusal> {
        if self.in_a_row >= MOST_FAILURES || self.recent(now).count() >= BUDGET {
            return Err(Refusal::Locked);
        }
        let wait = match self.failures.last() {
            Some(last) if self.in_a_row >= FREE_FAILURES => DELAY - now.since(last.at),
            _ => 0,
        };
        match u32::try_from(wait) {
            Ok(0) | Err(_) => Ok(()),
            Ok(retry_after) => Err(Refusal::Throttled { retry_after }),
        }
    }

    /// Whether only the recovery key or time helps.
    pub(super) fn locked(&self, now: UnixTime) -> bool {
        self.permit(now) == Err(Refusal::Locked)
    }

    /// Counts an attempt as failed.
    pub(super) fn begin(mut self, now: UnixTime) -> Result<(Self, Attempt), Refusal> {
        self.permit(now)?;
        self.in_a_row += 1;
        self.begun += 1;
        let attempt = Attempt {
            number: self.begun,
            at: now,
        };
        self.failures = self.recent(now).chain([attempt]).collect();
        Ok((self, attempt))
    }

    /// Gives a matching attempt back. Attempts that began after it still count.
    #[must_use]
    pub(super) fn matched(mut self, attempt: Attempt) -> Self {
        self.failures.retain(|failure| *failure != attempt);
        let later = u32::try_from(self.begun.saturating_sub(attempt.number)).unwrap_or(u32::MAX);
        self.in_a_row = self.in_a_row.min(later);
        self
    }

    /// Forgives everything: the recovery key was used. Attempts stay numbered, so that one begun
    /// before cannot be mistaken for one begun after.
    #[must_use]
    pub(super) fn recovered(self) -> Self {
        Self {
            begun: self.begun,
            ..Self::default()
        }
    }

    fn recent(&self, now: UnixTime) -> impl Iterator<Item = Attempt> + '_ {
        self.failures
            .iter()
            .copied()
            .filter(move |failure| now.since(failure.at) < BUDGET_PERIOD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(mut attempts: Attempts, times: u32, now: &mut UnixTime) -> Attempts {
        for _ in 0..times {
            attempts = attempts.begin(*now).unwrap().0;
            *now = now.plus(DELAY);
        }
        attempts
    }

    #[test]
    fn the_sixth_failure_in_a_row_waits() {
        let mut now = UnixTime(0);
        let mut attempts = Attempts::default();
        for _ in 0..FREE_FAILURES {
            attempts = attempts.begin(now).unwrap().0;
        }
        assert_eq!(
            attempts.permit(now),
            Err(Refusal::Throttled { retry_after: 30 })
        );
        now = now.plus(29);
        assert_eq!(
            attempts.permit(now),
            Err(Refusal::Throttled { retry_after: 1 })
        );
        now = now.plus(1);
        let (attempts, matching) = attempts.begin(now).unwrap();
        assert_eq!(attempts.matched(matching).permit(now), Ok(()));
    }

    #[test]
    fn fifty_in_a_row_end_it_and_time_does_not_help() {
        let mut now = UnixTime(0);
        let attempts = fail(Attempts::default(), MOST_FAILURES, &mut now);
        assert_eq!(
            attempts.permit(now.plus(2 * BUDGET_PERIOD)),
            Err(Refusal::Locked)
        );
        assert_eq!(attempts.recovered().permit(now), Ok(()));
    }

    #[test]
    fn matches_in_between_do_not_refill_the_budget() {
        let mut now = UnixTime(0);
        let mut attempts = Attempts::default();
        for _ in 0..BUDGET {
            attempts = fail(attempts, 1, &mut now);
            if let Ok((begun, matching)) = attempts.clone().begin(now) {
                attempts = begun.matched(matching);
            }
        }
        assert_eq!(attempts.permit(now), Err(Refusal::Locked));
        assert_eq!(
            attempts.permit(UnixTime(BUDGET_PERIOD)),
            Ok(()),
            "the first one has aged out"
        );
    }

    #[test]
    fn a_match_forgives_nothing_that_began_after_it() {
        let (attempts, first) = Attempts::default().begin(UnixTime(0)).unwrap();
        let (attempts, _) = attempts.begin(UnixTime(0)).unwrap();
        let attempts = attempts.matched(first);
        assert_eq!((attempts.in_a_row, attempts.failures.len()), (1, 1));
    }
}
