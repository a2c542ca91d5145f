use std::collections::{BTreeSet, VecDeque};

use blindprint_core::{
    Digest, Jws, KeyUri, Nonce, UnixTime, profile_table_digest, statement::Statement,
};
use blindprint_did::verify;

use super::{
    Policy,
    tickets::{Limits, Tickets},
};
use crate::message::Refusal;

/// Admissions that are kept. A matcher that starts again takes a new place.
pub const MAX_ADMITTED: usize = 64;
/// Seconds after which a matcher that has not shown itself again is taken for gone. It only counts
/// no longer: what signed with its key died with it.
pub const PRESENCE: i64 = 90;
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
    /// Which instance it is.
    pub module: String,
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
    admitted: VecDeque<Admitted>,
    /// Instances that signed for a false evaluation; a few for each incident.
    expelled: BTreeSet<String>,
}

/// One instance, with one key: how many signatures it can make says nothing about how many agree.
#[derive(Debug)]
struct Admitted {
    module: String,
    key: KeyUri,
    at: UnixTime,
}

impl Matchers {
    pub(super) const fn none() -> Self {
        Self {
            nonces: Tickets::new(NONCES),
            admitted: VecDeque::new(),
            expelled: BTreeSet::new(),
        }
    }

    /// Believes these instances nothing more until the next boot.
    pub(super) fn expel(&mut self, modules: Vec<String>) {
        self.admitted
            .retain(|matcher| !modules.contains(&matcher.module));
        self.expelled.extend(modules);
    }

    /// How many have shown themselves lately.
    fn present(&self, now: UnixTime) -> usize {
        let present = |matcher: &&Admitted| now.since(matcher.at) < PRESENCE;
        self.admitted.iter().filter(present).count()
    }

    /// Verifies that `statements` are by exactly `needed` different admitted matchers, and returns
    /// which with what they say.
    pub(super) fn quorum<'a, T: Statement>(
        &self,
        statements: impl IntoIterator<Item = &'a Jws>,
        needed: usize,
    ) -> Result<(Vec<String>, Vec<T>), Refusal> {
        let mut signers = Vec::with_capacity(needed);
        let mut verified = Vec::with_capacity(needed);
        for jws in statements {
            if verified.len() == needed {
                return Err(Refusal::Evaluations);
            }
            let statement = verify::<T>(jws).map_err(|_| Refusal::Evaluations)?;
            let mut admitted = self.admitted.iter();
            let signer = admitted.find(|matcher| matcher.key == *statement.key());
            let signer = &signer.ok_or(Refusal::Evaluations)?.module;
            if signers.contains(signer) {
                return Err(Refusal::Evaluations);
            }
            signers.push(signer.clone());
            verified.push(statement.into_statement());
        }
        if verified.len() == needed {
            Ok((signers, verified))
        } else {
            Err(Refusal::Evaluations)
        }
    }
}

impl Policy {
    /// How many matchers are admitted and have shown themselves lately.
    pub fn matchers(&self, host: UnixTime) -> usize {
        self.matchers.present(self.present(host))
    }

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
    /// either of them starts again. Of one instance only the last admitted key counts.
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
        if self.matchers.expelled.contains(&matcher.module) {
            return Err(Refusal::Expelled);
        }
        self.matchers.nonces.spend(&matcher.nonce);
        let admitted = &mut self.matchers.admitted;
        admitted
            .retain(|other| other.module != matcher.module && other.key != matcher.evaluation_key);
        if admitted.len() == MAX_ADMITTED {
            admitted.pop_front();
        }
        admitted.push_back(Admitted {
            module: matcher.module,
            key: matcher.evaluation_key,
            at: now,
        });
        Ok(())
    }
}
