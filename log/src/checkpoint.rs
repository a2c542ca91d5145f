use std::{fmt, str::FromStr};

use blindprint_core::UnixTime;
use signed_note::{Note, Signature};

use crate::{
    ConsistencyProof, LogError, LogVerifier, MAX_SIZE, TreeHash, WitnessVerifier,
    key::{Public, cosigned_at},
};

/// A tree's head: which log, how many entries, which root (C2SP tlog-checkpoint). Who says so is not
/// part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: TreeHash,
    /// Lines that other logs add. This one adds none.
    extension: String,
}

impl Checkpoint {
    /// The head of the log of this origin.
    pub fn new(origin: &str, size: u64, root: TreeHash) -> Result<Self, LogError> {
        if origin.is_empty() || origin.contains('\n') {
            return Err(LogError::Malformed("an origin is one line"));
        }
        if size > MAX_SIZE {
            return Err(LogError::OutOfRange);
        }
        if size == 0 && root != TreeHash::EMPTY {
            return Err(LogError::Malformed("the tree without entries has one root"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            extension: String::new(),
        })
    }

    /// Which log: its address without the scheme.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    pub const fn root(&self) -> TreeHash {
        self.root
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n{}",
            self.origin, self.size, self.root, self.extension
        )
    }

    /// Whether this is a later head of the same log as `older`, or the same.
    ///
    /// [`LogError::Truncated`] if it has fewer entries, [`LogError::Forked`] if it has as many and
    /// another root, [`LogError::Inconsistent`] if the proof does not show that it extends `older`.
    pub fn extends(&self, older: &Self, proof: &ConsistencyProof) -> Result<(), LogError> {
        self.follows(older)?;
        if proof.older != older.size || proof.newer != self.size {
            return Err(LogError::Inconsistent);
        }
        proof.verify(older.root, self.root)
    }

    /// What shows without a proof: [`Self::extends`] but for [`LogError::Inconsistent`].
    pub fn follows(&self, older: &Self) -> Result<(), LogError> {
        if self.origin != older.origin {
            Err(LogError::Origin)
        } else if self.size < older.size {
            Err(LogError::Truncated)
        } else if self.size == older.size && self.root != older.root {
            Err(LogError::Forked)
        } else {
            Ok(())
        }
    }
}

impl FromStr for Checkpoint {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        let read = tlog_tiles::Checkpoint::from_bytes(text.as_bytes())
            .map_err(|_| LogError::Malformed("not a checkpoint"))?;
        let checkpoint = Self {
            extension: read.extension().to_owned(),
            ..Self::new(read.origin(), read.size(), (*read.hash()).into())?
        };
        if checkpoint.text() == text {
            Ok(checkpoint)
        } else {
            Err(LogError::Malformed("not a checkpoint"))
        }
    }
}

/// A signed note that reads as a checkpoint: who signed it is not known yet.
#[derive(Debug, Clone)]
pub struct CheckpointNote {
    checkpoint: Checkpoint,
    signatures: Vec<Signature>,
}

impl CheckpointNote {
    /// Longest note, in bytes: a checkpoint with dozens of cosignatures.
    pub const MAX_LEN: usize = 16 * 1024;

    /// The log that it claims to be of, by which to choose the key.
    pub fn origin(&self) -> &str {
        &self.checkpoint.origin
    }

    /// The checkpoint, if the log with this key signed it. [`LogError::Origin`] if it is about another
    /// log, [`LogError::Signature`] if the key did not sign it.
    pub fn verify(self, log: &LogVerifier) -> Result<SignedCheckpoint, LogError> {
        if self.checkpoint.origin != log.name() {
            return Err(LogError::Origin);
        }
        let note = SignedCheckpoint(self);
        match note.signature(log.public())? {
            Some(_) => Ok(note),
            None => Err(LogError::Signature),
        }
    }
}

impl FromStr for CheckpointNote {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        if text.len() > Self::MAX_LEN {
            return Err(LogError::TooLong);
        }
        let malformed = LogError::Malformed("not a signed note");
        let note = Note::from_bytes(text.as_bytes()).map_err(|_| malformed)?;
        let checkpoint = std::str::from_utf8(note.text())
            .map_err(|_| malformed)?
            .parse()?;
        let signatures = text
            .rsplit_once("\n\n")
            .ok_or(malformed)?
            .1
            .lines()
            .map(|line| Signature::from_bytes(line.as_bytes()).map_err(|_| malformed))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            checkpoint,
            signatures,
        })
    }
}

impl fmt::Display for CheckpointNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.checkpoint.text())?;
        self.signatures
            .iter()
            .try_for_each(|signature| f.write_str(&line(signature)))
    }
}

/// A checkpoint that its log signed. `Display` gives the note, with all signatures.
#[derive(Debug, Clone)]
pub struct SignedCheckpoint(CheckpointNote);

impl SignedCheckpoint {
    pub(crate) fn signed(checkpoint: Checkpoint, signature: Signature) -> Self {
        Self(CheckpointNote {
            checkpoint,
            signatures: vec![signature],
        })
    }

    /// The head that was signed.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.0.checkpoint
    }

    /// When `witness` last cosigned it. [`LogError::NotCosigned`] if it did not,
    /// [`LogError::Signature`] if somebody wrote that it did.
    pub fn cosigned(&self, witness: &WitnessVerifier) -> Result<UnixTime, LogError> {
        let signature = self
            .signature(witness.public())?
            .ok_or(LogError::NotCosigned)?;
        cosigned_at(signature.signature())
            .and_then(|(time, _)| i64::try_from(time).ok())
            .map(UnixTime)
            .ok_or(LogError::Signature)
    }

    /// This checkpoint with the cosignature that `witness` answered, in place of an older one of the
    /// same key. Of several lines in `answer`, the one by `witness` counts.
    pub fn with_cosignature(
        self,
        answer: &str,
        witness: &WitnessVerifier,
    ) -> Result<Self, LogError> {
        let answered: CheckpointNote = format!("{}\n{answer}", self.0.checkpoint.text()).parse()?;
        let answered = Self(answered)
            .signature(witness.public())?
            .ok_or(LogError::NotCosigned)?;
        let CheckpointNote {
            checkpoint,
            mut signatures,
        } = self.0;
        signatures.retain(|held| held.name() != answered.name() || held.id() != answered.id());
        signatures.push(answered);
        // By way of text, so that the limits of a note hold.
        let note: CheckpointNote = CheckpointNote {
            checkpoint,
            signatures,
        }
        .to_string()
        .parse()?;
        Ok(Self(note))
    }

    /// The valid signature by `key`, if there is one under its name and id.
    fn signature(&self, key: &Public) -> Result<Option<Signature>, LogError> {
        let note = Note::new(self.0.checkpoint.text().as_bytes(), &self.0.signatures)
            .map_err(|_| LogError::Malformed("not a signed note"))?;
        match note.verify(key) {
            Ok((valid, _)) => Ok(valid.into_iter().next()),
            Err(signed_note::NoteError::UnverifiedNote) => Ok(None),
            Err(_) => Err(LogError::Signature),
        }
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A witness's signature, as it answers it: `Display` gives the line of the note.
#[derive(Debug, Clone)]
pub struct Cosignature(Signature);

impl Cosignature {
    pub(crate) const fn signed(signature: Signature) -> Self {
        Self(signature)
    }
}

impl fmt::Display for Cosignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(&self.0))
    }
}

fn line(signature: &Signature) -> String {
    String::from_utf8_lossy(&signature.to_bytes()).into_owned()
}

/// What a witness signs (C2SP tlog-cosignature).
pub fn cosigned_message(time: u64, checkpoint: &Checkpoint) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{}", checkpoint.text()).into_bytes()
}

#[cfg(test)]
mod tests;
