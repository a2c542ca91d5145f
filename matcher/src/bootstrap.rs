//! One programmable bootstrap: key switch, centred modulus switch, blind rotation.

use blindprint_template::PARAMETERS;
use tfhe::core_crypto::{
    algorithms::{
        blind_rotate_assign_mem_optimized, blind_rotate_assign_mem_optimized_requirement,
        keyswitch_lwe_ciphertext, lwe_ciphertext_centered_binary_modulus_switch,
    },
    commons::computation_buffers::ComputationBuffers,
    prelude::*,
};

use crate::{EvaluationKeys, lut::Lut};

const LOG_2N: usize = PARAMETERS.polynomial_size.ilog2() as usize + 1;

/// How finely the phase is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// All 2N positions.
    Full,
    /// Even positions only, as [`crate::lut::two_signs`] needs; doubles the rounding noise.
    Even,
}

/// A ciphertext after the modulus switch, as the blind rotation reads it: mask, then body.
struct Switched(Vec<usize>);

impl ModulusSwitchedLweCiphertext<usize> for Switched {
    fn log_modulus(&self) -> CiphertextModulusLog {
        CiphertextModulusLog(LOG_2N)
    }

    fn lwe_dimension(&self) -> LweDimension {
        LweDimension(self.0.len() - 1)
    }

    fn body(&self) -> usize {
        self.0[self.0.len() - 1]
    }

    fn mask(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.0[..self.0.len() - 1].iter().copied()
    }
}

/// Buffers for bootstraps, made once per worker.
pub(crate) struct BootstrapScratch {
    small: LweCiphertextOwned<u64>,
    switched: Switched,
    accumulator: Lut,
    buffers: ComputationBuffers,
}

impl BootstrapScratch {
    pub(crate) fn new(keys: &EvaluationKeys) -> Self {
        let glwe_size = keys.bootstrap.glwe_size();
        let size = keys.bootstrap.polynomial_size();
        let lwe_size = keys.bootstrap.input_lwe_dimension().to_lwe_size();
        let mut buffers = ComputationBuffers::new();
        buffers.resize(
            blind_rotate_assign_mem_optimized_requirement::<u64>(
                glwe_size,
                size,
                keys.fft.as_view(),
            )
            .unaligned_bytes_required(),
        );
        Self {
            small: LweCiphertext::new(0, lwe_size, CiphertextModulus::new_native()),
            switched: Switched(vec![0; lwe_size.0]),
            accumulator: GlweCiphertext::new(0, glwe_size, size, CiphertextModulus::new_native()),
            buffers,
        }
    }

    /// Looks `input`'s phase up in `lut`; coefficient i of the result is the lut's i-th output.
    pub(crate) fn run(
        &mut self,
        input: &LweCiphertextOwned<u64>,
        lut: &Lut,
        resolution: Resolution,
        keys: &EvaluationKeys,
    ) -> &GlweCiphertextOwned<u64> {
        keyswitch_lwe_ciphertext(&keys.key_switch, input, &mut self.small);
        self.switch(resolution);
        self.accumulator.as_mut().copy_from_slice(lut.as_ref());
        blind_rotate_assign_mem_optimized(
            &self.switched,
            &mut self.accumulator,
            &keys.bootstrap,
            keys.fft.as_view(),
            self.buffers.stack(),
        );
        &self.accumulator
    }

    /// What the last bootstrap rotated by: mask, then body.
    pub(crate) fn positions(&self) -> &[usize] {
        &self.switched.0
    }

    /// Rounds to 2N positions after the mean of the rounding error, which the mask reveals for a
    /// binary key, has been taken out of the body (tfhe-rs' centred modulus switch).
    fn switch(&mut self, resolution: Resolution) {
        let (log_modulus, step) = match resolution {
            Resolution::Full => (LOG_2N, 1),
            Resolution::Even => (LOG_2N - 1, 2),
        };
        let switched = lwe_ciphertext_centered_binary_modulus_switch::<u64, usize, _>(
            self.small.as_view(),
            CiphertextModulusLog(log_modulus),
        );
        let values = switched.mask().chain(std::iter::once(switched.body()));
        for (slot, value) in self.switched.0.iter_mut().zip(values) {
            *slot = value * step;
        }
    }
}

/// Switches to the small key, for a verdict that leaves the matcher.
pub(crate) fn shrink(
    input: &LweCiphertextOwned<u64>,
    keys: &EvaluationKeys,
) -> LweCiphertextOwned<u64> {
    let mut small = LweCiphertext::new(
        0,
        keys.key_switch.output_lwe_size(),
        CiphertextModulus::new_native(),
    );
    keyswitch_lwe_ciphertext(&keys.key_switch, input, &mut small);
    small
}
