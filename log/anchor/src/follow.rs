//! The log as it is now, against what the chain holds of it.

use alloy::primitives::B256;
use blindprint_log::{
    Audit, Checkpoint, Frontier, LogError, LogVerifier, SignedCheckpoint, TreeHash, WitnessVerifier,
};
use blindprint_reader::{LogReader, ReadError};
use sha2::{Digest as _, Sha256};

use crate::{AnchorError, chain::Anchored};

/// The name that the contract has for a log.
pub(crate) fn origin_hash(log: &LogVerifier) -> B256 {
    B256::new(Sha256::digest(log.name()).into())
}

/// The log's checkpoint: signed by the log, and cosigned by all of `witnesses`.
pub(crate) async fn head(
    reader: &LogReader,
    witnesses: &[WitnessVerifier],
) -> Result<SignedCheckpoint, AnchorError> {
    // What the log did not sign convicts nobody: somebody else may answer in its place.
    let head = reader.checkpoint().await;
    let head = head.map_err(|error| AnchorError::log(&error))?;
    for witness in witnesses {
        head.cosigned(witness)
            .map_err(|error| AnchorError::log(&format!("{}: {error}", witness.name())))?;
    }
    Ok(head)
}

/// Reads the log from `from` to `head`, and makes sure that all of `anchored` are its past.
pub(crate) async fn extend(
    reader: &LogReader,
    from: Frontier,
    anchored: &[Anchored],
    head: &SignedCheckpoint,
) -> Result<Frontier, AnchorError> {
    let origin = reader.key().name();
    let seen = anchored
        .iter()
        .map(|anchored| {
            let root = TreeHash::from_bytes(anchored.root);
            Checkpoint::new(origin, anchored.size, root)
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            AnchorError::Invalid(format!("the contract holds no checkpoint: {error}"))
        })?;
    let convict = |error| convict(error, anchored, head);
    let audit = Audit::begin(from, &seen, head.checkpoint()).map_err(convict)?;
    reader
        .read(audit, &mut |_| ())
        .await
        .map_err(|error| match error {
            ReadError::Fetch(error) => AnchorError::log(&error),
            ReadError::Log(error) => convict(error),
        })
}

/// What the log did. The last anchored checkpoint stands for all of them.
fn convict(error: LogError, anchored: &[Anchored], head: &SignedCheckpoint) -> AnchorError {
    let last = anchored.iter().max_by_key(|anchored| anchored.size);
    let last = last.map_or_else(
        || "nothing is anchored".to_owned(),
        |last| {
            let root = TreeHash::from_bytes(last.root);
            format!("anchored in block {}: {} {root}", last.block, last.size)
        },
    );
    AnchorError::Misbehaves(format!("{error}\n{last}\nshown now:\n{head}"))
}
