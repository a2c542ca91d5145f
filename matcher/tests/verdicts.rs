//! The verdict equals the plaintext decision. `make bench` runs many more cases.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::sync::Arc;

use blindprint_core::{ProfileId, SystemEntropy};
use blindprint_template::{BiometricCode, CODE_BITS};
use common::{Setup, at_distance, random_code};

#[test]
fn verdicts_equal_plaintext_decisions() {
    let setup = Setup::new();
    let mut circuit = setup.matcher.circuit(Arc::new(SystemEntropy));
    let profile: ProfileId = "face-dlib128-v1".parse().unwrap();
    let tau = profile.profile().tau;

    let near = (tau - 8..=tau + 8).map(|distance| {
        let code = random_code();
        let other = at_distance(&code, usize::from(distance));
        (code, other)
    });
    let random = (0..8).map(|_| (random_code(), random_code()));
    let ends = [0, 1, CODE_BITS - 1, CODE_BITS]
        .into_iter()
        .map(|distance| {
            let code = random_code();
            let other = at_distance(&code, distance);
            (code, other)
        });
    let constant = |bit| BiometricCode::from_bits(std::iter::repeat_n(bit, CODE_BITS));
    let weights = [(false, false), (false, true), (true, false), (true, true)]
        .map(|(a, b)| (constant(a), constant(b)));

    let mut tried = 0;
    for (enrolled, presented) in near.chain(random).chain(ends).chain(weights) {
        let distance = circuit.distance(&setup.template(&enrolled), &setup.probe(&presented), tau);
        let verdict = circuit.threshold(distance, &mut ());
        let phase = setup.phase(verdict.as_ref()).cast_signed();
        let hamming = enrolled.hamming(&presented);
        assert_eq!(
            phase > 0,
            profile.profile().matches(hamming),
            "distance {hamming}, threshold {tau}"
        );
        tried += 1;
    }
    assert_eq!(tried, 33);
}
