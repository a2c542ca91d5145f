use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use blindprint_core::{Digest, Nonce, SubjectId, UnixTime, problem::ProblemCode};

use crate::{Error, Result};

/// The enclave's nonces as they were handed out, so that a proof is not verified for a statement that
/// the enclave would refuse, and for no more statements than there are nonces.
#[derive(Debug)]
pub(super) struct Nonces {
    capacity: usize,
    known: Mutex<HashMap<Nonce, Issued>>,
}

#[derive(Debug)]
struct Issued {
    subject: SubjectId,
    expires: UnixTime,
    /// Digest of the one statement that may use it.
    statement: Option<Digest>,
}

impl Nonces {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            known: Mutex::default(),
        }
    }

    /// Remembers a nonce that is about to be handed out.
    pub(super) fn issue(
        &self,
        nonce: Nonce,
        subject: SubjectId,
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.capacity {
            known.retain(|_, issued| now < issued.expires);
        }
        if known.len() >= self.capacity {
            return Err(Error::unavailable(30));
        }
        let statement = None;
        known.insert(
            nonce,
            Issued {
                subject,
                expires,
                statement,
            },
        );
        Ok(())
    }

    /// Reserves a subject's nonce for one statement, which may be tried again.
    pub(super) fn claim(
        &self,
        nonce: Nonce,
        subject: &SubjectId,
        statement: Digest,
        now: UnixTime,
    ) -> Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = known
            .get_mut(&nonce)
            .filter(|issued| issued.subject == *subject && now < issued.expires)
            .filter(|issued| issued.statement.is_none_or(|known| known == statement));
        let issued = issued.ok_or(Error::Refused(ProblemCode::ChallengeGone))?;
        issued.statement = Some(statement);
        Ok(())
    }

    /// Forgets a nonce whose statement has had its answer.
    pub(super) fn spend(&self, nonce: Nonce) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&nonce);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_for_one_statement_of_one_subject_until_it_is_answered() {
        let nonces = Nonces::new(1);
        let alice: SubjectId = "did:key:zAlice".parse().unwrap();
        let bob: SubjectId = "did:key:zBob".parse().unwrap();
        let nonce = Nonce::from_bytes([1; 32]);
        let other = Nonce::from_bytes([2; 32]);
        let digest = |text: &str| Digest::of("x", text.as_bytes());
        let end = UnixTime(100);
        let claim = |nonce, subject: &SubjectId, statement, now| {
            nonces.claim(nonce, subject, digest(statement), UnixTime(now))
        };
        assert!(claim(nonce, &alice, "1", 0).is_err(), "never issued");
        nonces
            .issue(nonce, alice.clone(), end, UnixTime(0))
            .unwrap();
        assert!(claim(nonce, &bob, "1", 0).is_err(), "another's");
        assert!(claim(nonce, &alice, "1", 100).is_err(), "too late");
        claim(nonce, &alice, "1", 0).unwrap();
        claim(nonce, &alice, "1", 1).unwrap();
        assert!(claim(nonce, &alice, "2", 1).is_err(), "another statement");
        let full = nonces.issue(other, bob.clone(), end, UnixTime(99));
        assert!(matches!(full, Err(Error::RetryAfter { .. })));
        nonces
            .issue(other, bob.clone(), end, UnixTime(100))
            .unwrap();
        nonces.spend(other);
        assert!(claim(other, &bob, "1", 0).is_err(), "answered");
    }
}
