use tfhe::core_crypto::prelude::*;

/// Bits in a [`crate::BiometricCode`], coefficients in a ciphertext.
pub const CODE_BITS: usize = 2048;

/// Every number that wallet, matcher and enclave must agree on. One named set; another set gets
/// another name and another wire code. `docs/noise.md` derives the failure probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Name in statements and attestations.
    pub name: &'static str,
    /// Code in binary headers.
    pub wire_code: u16,
    /// N: degree of the ring, dimension of templates and of the large LWE key.
    pub polynomial_size: usize,
    /// n: dimension of the small LWE key, whose coefficients are bits.
    pub lwe_dimension: usize,
    /// log2 of Δ, the step of the plaintext in the native modulus 2^64.
    pub log_delta: u32,
    /// Encryption noise under the large key is uniform in ±2^b (tfhe-rs' `TUniform(b)`).
    pub glwe_noise: u32,
    /// Encryption noise under the small key, likewise.
    pub lwe_noise: u32,
    /// Bootstrap decomposition: log2 of the base, one level.
    pub pbs_base_log: usize,
    /// Key switch decomposition: log2 of the base.
    pub ks_base_log: usize,
    /// Key switch decomposition: levels.
    pub ks_levels: usize,
    /// Relinearisation decomposition: log2 of the base.
    pub relin_base_log: usize,
    /// Relinearisation decomposition: levels.
    pub relin_levels: usize,
    /// Bits that are kept of each coefficient of a template at rest.
    pub stored_bits: u32,
    /// Bits that are kept of each coefficient of a verdict.
    pub verdict_bits: u32,
}

/// The set in force. Keys, key switch and bootstrap are those of tfhe-rs'
/// `PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128` (132 bits of security by the lattice
/// estimator, as its authors state).
pub const PARAMETERS: Parameters = Parameters {
    name: "bp-tfhe-2048-v2",
    wire_code: 2,
    polynomial_size: 2048,
    lwe_dimension: 918,
    log_delta: 53,
    glwe_noise: 17,
    lwe_noise: 45,
    pbs_base_log: 23,
    ks_base_log: 4,
    ks_levels: 4,
    relin_base_log: 12,
    relin_levels: 3,
    stored_bits: 47,
    verdict_bits: 12,
};

impl Parameters {
    /// Δ.
    pub const fn delta(&self) -> u64 {
        1 << self.log_delta
    }

    /// log2 of the plaintext modulus t.
    pub const fn log_plaintext_modulus(&self) -> u32 {
        64 - self.log_delta
    }

    /// Noise of everything encrypted under the large key.
    pub fn glwe_noise_distribution(&self) -> TUniform<u64> {
        TUniform::new(self.glwe_noise)
    }

    /// Noise of everything encrypted under the small key.
    pub fn lwe_noise_distribution(&self) -> TUniform<u64> {
        TUniform::new(self.lwe_noise)
    }

    /// Words of a GLWE ciphertext: mask, then body.
    pub const fn glwe_words(&self) -> usize {
        2 * self.polynomial_size
    }
}
