use blindprint_core::Digest;
use serde::{Deserialize, Serialize};

/// Which of the enclave's states is the last one that anybody was told about: what the hardware
/// remembers while the host holds the state itself.
///
/// The count alone would not do. Of two states that follow the same one, the host could show the
/// one whose writing it interrupted after the other was acknowledged; hence the identity (the
/// history summary of Parno et al., "Memoir", IEEE S&P 2011).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// States written so far.
    pub count: u64,
    /// Identity of this one.
    pub state: Digest,
}

/// What a sealed state is beside the hardware's mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// The last state that was acknowledged.
    Current,
    /// Its successor, written but not acknowledged before a crash. Mark it before serving.
    Ahead,
}

/// The host shows a state that is not the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "rollback detected: the sealed state is number {shown}, the hardware has seen number {marked}"
)]
pub struct Rollback {
    /// Count of the state shown.
    pub shown: u64,
    /// Count of the mark.
    pub marked: u64,
}

/// Places a sealed state, itself `shown` and made from `previous`, beside the hardware's mark.
pub fn continuity(shown: Mark, previous: Mark, marked: Mark) -> Result<Continuity, Rollback> {
    if shown == marked {
        Ok(Continuity::Current)
    } else if previous == marked && shown.count == marked.count.wrapping_add(1) {
        Ok(Continuity::Ahead)
    } else {
        Err(Rollback {
            shown: shown.count,
            marked: marked.count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(count: u64, state: &[u8]) -> Mark {
        Mark {
            count,
            state: Digest::of("test", state),
        }
    }

    #[test]
    fn only_the_last_state_and_its_unacknowledged_successor_are_taken() {
        let (a, b) = (mark(1, b"a"), mark(2, b"b"));
        assert_eq!(continuity(b, a, b), Ok(Continuity::Current));
        assert_eq!(continuity(b, a, a), Ok(Continuity::Ahead));
        assert_eq!(
            continuity(a, mark(0, b""), b),
            Err(Rollback {
                shown: 1,
                marked: 2
            })
        );
        assert!(continuity(mark(3, b"c"), b, a).is_err(), "two ahead");
    }

    #[test]
    fn a_sibling_of_the_acknowledged_state_is_a_rollback() {
        let base = mark(1, b"a");
        let (acknowledged, interrupted) = (mark(2, b"withdrawn"), mark(2, b"interrupted"));
        assert!(continuity(interrupted, base, acknowledged).is_err());
        assert!(continuity(mark(3, b"its heir"), interrupted, acknowledged).is_err());
    }
}
