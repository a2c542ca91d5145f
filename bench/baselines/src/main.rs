//! `blindprint-baselines`: one decision, "do these two 2048-bit codes differ in at most τ bits?", made
//! in two other ways. Prints JSON for `blindprint-bench`, which defines its meaning.
//!
//! 1. Under encryption, as one writes it with tfhe-rs' high-level integers. Codes are encrypted
//!    without proofs, so that it compares with the matcher's comparison alone.
//! 2. Without homomorphic encryption: codes sealed to the enclave by HPKE, opened and compared there.

mod integers;
mod sealed;

use serde::Serialize;

/// Words of a code.
const WORDS: usize = 32;
/// The largest distance that matches. Neither baseline's time depends on it.
const TAU: u32 = 664;

/// 2048 bits.
type Code = [u64; WORDS];

#[derive(Serialize)]
struct Results {
    tfhe_integers: integers::Integers,
    hpke: sealed::Sealed,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hpke = sealed::measure()?;
    let tfhe_integers = integers::measure();
    println!(
        "{}",
        serde_json::to_string(&Results {
            tfhe_integers,
            hpke
        })?
    );
    Ok(())
}

/// A code without structure.
fn code() -> Code {
    let mut state = 0_u64;
    std::array::from_fn(|_| {
        // SplitMix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    })
}

/// `code` with its first `distance` bits flipped.
fn at_distance(code: &Code, distance: u32) -> Code {
    let mut other = *code;
    for bit in 0..distance as usize {
        other[bit / 64] ^= 1 << (bit % 64);
    }
    other
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
