use std::collections::VecDeque;

use blindprint_core::{
    Digest, Jws, KeyUri, Nonce, UnixTime, profile_table_digest, statement::Statement,
};
use blindprint_did::verify;

use super::{
    Policy,
    tickets::{Limits, Tickets},
};
use crate::message::Refusal;

/// Admissions that are kept. A matcher that starts again takes a new key and a new place.
pub const MAX_ADMITTED: usize = 64;
/// For the attestation documents of matchers.
const NONCES: Limits = Limits {
    lifetime: 60,
    each: 256,
    total: 256,
};

/// What a matcher's verified attestation document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedMatcher {
    /// The nonce in it.
    pub nonce: Nonce,
    /// What the matcher signs evaluations with.
    pub evaluation_key: KeyUri,
    /// The parameter set it evaluates in.
    pub parameters: String,
    /// The public material it evaluates under.
    pub key: Digest,
    /// Its profile table.
    pub profiles: Digest,
}

/// The matchers that may sign, oldest first.
#[derive(Debug)]
pub(super) struct Matchers {
    nonces: Tickets<(), ()>,
    admitted: VecDeque<KeyUri>,
}

impl Matchers {
    pub(super) const fn none() -> Self {
        Self {
            nonces: Tickets::new(NONCES),
            admitted: VecDeque::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.admitted.len()
    }

    /// Verifies that `statements` are by exactly `needed` different admitted matchers.
    pub(super) fn quorum<'a, T: Statement>(
        &self,
        statements: impl IntoIterator<Item = &'a Jws>,
        needed: usize,
    ) -> Result<Vec<T>, Refusal> {
        let mut signers: Vec<KeyUri> = Vec::with_capacity(needed);
        let mut verified = Vec::with_capacity(needed);
        for jws in statements {
            if signers.len() == needed {
                return Err(Refusal::Evaluations);
            }
            let statement = verify::<T>(jws).map_err(|_| Refusal::Evaluations)?;
            if !self.admitted.contains(statement.key()) || signers.contains(statement.key()) {
                return Err(Refusal::Evaluations);
            }
            signers.push(statement.key().clone());
            verified.push(statement.into_statement());
        }
        if signers.len() == needed {
            Ok(verified)
        } else {
            Err(Refusal::Evaluations)
        }
    }
}

impl Policy {
    /// A nonce for a matcher's attestation document, and when it dies.
    pub fn matcher_nonce(&mut self, nonce: Nonce, host: UnixTime) -> UnixTime {
        let now = self.observe(host);
        self.matchers.nonces.issue(nonce, (), (), now)
    }

    /// Whether this nonce was given to a matcher and is not used yet.
    pub fn expects_matcher(&self, nonce: &Nonce, host: UnixTime) -> bool {
        self.matchers
            .nonces
            .find(nonce, self.present(host))
            .is_some()
    }

    /// Admits a matcher that evaluates under this enclave's material and profile table, until
    /// either of them starts again.
    pub fn admit_matcher(
        &mut self,
        matcher: AttestedMatcher,
        host: UnixTime,
    ) -> Result<(), Refusal> {
        let now = self.observe(host);
        self.matchers
            .nonces
            .find(&matcher.nonce, now)
            .ok_or(Refusal::ChallengeGone)?;
        if matcher.parameters != self.terms.parameters || matcher.key != self.terms.key {
            return Err(Refusal::WrongKey);
        }
        if matcher.profiles != profile_table_digest() {
            return Err(Refusal::Mismatch);
        }
        self.matchers.nonces.spend(&matcher.nonce);
        let admitted = &mut self.matchers.admitted;
        admitted.retain(|key| *key != matcher.evaluation_key);
        if admitted.len() == MAX_ADMITTED {
            admitted.pop_front();
        }
        admitted.push_back(matcher.evaluation_key);
        Ok(())
    }
}
