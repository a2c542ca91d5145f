//! The comparison on raw ciphertexts: distance, then exact threshold.
//!
//! The distance v = HD − τ − 1 is held modulo t = 2^11 at scale Δ = 2^53; codes match if and only if
//! its top bit, the sign, is set (`Profile::matches` in clear). A bootstrap resolves only a few bits,
//! so v is floored first (after Liu, Micciancio, Polyakov, "Large-precision homomorphic sign
//! evaluation", ASIACRYPT 2022): a window of three low bits and one of four are cleared, each by
//! one bootstrap for the window's top bit and one for the others, then the sign of what is left is
//! taken: five bootstraps.
//!
//! Both inputs get fresh masks first. A wallet could otherwise choose masks that make its noise
//! push the distance over a boundary, and learn about σ from the verdict (`docs/noise.md`).

use std::sync::Arc;

use blindprint_core::Entropy;
use blindprint_template::{PARAMETERS, PublicKey, rerandomise};
use tfhe::core_crypto::{
    algorithms::{
        extract_lwe_sample_from_glwe_ciphertext, lwe_ciphertext_add_assign,
        lwe_ciphertext_cleartext_mul, lwe_ciphertext_plaintext_add_assign,
        lwe_ciphertext_plaintext_sub_assign, lwe_ciphertext_sub_assign,
    },
    prelude::*,
};

use crate::{
    EvaluationKeys,
    bootstrap::{BootstrapScratch, Resolution, shrink},
    lut::{self, Lut},
    product::{ProductScratch, add_coefficient_sum, multiply},
};

const N: usize = PARAMETERS.polynomial_size;
/// Bits that the first window clears. One fewer than the second: only even positions are left to
/// it, and the noise of the inputs is largest here.
const LOW_WINDOW: u32 = 3;
/// Bits that the second window clears.
const MIDDLE_WINDOW: u32 = 4;
/// Amplitude of a sign in a shifted window: half of the top bit's weight 2^63.
const HALF_TOP: u64 = 1 << 62;

/// Bootstraps in one comparison.
pub const BOOTSTRAPS: u32 = 5;

/// Where an [`Observer`] looks. Every ciphertext is under the large key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// v·Δ, before anything is cleared.
    Distance,
    /// The low window, shifted to the top of the torus, half a step added.
    LowWindow,
    /// The same with its top bit cleared.
    LowWindowCleared,
    /// v with three low bits cleared, shifted, half a step added.
    MiddleWindow,
    /// The same with its top bit cleared.
    MiddleWindowCleared,
    /// v with seven low bits cleared, half a step added.
    HighWindow,
    /// The verdict: +2^62 if the codes match, −2^62 if not.
    Sign,
}

/// Looks at intermediate ciphertexts. Noise measurements use it; production uses `()`.
pub trait Observer {
    /// Called with each intermediate ciphertext.
    fn observe(&mut self, _: Stage, _: &LweCiphertextOwned<u64>) {}

    /// Called with what a bootstrap of that stage rotates by: n mask positions and the body's,
    /// modulo 2N, under the small key.
    fn switched(&mut self, _: Stage, _: &[usize]) {}
}

impl Observer for () {}

/// One thread's comparison circuit: keys, tables and buffers. Nothing is allocated per bootstrap.
pub struct Circuit {
    keys: Arc<EvaluationKeys>,
    public_key: Arc<PublicKey>,
    entropy: Arc<dyn Entropy>,
    product: ProductScratch,
    bootstrap: BootstrapScratch,
    glwe: GlweCiphertextOwned<u64>,
    low_signs: Lut,
    low_bits: Lut,
    middle_sign: Lut,
    middle_bits: Lut,
    verdict: Lut,
}

impl Circuit {
    /// A circuit over shared keys. `entropy` must be unpredictable to wallets.
    pub fn new(
        keys: Arc<EvaluationKeys>,
        public_key: Arc<PublicKey>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let delta = PARAMETERS.delta();
        let middle_step = delta << LOW_WINDOW;
        Self {
            product: ProductScratch::new(keys.fft.as_view()),
            bootstrap: BootstrapScratch::new(&keys),
            glwe: GlweCiphertext::new(
                0,
                GlweDimension(1).to_glwe_size(),
                PolynomialSize(N),
                CiphertextModulus::new_native(),
            ),
            low_signs: lut::two_signs(HALF_TOP, half_top_weight(delta, LOW_WINDOW)),
            low_bits: lut::identity(LOW_WINDOW - 1, delta),
            middle_sign: lut::sign(half_top_weight(middle_step, MIDDLE_WINDOW)),
            middle_bits: lut::identity(MIDDLE_WINDOW - 1, middle_step),
            // Negative v, the second half of the torus, is a match: the sign is turned round.
            verdict: lut::sign(HALF_TOP.wrapping_neg()),
            keys,
            public_key,
            entropy,
        }
    }

    /// An encryption of v = HD(template, probe) − τ − 1 at scale Δ. Both inputs are GLWE
    /// ciphertexts of 2N words, the template in reversed order.
    pub fn distance(
        &mut self,
        template: &[u64],
        probe: &[u64],
        tau: u16,
    ) -> LweCiphertextOwned<u64> {
        let [template, probe] = [template, probe].map(|words| self.rerandomised(words));
        let out = self.glwe.as_mut();
        multiply(&template, &probe, &self.keys, &mut self.product, out);
        for word in out.iter_mut() {
            *word = word.wrapping_mul(2).wrapping_neg();
        }
        add_coefficient_sum(&template, out);
        add_coefficient_sum(&probe, out);
        let mut distance = large_lwe();
        extract_lwe_sample_from_glwe_ciphertext(&self.glwe, &mut distance, MonomialDegree(N - 1));
        let threshold = (u64::from(tau) + 1).wrapping_mul(PARAMETERS.delta());
        lwe_ciphertext_plaintext_sub_assign(&mut distance, Plaintext(threshold));
        distance
    }

    fn rerandomised(&self, words: &[u64]) -> Vec<u64> {
        let mut words = words.to_vec();
        rerandomise(&mut words, &self.public_key, &*self.entropy);
        words
    }

    /// An encryption of ±2^62: plus if v, at scale Δ, is negative.
    pub fn threshold(
        &mut self,
        distance: LweCiphertextOwned<u64>,
        observer: &mut impl Observer,
    ) -> LweCiphertextOwned<u64> {
        observer.observe(Stage::Distance, &distance);
        let delta = PARAMETERS.delta();
        let mut value = distance;

        // Low window. Its top bit is needed at two scales that lie too far apart to multiply one
        // up to the other, so one blind rotation gives both.
        let shift = 64 - PARAMETERS.log_delta - LOW_WINDOW;
        let mut window = shifted(&value, shift, delta / 2);
        observer.observe(Stage::LowWindow, &window);
        let signs = self
            .bootstrap
            .run(&window, &self.low_signs, Resolution::Even, &self.keys);
        let (in_window, in_place) = (coefficient(signs, 0), coefficient(signs, 1));
        observer.switched(Stage::LowWindow, self.bootstrap.positions());
        clear_top_bit(&mut window, &in_window, HALF_TOP);
        clear_top_bit(&mut value, &in_place, half_top_weight(delta, LOW_WINDOW));
        observer.observe(Stage::LowWindowCleared, &window);
        let bits = self
            .bootstrap
            .run(&window, &self.low_bits, Resolution::Full, &self.keys);
        lwe_ciphertext_sub_assign(&mut value, &coefficient(bits, 0));
        observer.switched(Stage::LowWindowCleared, self.bootstrap.positions());

        // Middle window. Here the scales are close enough.
        let step = delta << LOW_WINDOW;
        let shift = shift - MIDDLE_WINDOW;
        let mut window = shifted(&value, shift, step / 2);
        observer.observe(Stage::MiddleWindow, &window);
        let sign = self
            .bootstrap
            .run(&window, &self.middle_sign, Resolution::Full, &self.keys);
        let in_place = coefficient(sign, 0);
        observer.switched(Stage::MiddleWindow, self.bootstrap.positions());
        let in_window = shifted(&in_place, shift, 0);
        clear_top_bit(&mut window, &in_window, HALF_TOP);
        clear_top_bit(&mut value, &in_place, half_top_weight(step, MIDDLE_WINDOW));
        observer.observe(Stage::MiddleWindowCleared, &window);
        let bits = self
            .bootstrap
            .run(&window, &self.middle_bits, Resolution::Full, &self.keys);
        lwe_ciphertext_sub_assign(&mut value, &coefficient(bits, 0));
        observer.switched(Stage::MiddleWindowCleared, self.bootstrap.positions());

        lwe_ciphertext_plaintext_add_assign(&mut value, Plaintext((step << MIDDLE_WINDOW) / 2));
        observer.observe(Stage::HighWindow, &value);
        let verdict = self.sign(&value);
        observer.switched(Stage::HighWindow, self.bootstrap.positions());
        observer.observe(Stage::Sign, &verdict);
        verdict
    }

    /// ±2^62, plus if the phase lies in the second half of the torus: one bootstrap, the unit in
    /// which a comparison's cost is counted.
    pub fn sign(&mut self, value: &LweCiphertextOwned<u64>) -> LweCiphertextOwned<u64> {
        coefficient(
            self.bootstrap
                .run(value, &self.verdict, Resolution::Full, &self.keys),
            0,
        )
    }

    /// The verdict switched to the small key, n + 1 words.
    pub fn shrink(&self, verdict: &LweCiphertextOwned<u64>) -> LweCiphertextOwned<u64> {
        shrink(verdict, &self.keys)
    }
}

/// Half the weight of the top bit of a window of `bits` bits, when its lowest weighs `step`.
const fn half_top_weight(step: u64, bits: u32) -> u64 {
    step << (bits - 2)
}

/// Subtracts b·2A given an encryption of A·(−1)^b.
fn clear_top_bit(
    value: &mut LweCiphertextOwned<u64>,
    sign: &LweCiphertextOwned<u64>,
    amplitude: u64,
) {
    lwe_ciphertext_plaintext_sub_assign(value, Plaintext(amplitude));
    lwe_ciphertext_add_assign(value, sign);
}

/// (`value` + `offset`)·2^`shift`.
fn shifted(value: &LweCiphertextOwned<u64>, shift: u32, offset: u64) -> LweCiphertextOwned<u64> {
    let mut window = large_lwe();
    lwe_ciphertext_cleartext_mul(&mut window, value, Cleartext(1 << shift));
    lwe_ciphertext_plaintext_add_assign(&mut window, Plaintext(offset << shift));
    window
}

fn coefficient(glwe: &GlweCiphertextOwned<u64>, degree: usize) -> LweCiphertextOwned<u64> {
    let mut lwe = large_lwe();
    extract_lwe_sample_from_glwe_ciphertext(glwe, &mut lwe, MonomialDegree(degree));
    lwe
}

fn large_lwe() -> LweCiphertextOwned<u64> {
    LweCiphertext::new(
        0,
        LweDimension(N).to_lwe_size(),
        CiphertextModulus::new_native(),
    )
}
