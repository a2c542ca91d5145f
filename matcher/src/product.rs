//! The tensor product of two GLWE ciphertexts with relinearisation ("packed sum of products",
//! Chillotti, Ligier, Orfila, Tap, "Improved programmable bootstrapping with larger precision",
//! ASIACRYPT 2021, section 4), and the Hamming distance built on it.

use blindprint_template::PARAMETERS;
use tfhe::core_crypto::{
    commons::{computation_buffers::ComputationBuffers, math::decomposition::SignedDecomposer},
    fft_impl::fft64::{c64, math::polynomial::FourierPolynomialOwned},
    prelude::*,
};

use crate::EvaluationKeys;

const N: usize = PARAMETERS.polynomial_size;

/// The Fourier transform of `words`, read as torus elements in [−½, ½).
pub(crate) fn to_fourier(words: &[u64], fft: FftView<'_>) -> FourierPolynomialOwned {
    let mut buffers = ComputationBuffers::new();
    buffers.resize(fft.forward_scratch().unaligned_bytes_required());
    let mut fourier = FourierPolynomialOwned::new(PolynomialSize(N));
    fft.forward_as_torus(
        fourier.as_mut_view(),
        Polynomial::from_container(words),
        buffers.stack(),
    );
    fourier
}

/// Buffers for products, made once per worker.
pub(crate) struct ProductScratch {
    operands: [FourierPolynomialOwned; 4],
    square: FourierPolynomialOwned,
    mask: FourierPolynomialOwned,
    body: FourierPolynomialOwned,
    digits: FourierPolynomialOwned,
    words: Vec<u64>,
    digit_words: Vec<Vec<u64>>,
    buffers: ComputationBuffers,
}

impl ProductScratch {
    pub(crate) fn new(fft: FftView<'_>) -> Self {
        let fourier = || FourierPolynomialOwned::new(PolynomialSize(N));
        let mut buffers = ComputationBuffers::new();
        buffers.resize(
            fft.forward_scratch()
                .or(fft.backward_scratch())
                .unaligned_bytes_required(),
        );
        Self {
            operands: [fourier(), fourier(), fourier(), fourier()],
            square: fourier(),
            mask: fourier(),
            body: fourier(),
            digits: fourier(),
            words: vec![0; N],
            digit_words: vec![vec![0; N]; PARAMETERS.relin_levels],
            buffers,
        }
    }
}

/// Writes a GLWE encryption of the ring product of two encrypted polynomials to `out`, all of
/// them 2N words under the same key and at the same scale Δ. With phases bᵢ − aᵢσ this is
/// `t·b₁b₂ − t·(a₁b₂ + a₂b₁)σ + t·a₁a₂σ²`, the last term switched to σ by GLev(σ²).
pub(crate) fn multiply(
    left: &[u64],
    right: &[u64],
    keys: &EvaluationKeys,
    scratch: &mut ProductScratch,
    out: &mut [u64],
) {
    let fft = keys.fft.as_view();
    let ProductScratch {
        operands,
        square,
        mask,
        body,
        digits,
        words,
        digit_words,
        buffers,
    } = scratch;
    let parts = [&left[..N], &left[N..], &right[..N], &right[N..]];
    for (fourier, part) in operands.iter_mut().zip(parts) {
        fft.forward_as_torus(
            fourier.as_mut_view(),
            Polynomial::from_container(part),
            buffers.stack(),
        );
    }
    let [a1, b1, a2, b2] = &*operands;
    let t = f64::from(1_u32 << PARAMETERS.log_plaintext_modulus());
    for i in 0..N / 2 {
        let (a1, b1, a2, b2) = (a1.data[i], b1.data[i], a2.data[i], b2.data[i]);
        square.data[i] = scale(a1 * a2, t);
        mask.data[i] = scale(a1 * b2 + a2 * b1, t);
        body.data[i] = scale(b1 * b2, t);
    }
    fft.backward_as_torus(
        Polynomial::from_container(words.as_mut_slice()),
        square.as_view(),
        buffers.stack(),
    );
    decompose(words, digit_words);
    for (level, digit_words) in keys.relinearisation.iter().zip(digit_words.iter()) {
        fft.forward_as_integer(
            digits.as_mut_view(),
            Polynomial::from_container(digit_words.as_slice()),
            buffers.stack(),
        );
        let [level_mask, level_body] = level;
        for i in 0..N / 2 {
            mask.data[i] += digits.data[i] * level_mask.data[i];
            body.data[i] += digits.data[i] * level_body.data[i];
        }
    }
    let (out_mask, out_body) = out.split_at_mut(N);
    for (half, fourier) in [(out_mask, mask), (out_body, body)] {
        fft.backward_as_torus(
            Polynomial::from_container(half),
            fourier.as_view(),
            buffers.stack(),
        );
    }
}

fn scale(value: c64, factor: f64) -> c64 {
    c64::new(value.re * factor, value.im * factor)
}

/// Signed gadget digits of every word, most significant level first.
fn decompose(words: &[u64], levels: &mut [Vec<u64>]) {
    let decomposer = SignedDecomposer::new(
        DecompositionBaseLog(PARAMETERS.relin_base_log),
        DecompositionLevelCount(PARAMETERS.relin_levels),
    );
    for (i, word) in words.iter().enumerate() {
        for term in decomposer.decompose(*word) {
            levels[term.level().0 - 1][i] = term.value();
        }
    }
}

/// Adds the ring product of `glwe` with 1 + X + … + X^(N−1) to `out`: its last coefficient is the
/// sum of all coefficients.
pub(crate) fn add_coefficient_sum(glwe: &[u64], out: &mut [u64]) {
    for (half, out) in glwe.chunks(N).zip(out.chunks_mut(N)) {
        let total = half.iter().fold(0_u64, |sum, word| sum.wrapping_add(*word));
        let mut prefix = 0_u64;
        for (word, out) in half.iter().zip(out) {
            prefix = prefix.wrapping_add(*word);
            // Σ_{i ≤ k} pᵢ − Σ_{i > k} pᵢ, since X^N = −1.
            *out = out.wrapping_add(prefix.wrapping_mul(2).wrapping_sub(total));
        }
    }
}
