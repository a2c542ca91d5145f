//! Look-up tables as trivial GLWE ciphertexts: what a blind rotation rotates.
//!
//! The input's half step is added by the caller, so that a value v of w bits sits in the middle
//! of its 2N/2^w positions.

use blindprint_template::PARAMETERS;
use tfhe::core_crypto::prelude::*;

const N: usize = PARAMETERS.polynomial_size;

/// A table, ready to be copied into an accumulator.
pub(crate) type Lut = GlweCiphertextOwned<u64>;

fn trivial(body: impl Iterator<Item = u64>) -> Lut {
    let mut lut = GlweCiphertext::new(
        0,
        GlweDimension(1).to_glwe_size(),
        PolynomialSize(N),
        CiphertextModulus::new_native(),
    );
    for (slot, value) in lut.get_mut_body().as_mut().iter_mut().zip(body) {
        *slot = value;
    }
    lut
}

/// `+amplitude` where the phase is in the first half of the torus, `−amplitude` in the second.
pub(crate) fn sign(amplitude: u64) -> Lut {
    trivial(std::iter::repeat_n(amplitude, N))
}

/// Two sign tables at once (PBSmanyLUT, ASIACRYPT 2021): the first comes out in coefficient 0, the
/// second in coefficient 1, if the rotation is even.
pub(crate) fn two_signs(first: u64, second: u64) -> Lut {
    trivial((0..N).map(|i| if i % 2 == 0 { first } else { second }))
}

/// `v·step` for a value v of `bits` bits below a cleared top bit.
pub(crate) fn identity(bits: u32, step: u64) -> Lut {
    let positions = N >> bits;
    trivial((0..N).map(|i| (i / positions) as u64 * step))
}
