//! What anybody can read of the log, as far as a checkpoint covers it.

use blindprint_core::{SubjectId, problem::ProblemCode};
use blindprint_log::{ConsistencyProof, Entry, InclusionProof, OfflineProof, TilePath};

use super::{Ledger, OwnEntry, broken};
use crate::{Error, Result};

/// Entries of a subject in one answer.
pub const MOST_OWN: u32 = 100;

/// A tile or a bundle of entries.
pub struct Tile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it can still grow, under another name.
    pub partial: bool,
}

impl Ledger {
    /// The latest checkpoint's text, with the cosignatures that have come.
    pub async fn checkpoint(&self) -> Result<String> {
        let head = self.store.latest_head(false).await?;
        head.map(|head| head.note).ok_or_else(missing)
    }

    /// A tile that the latest checkpoint covers.
    pub async fn tile(&self, path: &TilePath) -> Result<Tile> {
        if !path.is_within(self.published().await?) {
            return Err(missing());
        }
        let bytes = if path.level().is_some() {
            let nodes = self.hashes(&path.needs().map_err(broken)?).await?;
            TilePath::encode_hashes(&nodes)
        } else {
            let width = path.width().into();
            let entries = self.store.log_entries(path.start(), width).await?;
            TilePath::encode_entries(&entries)
        };
        Ok(Tile {
            bytes: bytes.map_err(broken)?,
            partial: path.is_partial(),
        })
    }

    /// That an entry is in the log as it was at a size.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<InclusionProof> {
        if index >= size || size > self.published().await? {
            return Err(missing());
        }
        let places = InclusionProof::needs(index, size).map_err(broken)?;
        let nodes = self.hashes(&places).await?;
        InclusionProof::of(index, size, nodes).map_err(broken)
    }

    /// That the log at one size is the beginning of the log at another.
    pub async fn consistency(&self, first: u64, second: u64) -> Result<ConsistencyProof> {
        if first > second || second > self.published().await? {
            return Err(missing());
        }
        self.prove_extension(first, second).await
    }

    pub(super) async fn prove_extension(
        &self,
        first: u64,
        second: u64,
    ) -> Result<ConsistencyProof> {
        let places = ConsistencyProof::needs(first, second).map_err(broken)?;
        let nodes = self.hashes(&places).await?;
        ConsistencyProof::of(first, second, nodes).map_err(broken)
    }

    /// That an entry is in the log, for whoever has the log's key and no network. An entry that no
    /// checkpoint covers yet gets one.
    pub async fn proof(&self, index: u64) -> Result<OfflineProof> {
        let mut head = self.head().await?;
        if head
            .as_ref()
            .is_none_or(|head| head.checkpoint().size() <= index)
        {
            head = self.publish().await?;
        }
        let head = head
            .filter(|head| head.checkpoint().size() > index)
            .ok_or_else(missing)?;
        let entries = self.store.log_entries(index, 1).await?;
        let entry = entries.first().ok_or_else(missing)?;
        let entry = Entry::parse(entry).map_err(broken)?;
        let inclusion = self.inclusion(index, head.checkpoint().size()).await?;
        OfflineProof::new(&entry, inclusion, &head).map_err(broken)
    }

    /// A subject's entries from position `first` on with what opens them, at most so many as one answer
    /// holds.
    pub async fn own_entries(&self, subject: &SubjectId, first: u64) -> Result<Vec<OwnEntry>> {
        self.store.own_entries(subject, first, MOST_OWN).await
    }

    /// How many entries the latest checkpoint covers.
    pub async fn published(&self) -> Result<u64> {
        let head = self.store.latest_head(false).await?;
        Ok(head.map_or(0, |head| head.size))
    }
}

fn missing() -> Error {
    Error::Refused(ProblemCode::NotFound)
}
