//! Receipts that outlive the service: verified without a network.

use blindprint_core::UnixTime;
use blindprint_log::{OfflineProof, Proven, WitnessVerifier};
use serde::Serialize;

use super::refuted;
use crate::{ErasureWord, Error, KeptProof, Result, Wallet, verify_erasure};

/// What a receipt proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvenReceipt {
    /// The log that it is in.
    pub origin: String,
    /// Its place there.
    pub index: u64,
    /// Entries under the checkpoint that covers it.
    pub size: u64,
    /// What kind of event.
    pub kind: &'static str,
    /// When it was logged.
    pub at: UnixTime,
    /// When each witness that was asked for countersigned the checkpoint.
    pub witnessed: Vec<UnixTime>,
    /// What an erasure destroyed; `None` for other receipts.
    pub erased: Option<ErasureWord>,
}

impl Wallet {
    /// Verifies a receipt under the log's key that this wallet has pinned, without asking anybody: a
    /// proof of inclusion, or the kept proof of an erasure.
    pub fn verify_receipt(
        &self,
        receipt: &[u8],
        witnesses: &[WitnessVerifier],
    ) -> Result<ProvenReceipt> {
        let unreadable = || {
            Error::Invalid(
                "the file is neither a proof of inclusion nor a proof of erasure".to_owned(),
            )
        };
        let seen = self.state.log.as_ref().ok_or_else(|| {
            Error::Invalid(
                "this wallet has not pinned the log's key: `log verify` does, once".to_owned(),
            )
        })?;
        let text = std::str::from_utf8(receipt).map_err(|_| unreadable())?;
        let (proof, erased) = match serde_json::from_str::<KeptProof>(text) {
            Ok(kept) => {
                if kept.keys.service != self.state.service {
                    return Err(Error::Unbelievable("it is about another service"));
                }
                let erased = verify_erasure(&kept.proof, &kept.keys)?;
                (kept.proof.proof, Some(erased))
            }
            Err(_) => (
                serde_json::from_str(text).unwrap_or_else(|_| text.to_owned()),
                None,
            ),
        };
        let proof: OfflineProof = proof.parse().map_err(|_| unreadable())?;
        let proven = proof.verify(&seen.key, witnesses).map_err(refuted)?;
        Ok(told(&proven, erased))
    }
}

fn told(proven: &Proven, erased: Option<ErasureWord>) -> ProvenReceipt {
    ProvenReceipt {
        origin: proven.checkpoint.origin().to_owned(),
        index: proven.index,
        size: proven.checkpoint.size(),
        kind: proven.entry.kind().as_str(),
        at: proven.entry.at(),
        witnessed: proven.witnessed.clone(),
        erased,
    }
}
