//! What is left of somebody who had everything erased: a proof that needs nobody to be verified.

use blindprint_wallet::{ErasureKeys, KeptProof, Wallet, verify_erasure};

use crate::{Error, Result, say};

/// The proof of an erasure, as the wallet keeps it.
pub(crate) struct Proof(KeptProof);

impl Proof {
    /// The one in this wallet.
    pub(crate) fn of(wallet: &Wallet) -> Result<Self> {
        let kept = wallet.erasure_proof();
        kept.map(Self)
            .ok_or_else(|| Error::Broken("the wallet has no proof of the erasure".to_owned()))
    }

    /// Says whether it holds with the service gone, and whether a forged one does not.
    pub(crate) fn show(&self) -> bool {
        say("\nWithout asking the service, the wallet verifies the proof of the erasure:");
        let verified = verify_erasure(&self.0.proof, &self.0.keys);
        match &verified {
            Ok(word) => say(&format!(
                "  Signed by enclave and service, entry {} of the transparency log: templates destroyed {}, data keys {}.",
                word.log_index,
                word.enrolments.len(),
                word.data_keys_destroyed
            )),
            Err(error) => say(&format!("  NOT PROVED: {error}")),
        }
        let stranger = self.0.keys.controller.iter().cloned().map(|enclave| {
            let keys = ErasureKeys {
                enclave,
                ..self.0.keys.clone()
            };
            verify_erasure(&self.0.proof, &keys)
        });
        let refusals: Vec<_> = stranger.filter_map(std::result::Result::err).collect();
        for refusal in &refusals {
            say(&format!(
                "  Where it should be another enclave's, it is refused: {refusal}"
            ));
        }
        verified.is_ok() && !refusals.is_empty()
    }
}
