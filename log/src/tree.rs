use crate::{ConsistencyProof, Entry, Frontier, InclusionProof, LogError, TilePath, TreeHash};

/// A tree with all its nodes in memory, 64 bytes an entry: for readers of a whole log, and tests.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: Vec<TreeHash>,
    frontier: Frontier,
}

impl Tree {
    /// Appends an entry and returns its index.
    pub fn append(&mut self, entry: &Entry) -> u64 {
        self.append_bytes(&entry.encode())
    }

    /// Appends an entry by its bytes and returns its index.
    ///
    /// # Panics
    /// When the tree has [`crate::MAX_SIZE`] entries, for which there is no memory.
    pub fn append_bytes(&mut self, entry: &[u8]) -> u64 {
        let index = self.frontier.size();
        let new = self
            .frontier
            .append(TreeHash::of_entry(entry))
            .expect("memory ends before the tree is full");
        self.nodes.extend(new.into_iter().map(|(_, node)| node));
        index
    }

    /// How many entries.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root.
    pub fn root(&self) -> TreeHash {
        self.frontier.root()
    }

    /// The root when the tree had `size` entries.
    pub fn root_at(&self, size: u64) -> Result<TreeHash, LogError> {
        Ok(self.frontier_at(size)?.root())
    }

    /// The frontier when the tree had `size` entries.
    pub fn frontier_at(&self, size: u64) -> Result<Frontier, LogError> {
        Frontier::of(size, self.read(&Frontier::needs(size)?)?)
    }

    /// That the entry at `index` was in the tree when it had `size` entries.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<InclusionProof, LogError> {
        let nodes = self.read(&InclusionProof::needs(index, size)?)?;
        InclusionProof::of(index, size, nodes)
    }

    /// That the tree of `newer` entries extends that of `older` entries.
    pub fn consistency(&self, older: u64, newer: u64) -> Result<ConsistencyProof, LogError> {
        let nodes = self.read(&ConsistencyProof::needs(older, newer)?)?;
        ConsistencyProof::of(older, newer, nodes)
    }

    /// The tile of hashes at `path`; [`LogError::OutOfRange`] if there is none in the tree.
    pub fn tile(&self, path: &TilePath) -> Result<Vec<u8>, LogError> {
        TilePath::encode_hashes(&self.read(&path.needs()?)?)
    }

    /// The nodes at these positions.
    pub fn read(&self, positions: &[u64]) -> Result<Vec<TreeHash>, LogError> {
        positions
            .iter()
            .map(|&position| {
                usize::try_from(position)
                    .ok()
                    .and_then(|position| self.nodes.get(position))
                    .copied()
                    .ok_or(LogError::OutOfRange)
            })
            .collect()
    }
}
