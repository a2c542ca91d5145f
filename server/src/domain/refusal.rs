use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use blindprint_core::{SubjectId, UnixTime, problem::ProblemCode};
use blindprint_protocol::message::Refusal;

use super::reports::HoldCounts;
use crate::Error;

/// How long the enclave's word that a subject is locked is taken for granted, in seconds. It
/// is asked again after that, so that this memory can be wrong for no longer.
const LOCK_MEMORY: i64 = 10;

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Malformed => ProblemCode::MalformedSubmission,
            Refusal::WrongKey => ProblemCode::KeyRetired,
            Refusal::NoConsent => ProblemCode::ConsentRequired,
            Refusal::ChallengeGone => ProblemCode::ChallengeGone,
            Refusal::Conflict => ProblemCode::Conflict,
            Refusal::Unknown => ProblemCode::NotFound,
            Refusal::Throttled { retry_after } => {
                return Self::RetryAfter {
                    code: ProblemCode::Throttled,
                    seconds: retry_after,
                };
            }
            Refusal::Locked => ProblemCode::Locked,
            Refusal::RecoveryNeeded => {
                return Self::because(ProblemCode::Refused, refusal.to_string());
            }
            Refusal::Full | Refusal::Storage => return Self::Full,
            // Until the operator finds out who lied and makes new keys; until the operator starts it from
            // the last of its states, or restores it.
            Refusal::Retired | Refusal::RolledBack => return Self::unavailable(3600),
            // The log is shown to the enclave again within seconds.
            Refusal::Unwitnessed => return Self::unavailable(5),
            // A matcher restarted and is not admitted yet, or the quorum is short: it passes.
            Refusal::Evaluations | Refusal::Attestation => return Self::unavailable(2),
            _ => ProblemCode::Refused,
        };
        Self::Refused(code)
    }
}

/// Subjects that the enclave has said must wait, so that no proof of theirs is verified in vain.
#[derive(Debug)]
pub(super) struct Holds {
    capacity: usize,
    held: Mutex<HashMap<SubjectId, (UnixTime, Refusal)>>,
}

impl Holds {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            held: Mutex::default(),
        }
    }

    /// Remembers what a refusal says about the next attempt.
    pub(super) fn note(&self, subject: &SubjectId, refusal: Refusal, now: UnixTime) {
        let until = match refusal {
            Refusal::Throttled { retry_after } => now.plus(i64::from(retry_after)),
            Refusal::Locked => now.plus(LOCK_MEMORY),
            _ => return,
        };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= self.capacity {
            held.retain(|_, (until, _)| now < *until);
        }
        if held.len() < self.capacity {
            held.insert(subject.clone(), (until, refusal));
        }
    }

    /// Refuses as the enclave did, while its word holds.
    pub(super) fn check(&self, subject: &SubjectId, now: UnixTime) -> Result<(), Error> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get(subject) {
            Some((until, Refusal::Throttled { .. })) if now < *until => {
                let retry_after = u32::try_from(until.since(now)).unwrap_or(u32::MAX);
                Err(Refusal::Throttled { retry_after }.into())
            }
            Some((until, refusal)) if now < *until => Err((*refusal).into()),
            _ => Ok(()),
        }
    }

    /// How many subjects must wait at this moment, as far as is known here.
    pub(super) fn counts(&self, now: UnixTime) -> HoldCounts {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = HoldCounts::default();
        for (_, refusal) in held.values().filter(|(until, _)| now < *until) {
            match refusal {
                Refusal::Throttled { .. } => counts.throttled += 1,
                _ => counts.locked += 1,
            }
        }
        counts
    }

    /// Forgets a subject who recovered.
    pub(super) fn release(&self, subject: &SubjectId) {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_lasts_as_long_as_the_enclave_said() {
        let holds = Holds::new(1);
        let alice: SubjectId = "did:key:zAlice".parse().unwrap();
        let bob: SubjectId = "did:key:zBob".parse().unwrap();
        holds.note(&alice, Refusal::Throttled { retry_after: 30 }, UnixTime(0));
        let refused = holds.check(&alice, UnixTime(10));
        assert!(matches!(
            refused,
            Err(Error::RetryAfter { seconds: 20, .. })
        ));
        assert!(holds.check(&alice, UnixTime(30)).is_ok());
        holds.note(&bob, Refusal::Locked, UnixTime(10));
        assert!(holds.check(&bob, UnixTime(10)).is_ok(), "the table is full");
        holds.note(&bob, Refusal::Locked, UnixTime(31));
        assert_eq!(
            holds.check(&bob, UnixTime(31)).unwrap_err().code(),
            ProblemCode::Locked
        );
        holds.release(&bob);
        assert!(holds.check(&bob, UnixTime(31)).is_ok());
    }
}
