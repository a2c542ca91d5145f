//! Verdict ciphertexts and evaluation keys.

use blindprint_core::Digest;
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_matcher::{EvaluationKeysParts, VerdictCiphertext};
use blindprint_template::{PARAMETERS, header, pack};

use super::template::material;

pub fn encode(key: Digest, words: &[u64]) -> Vec<u8> {
    [
        header(*b"BPvd", 8),
        key.as_bytes().to_vec(),
        pack(words, PARAMETERS.verdict_bits),
    ]
    .concat()
}

#[test]
fn verdict_ciphertexts() {
    let words: Vec<u64> = (0..=PARAMETERS.lwe_dimension as u64)
        .map(|i| i << 50)
        .collect();
    fuzz!(
        Inputs::from([encode(Digest::of("fuzz", b"key"), &words)]),
        Budget::SMALL,
        |bytes: &[u8]| {
            if let Ok(verdict) = VerdictCiphertext::decode(bytes) {
                assert!(encode(verdict.key(), verdict.words()) == bytes);
                assert_eq!(bytes.len(), VerdictCiphertext::ENCODED_LEN);
            }
        }
    );
}

/// Whole keys have 30 MB, so faults go into their beginning: it never decodes, and refusing it
/// costs next to nothing.
#[test]
fn evaluation_keys() {
    let whole = &material().evaluation_keys;
    assert!(EvaluationKeysParts::decode(whole).unwrap().encode() == *whole);
    assert!(EvaluationKeysParts::decode(&whole[..whole.len() - 1]).is_err());
    assert!(EvaluationKeysParts::decode(&[whole.as_slice(), &[0]].concat()).is_err());
    fuzz!(
        Inputs::from([whole[..4096].to_vec()]),
        Budget::SMALL,
        |bytes: &[u8]| {
            assert!(EvaluationKeysParts::decode(bytes).is_err());
        }
    );
}
