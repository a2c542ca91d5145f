use std::sync::Arc;

use blindprint_core::{Binding, Digest, Entropy};
use blindprint_template::{
    Crs, DecodeError, MaterialDigests, ProofError, PublicKey, StoredTemplate, Submission,
    VerifiedSubmission,
};

use crate::{EvaluationKeys, EvaluationKeysParts, VerdictCiphertext, circuit::Circuit};

/// Why nothing was evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// A ciphertext does not decode.
    #[error("a ciphertext does not decode: {0}")]
    Decode(#[from] DecodeError),
    /// A proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Made under other public material than this matcher evaluates with.
    #[error("the ciphertext is under another key")]
    Key,
}

/// The public material of one key epoch, ready for use and shared by all workers.
pub struct Matcher {
    public_key: Arc<PublicKey>,
    crs: Crs,
    keys: Arc<EvaluationKeys>,
    digests: MaterialDigests,
}

impl Matcher {
    /// Reads and expands the material. Takes seconds and about 150 MB.
    pub fn new(public_key: &[u8], crs: &[u8], evaluation_keys: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self {
            digests: MaterialDigests::of(public_key, crs, evaluation_keys),
            public_key: Arc::new(PublicKey::decode(public_key)?),
            crs: Crs::decode(crs)?,
            keys: Arc::new(EvaluationKeys::new(EvaluationKeysParts::decode(
                evaluation_keys,
            )?)),
        })
    }

    /// Digests of what [`Matcher::new`] was given.
    pub const fn digests(&self) -> &MaterialDigests {
        &self.digests
    }

    /// A circuit for one thread, which takes fresh masks from `entropy`.
    pub fn circuit(&self, entropy: Arc<dyn Entropy>) -> Circuit {
        let (keys, public_key) = (Arc::clone(&self.keys), Arc::clone(&self.public_key));
        Circuit::new(keys, public_key, entropy)
    }

    /// A worker for one thread, which takes fresh masks from `entropy`.
    pub fn worker(&self, entropy: Arc<dyn Entropy>) -> Worker<'_> {
        Worker {
            matcher: self,
            circuit: self.circuit(entropy),
            key: self.digests.key(),
        }
    }

    /// Verifies a submission's proof for `binding`.
    pub fn verify(
        &self,
        binding: &Binding,
        submission: &[u8],
    ) -> Result<VerifiedSubmission, MatchError> {
        if binding.key != self.digests.key() {
            return Err(MatchError::Key);
        }
        Ok(Submission::decode(submission)?.verify(binding, &self.public_key, &self.crs)?)
    }

    /// Verifies a template's proof and makes the bytes to store.
    pub fn check_template(
        &self,
        binding: &Binding,
        submission: &[u8],
    ) -> Result<Vec<u8>, MatchError> {
        let verified = self.verify(binding, submission)?;
        Ok(StoredTemplate::encode(binding.key, verified))
    }
}

/// One thread's evaluator.
pub struct Worker<'m> {
    matcher: &'m Matcher,
    circuit: Circuit,
    key: Digest,
}

impl Worker<'_> {
    /// Verifies the probe's proof, compares it with the stored template at the profile's
    /// threshold and returns the encrypted verdict.
    pub fn evaluate(
        &mut self,
        binding: &Binding,
        submission: &[u8],
        template: &[u8],
    ) -> Result<Vec<u8>, MatchError> {
        let template = StoredTemplate::decode(template)?;
        if template.key() != self.key {
            return Err(MatchError::Key);
        }
        let probe = self.matcher.verify(binding, submission)?;
        Ok(self.compare(binding, &probe.into_glwe_words(), &template))
    }

    /// The comparison alone, on a probe whose proof holds.
    pub fn compare(
        &mut self,
        binding: &Binding,
        probe: &[u64],
        template: &StoredTemplate,
    ) -> Vec<u8> {
        let tau = binding.profile.profile().tau;
        let distance = self.circuit.distance(template.glwe_words(), probe, tau);
        let verdict = self.circuit.threshold(distance, &mut ());
        VerdictCiphertext::encode(self.key, self.circuit.shrink(&verdict).as_ref())
    }
}
