//! Whether what is stored is what was signed. Looked at once, before the first signature of a process.

use blindprint_log::{CheckpointNote, Frontier, SignedCheckpoint, TreeHash};

use super::{Ledger, broken};
use crate::Result;

/// Entries that are read at once.
const AT_ONCE: u32 = 1024;

impl Ledger {
    /// What is wrong with the log, if anything is: against the checkpoint that the database holds, that
    /// which is `known` from elsewhere, and its own entries.
    pub(super) async fn examine(&self, known: Option<&str>) -> Result<Option<&'static str>> {
        let stored = self.store.latest_head(false).await?;
        let mut heads = Vec::new();
        for note in stored
            .as_ref()
            .map(|head| head.note.as_str())
            .into_iter()
            .chain(known)
        {
            let Some(head) = self.ours(note) else {
                return Ok(Some(
                    "a checkpoint was signed with another key, or is damaged: put log-key back",
                ));
            };
            heads.push(head);
        }
        let size = self.store.log_size().await?;
        for head in &heads {
            let signed = head.checkpoint();
            if signed.size() > size {
                return Ok(Some(
                    "the database's log is shorter than a checkpoint that was signed: put the right \
                     database back",
                ));
            }
            if self.root(signed.size()).await? != Some(signed.root()) {
                return Ok(Some(
                    "the log's hashes are not those that a checkpoint was signed over: put the right \
                     database back",
                ));
            }
        }
        self.recompute(size).await
    }

    /// Whether every entry is the one whose hash is stored, and every hash that of what it is over.
    async fn recompute(&self, size: u64) -> Result<Option<&'static str>> {
        const ALTERED: Option<&str> = Some(
            "entries of the log were altered, reordered or taken out: put the right database back",
        );
        let mut frontier = Frontier::default();
        while frontier.size() < size {
            let entries = self.store.log_entries(frontier.size(), AT_ONCE).await?;
            if entries.is_empty() {
                return Ok(ALTERED);
            }
            let mut nodes = Vec::new();
            for entry in &entries {
                nodes.extend(frontier.append(TreeHash::of_entry(entry)).map_err(broken)?);
            }
            let (places, computed): (Vec<u64>, Vec<TreeHash>) = nodes.into_iter().unzip();
            if self.store.log_hashes(&places).await? != Some(computed) {
                return Ok(ALTERED);
            }
        }
        Ok(None)
    }

    /// The root of the first `size` entries by the stored hashes; `None` if there are not all of them.
    async fn root(&self, size: u64) -> Result<Option<TreeHash>> {
        let places = Frontier::needs(size).map_err(broken)?;
        let nodes = self.store.log_hashes(&places).await?;
        let frontier = nodes.and_then(|nodes| Frontier::of(size, nodes).ok());
        Ok(frontier.map(|frontier| frontier.root()))
    }

    fn ours(&self, note: &str) -> Option<SignedCheckpoint> {
        let note: CheckpointNote = note.parse().ok()?;
        note.verify(&self.verifier).ok()
    }
}
