use serde::{Deserialize, Serialize};
use tlog_tiles::HashReader;

use crate::{LogError, MAX_SIZE, TreeHash};

/// What must be remembered of a tree to append to it and to know its root: the roots of the perfect
/// subtrees that it consists of, at most 48 hashes.
///
/// Whoever keeps one and is shown the entries behind it needs no proof and no trust in who shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Frontier {
    size: u64,
    /// From the largest subtree to the smallest: one for each bit of `size`.
    nodes: Vec<TreeHash>,
}

/// A frontier as it comes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    size: u64,
    nodes: Vec<TreeHash>,
}

impl TryFrom<Parts> for Frontier {
    type Error = LogError;

    fn try_from(Parts { size, nodes }: Parts) -> Result<Self, LogError> {
        Self::of(size, nodes)
    }
}

impl Default for Frontier {
    /// The tree without entries.
    fn default() -> Self {
        Self {
            size: 0,
            nodes: Vec::new(),
        }
    }
}

impl Frontier {
    /// The positions of the nodes that make the frontier of the tree of `size` entries.
    pub fn needs(size: u64) -> Result<Vec<u64>, LogError> {
        if size > MAX_SIZE {
            return Err(LogError::OutOfRange);
        }
        Ok(tlog_tiles::sub_tree_index(0, size, Vec::new()))
    }

    /// The frontier of the tree of `size` entries from the nodes at [`Self::needs`]' positions.
    pub fn of(size: u64, nodes: Vec<TreeHash>) -> Result<Self, LogError> {
        if size > MAX_SIZE {
            return Err(LogError::OutOfRange);
        }
        if nodes.len() != size.count_ones() as usize {
            return Err(LogError::Malformed(
                "a frontier has a node for each bit of its size",
            ));
        }
        Ok(Self { size, nodes })
    }

    /// How many entries the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The tree's root.
    ///
    /// # Panics
    /// Never: a frontier holds what its root is computed from.
    pub fn root(&self) -> TreeHash {
        tlog_tiles::tree_hash(self.size, self)
            .expect("a frontier holds what its root needs")
            .into()
    }

    /// Appends a leaf, and says which nodes are new and at which position each is stored: one
    /// position after another, in all trees. [`LogError::OutOfRange`] when the tree is full.
    ///
    /// # Panics
    /// Never: a frontier holds what its next leaf completes.
    pub fn append(&mut self, leaf: TreeHash) -> Result<Vec<(u64, TreeHash)>, LogError> {
        if self.size >= MAX_SIZE {
            return Err(LogError::OutOfRange);
        }
        let stored: Vec<TreeHash> =
            tlog_tiles::stored_hashes_for_record_hash(self.size, leaf.into(), self)
                .expect("a frontier holds what its next leaf completes")
                .into_iter()
                .map(TreeHash::from)
                .collect();
        let first = tlog_tiles::stored_hash_index(0, self.size);
        // Each node beyond the leaf takes in a subtree that was the frontier's last.
        self.nodes.truncate(self.nodes.len() + 1 - stored.len());
        self.nodes.extend(stored.last());
        self.size += 1;
        Ok((first..).zip(stored).collect())
    }
}

/// The frontier as the storage of the few nodes that it consists of.
impl HashReader for Frontier {
    fn read_hashes(&self, positions: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let held = tlog_tiles::sub_tree_index(0, self.size, Vec::new());
        positions
            .iter()
            .map(|position| {
                held.iter()
                    .position(|at| at == position)
                    .map(|at| self.nodes[at].into())
                    .ok_or(tlog_tiles::Error::IndexesNotInTree)
            })
            .collect()
    }
}

#[cfg(test)]
pub mod tests;
