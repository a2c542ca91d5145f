use blindprint_core::{Binding, Digest, Role};
use tfhe::{
    conformance::ParameterSetConformant,
    core_crypto::prelude::*,
    safe_serialization::{safe_deserialize, safe_serialize},
    zk::{
        CompactPkeProof, CompactPkeProofConformanceParams, CompactPkeZkScheme, ZkComputeLoad,
        ZkPkeV2SupportedHashConfig,
    },
};

use crate::{
    CODE_BITS, Crs, DecodeError, PARAMETERS, PublicKey, Reader,
    reader::{header, put_words},
};

/// An encrypted code and its proof, as a wallet uploads it and before anybody has checked it.
///
/// Encoding: header, role (1 byte), public material (32), mask and bodies (4096 words), proof
/// (2-byte length, then tfhe-rs' versioned serialisation).
#[derive(Clone)]
pub struct Submission {
    role: Role,
    key: Digest,
    list: LweCompactCiphertextListOwned<u64>,
    proof: CompactPkeProof,
}

/// Why a submission is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It is encrypted under other public material than the binding says.
    #[error("the submission is under another key")]
    Key,
    /// It is a template where a probe must be, or the other way round.
    #[error("the submission has another role")]
    Role,
    /// The proof does not hold for this ciphertext and binding.
    #[error("the proof does not hold for this ciphertext and request")]
    Rejected,
}

impl Submission {
    const MAGIC: [u8; 4] = *b"BPsu";
    const MAX_PROOF: usize = 4096;
    /// Longest accepted encoding, in bytes: 40 KiB.
    pub const MAX_LEN: usize = 40 << 10;

    pub(crate) const fn new(
        role: Role,
        key: Digest,
        list: LweCompactCiphertextListOwned<u64>,
        proof: CompactPkeProof,
    ) -> Self {
        Self {
            role,
            key,
            list,
            proof,
        }
    }

    /// The public material that the header names. Not verified.
    pub const fn key(&self) -> Digest {
        self.key
    }

    /// The binary form.
    ///
    /// # Panics
    /// Never for a proof of this proof system, which is far below its limit.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = header(Self::MAGIC, Self::MAX_LEN);
        bytes.push(match self.role {
            Role::Template => 0,
            Role::Probe => 1,
        });
        bytes.extend(self.key.as_bytes());
        put_words(&mut bytes, self.list.as_ref());
        let proof = encode_proof(&self.proof);
        bytes.extend(
            u16::try_from(proof.len())
                .expect("at most 4096 bytes")
                .to_le_bytes(),
        );
        bytes.extend(proof);
        bytes
    }

    /// Reads the binary form. Cheap: no group element is checked here.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, Self::MAGIC, Self::MAX_LEN)?;
        let role = match reader.array()? {
            [0] => Role::Template,
            [1] => Role::Probe,
            _ => return Err(DecodeError::Value),
        };
        let key = reader.digest()?;
        let words = reader.words(PARAMETERS.glwe_words())?;
        let length = usize::from(u16::from_le_bytes(reader.array()?));
        if length > Self::MAX_PROOF {
            return Err(DecodeError::Length);
        }
        let proof_bytes = reader.take(length)?;
        reader.finish()?;
        let mut rest = proof_bytes;
        let proof: CompactPkeProof =
            safe_deserialize(&mut rest, Self::MAX_PROOF as u64).map_err(|_| DecodeError::Value)?;
        // One encoding per proof: leftovers and other spellings of the same points are refused.
        if encode_proof(&proof) != proof_bytes {
            return Err(DecodeError::Value);
        }
        Ok(Self {
            role,
            key,
            list: compact_list(words),
            proof,
        })
    }

    /// Verifies the proof: that this is an encryption, under `public_key`, of 2048 bits with
    /// bounded noise, made for exactly this `binding` (claim 5 of `docs/threat-model.md`). Takes tens of milliseconds;
    /// signature, quota and challenge come first.
    pub fn verify(
        self,
        binding: &Binding,
        public_key: &PublicKey,
        crs: &Crs,
    ) -> Result<VerifiedSubmission, ProofError> {
        if self.key != binding.key {
            return Err(ProofError::Key);
        }
        if self.role != binding.role {
            return Err(ProofError::Role);
        }
        // A proof with the load on the verifier costs nine times as much to check; older hash
        // configurations do not hash the number of messages. Conformance includes subgroup checks.
        let accepted = CompactPkeProofConformanceParams::new(CompactPkeZkScheme::V2)
            .forbid_compute_load(ZkComputeLoad::Verify)
            .forbid_hash_config(ZkPkeV2SupportedHashConfig::V0_4_0)
            .forbid_hash_config(ZkPkeV2SupportedHashConfig::V0_7_0);
        if !self.proof.is_conformant(&accepted) {
            return Err(ProofError::Rejected);
        }
        let outcome = verify_lwe_compact_ciphertext_list(
            &self.list,
            public_key.inner(),
            &self.proof,
            crs.inner(),
            binding.digest().as_bytes(),
        );
        if outcome.is_invalid() {
            return Err(ProofError::Rejected);
        }
        Ok(VerifiedSubmission(self.list))
    }
}

/// A ciphertext whose proof holds.
#[derive(Clone)]
pub struct VerifiedSubmission(LweCompactCiphertextListOwned<u64>);

impl VerifiedSubmission {
    /// Mask and bodies as a GLWE ciphertext of Σ mᵢ Xⁱ under the same key, 4096 words.
    ///
    /// A compact list's i-th message is `bᵢ − ⟨a·Xⁱ, s⟩`-like with the mask in reversed order,
    /// which is the ring product with a(X⁻¹): no packing key switch is needed.
    pub fn into_glwe_words(self) -> Vec<u64> {
        glwe_words(self.0.as_ref())
    }
}

/// (a, b) ↦ (a(X⁻¹), b), where X⁻ⁱ = −X^(N−i).
pub(crate) fn glwe_words(list: &[u64]) -> Vec<u64> {
    let (mask, bodies) = list.split_at(PARAMETERS.polynomial_size);
    let mut words = Vec::with_capacity(PARAMETERS.glwe_words());
    words.push(mask[0]);
    words.extend(
        mask[1..]
            .iter()
            .rev()
            .map(|coefficient| coefficient.wrapping_neg()),
    );
    words.extend(bodies);
    words
}

pub(crate) fn compact_list(words: Vec<u64>) -> LweCompactCiphertextListOwned<u64> {
    LweCompactCiphertextList::from_container(
        words,
        LweDimension(PARAMETERS.polynomial_size).to_lwe_size(),
        LweCiphertextCount(CODE_BITS),
        CiphertextModulus::new_native(),
    )
}

fn encode_proof(proof: &CompactPkeProof) -> Vec<u8> {
    let mut bytes = Vec::new();
    safe_serialize(proof, &mut bytes, Submission::MAX_PROOF as u64)
        .expect("a proof is about 2.5 KB");
    bytes
}
