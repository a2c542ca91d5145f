use std::{fmt, str::FromStr};

use crate::{
    Checkpoint, CheckpointNote, ConsistencyProof, LogError, SignedCheckpoint, TreeHash,
    offline::decimal,
};

/// What a log asks of a witness: to cosign a checkpoint, shown to extend the last one it cosigned.
///
/// Text form: the body of `POST /add-checkpoint` (C2SP tlog-witness).
#[derive(Debug, Clone)]
pub struct AddCheckpoint {
    /// How many entries the log had when the witness last cosigned, as the asker knows it.
    pub old_size: u64,
    /// The consistency proof's hashes; none if `old_size` is 0.
    pub path: Vec<TreeHash>,
    /// The new head: whose, is for the witness to verify.
    pub checkpoint: CheckpointNote,
}

impl AddCheckpoint {
    /// Longest text form, in bytes.
    pub const MAX_LEN: usize = CheckpointNote::MAX_LEN + 64 * 45;

    /// Asks for a cosignature of `head`, which extends a tree of `proof.older` entries.
    pub fn new(proof: ConsistencyProof, head: &SignedCheckpoint) -> Result<Self, LogError> {
        if proof.newer != head.checkpoint().size() {
            return Err(LogError::Inconsistent);
        }
        Ok(Self {
            old_size: proof.older,
            path: proof.path,
            checkpoint: head.to_string().parse()?,
        })
    }

    /// Whether `head`, which is [`Self::checkpoint`] verified, extends the last head that the witness
    /// cosigned (`None` if there is none). The caller has compared `old_size` with its size.
    pub fn check(
        old_size: u64,
        path: Vec<TreeHash>,
        last: Option<&Checkpoint>,
        head: &SignedCheckpoint,
    ) -> Result<(), LogError> {
        let head = head.checkpoint();
        let proof = ConsistencyProof {
            older: old_size,
            newer: head.size(),
            path,
        };
        match last {
            Some(last) => head.extends(last, &proof),
            None => proof.verify(TreeHash::EMPTY, head.root()),
        }
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        for hash in &self.path {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for AddCheckpoint {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        if text.len() > Self::MAX_LEN {
            return Err(LogError::TooLong);
        }
        let malformed = LogError::Malformed("not a request to cosign");
        let (head, checkpoint) = text.split_once("\n\n").ok_or(malformed)?;
        let mut lines = head.split('\n');
        let old_size = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(decimal)
            .ok_or(malformed)?;
        Ok(Self {
            old_size,
            path: lines.map(str::parse).collect::<Result<_, _>>()?,
            checkpoint: checkpoint.parse()?,
        })
    }
}

#[cfg(test)]
mod tests;
