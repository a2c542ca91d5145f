use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// What handling one input may cost, however hostile it is. Generous against what is measured, so
/// that a slow machine does not fail, and tight against what an attacker could ask for.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Bytes allocated at once.
    pub memory: u64,
    /// Time of the processor.
    pub time: Duration,
}

impl Budget {
    /// For texts and messages of kilobytes: serde and bincode set aside up to a mebibyte for a list
    /// before they have seen its elements.
    pub const SMALL: Self = Self::mebibytes(4);

    /// So much memory, and a second.
    pub const fn mebibytes(count: u64) -> Self {
        Self {
            memory: count << 20,
            time: Duration::from_secs(1),
        }
    }

    /// The same with another time.
    #[must_use]
    pub const fn seconds(self, count: u64) -> Self {
        Self {
            time: Duration::from_secs(count),
            ..self
        }
    }
}

/// Runs `check` and holds it to `budget`. Counts this thread alone, so that neither other targets
/// nor a busy machine matter.
///
/// # Panics
/// If `check` panics or costs more.
pub fn within(budget: Budget, check: impl FnOnce()) {
    let started = processor_time();
    let mut outcome = Ok(());
    // The counter must be left in order when a check fails, or shrinking its input would fail too.
    let used = allocation_counter::measure(|| outcome = catch_unwind(AssertUnwindSafe(check)));
    let spent = processor_time().saturating_sub(started);
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
    let most = used.bytes_max;
    assert!(
        most <= budget.memory,
        "{most} bytes allocated at once, of at most {}",
        budget.memory
    );
    assert!(
        spent <= budget.time,
        "{spent:?} of processor time, of at most {:?}",
        budget.time
    );
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime)
        .try_into()
        .unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exceeds(check: impl FnOnce()) -> bool {
        catch_unwind(AssertUnwindSafe(|| within(Budget::SMALL, check))).is_err()
    }

    #[test]
    fn what_costs_too_much_is_noticed() {
        assert!(!exceeds(|| drop(std::hint::black_box(vec![1_u8; 1 << 19]))));
        assert!(exceeds(|| drop(std::hint::black_box(vec![1_u8; 1 << 23]))));
        let end = processor_time() + Duration::from_millis(1100);
        assert!(exceeds(|| while processor_time() < end {}));
        assert!(exceeds(|| panic!("a decoder panics")));
    }
}
