use blindprint_core::{Binding, Entropy, Role};
use tfhe::core_crypto::{
    algorithms::{
        encrypt_and_prove_lwe_compact_ciphertext_list_with_compact_public_key,
        encrypt_lwe_compact_ciphertext_list_with_compact_public_key,
    },
    commons::{
        generators::NoiseRandomGenerator,
        math::random::{DefaultRandomGenerator, Seed},
    },
    entities::PlaintextList,
};
use tfhe::zk::ZkComputeLoad;
use zeroize::Zeroizing;

use crate::{
    BiometricCode, CODE_BITS, Crs, PARAMETERS, PublicKey, Submission,
    submission::{compact_list, glwe_words},
};

/// Why a code could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Public key and CRS do not belong together.
    #[error("the public key and the reference string do not fit each other")]
    Material,
}

/// Encrypts `code` and proves that the ciphertext is well formed, for `binding` and nothing else.
/// Takes seconds of all cores. Randomness: 128 bits from `entropy`, expanded by AES-CTR.
///
/// Templates are laid out in reversed order, so that a ring product with a probe puts the inner
/// product of the two codes into the last coefficient.
pub fn seal(
    code: &BiometricCode,
    public_key: &PublicKey,
    crs: &Crs,
    binding: &Binding,
    entropy: &dyn Entropy,
) -> Result<Submission, SealError> {
    let messages = messages(code, binding.role);
    let mut list = compact_list(vec![0; PARAMETERS.glwe_words()]);
    let mut generator = generator(entropy);
    let noise = PARAMETERS.glwe_noise_distribution();
    let proof = encrypt_and_prove_lwe_compact_ciphertext_list_with_compact_public_key(
        public_key.inner(),
        &mut list,
        &*messages,
        PARAMETERS.delta(),
        noise,
        noise,
        &mut generator,
        crs.inner(),
        binding.digest().as_bytes(),
        ZkComputeLoad::Proof,
    )
    .map_err(|_| SealError::Material)?;
    Ok(Submission::new(binding.role, binding.key, list, proof))
}

/// Encrypts without a proof and returns the GLWE ciphertext, 4096 words. No service takes it from
/// a wallet.
pub fn encrypt_unproven(
    code: &BiometricCode,
    role: Role,
    public_key: &PublicKey,
    entropy: &dyn Entropy,
) -> Vec<u64> {
    let delta = PARAMETERS.delta();
    let encoded: Zeroizing<Vec<u64>> = Zeroizing::new(
        messages(code, role)
            .iter()
            .map(|message| message * delta)
            .collect(),
    );
    let mut list = compact_list(vec![0; PARAMETERS.glwe_words()]);
    let noise = PARAMETERS.glwe_noise_distribution();
    encrypt_lwe_compact_ciphertext_list_with_compact_public_key(
        public_key.inner(),
        &mut list,
        &PlaintextList::from_container(encoded.as_slice()),
        noise,
        noise,
        &mut generator(entropy),
    );
    glwe_words(list.as_ref())
}

/// Adds a fresh encryption of zero to a GLWE ciphertext of 4096 words: the same plaintext under a
/// mask that whoever made the ciphertext can neither choose nor know.
pub fn rerandomise(ciphertext: &mut [u64], public_key: &PublicKey, entropy: &dyn Entropy) {
    let zero = BiometricCode::from_bits([]);
    let fresh = encrypt_unproven(&zero, Role::Probe, public_key, entropy);
    for (word, fresh) in ciphertext.iter_mut().zip(fresh) {
        *word = word.wrapping_add(fresh);
    }
}

fn messages(code: &BiometricCode, role: Role) -> Zeroizing<Vec<u64>> {
    let message = |i: usize| match role {
        Role::Template => u64::from(code.bit(CODE_BITS - 1 - i)),
        Role::Probe => u64::from(code.bit(i)),
    };
    Zeroizing::new((0..CODE_BITS).map(message).collect())
}

fn generator(entropy: &dyn Entropy) -> NoiseRandomGenerator<DefaultRandomGenerator> {
    NoiseRandomGenerator::new_from_seed(Seed(u128::from_le_bytes(entropy.bytes())))
}
