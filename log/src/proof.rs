use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use tlog_tiles::{Hash, HashReader};

use crate::{LogError, MAX_SIZE, TreeHash};

/// More hashes than any proof has (C2SP tlog-witness allows as many).
const MAX_PATH: usize = 63;

/// That an entry is in a tree (RFC 6962 section 2.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// The entry's index.
    pub index: u64,
    /// How many entries the tree has.
    pub size: u64,
    /// From the leaf's sibling to the root's child.
    pub path: Vec<TreeHash>,
}

impl InclusionProof {
    /// The positions of the nodes that the proof is made of.
    pub fn needs(index: u64, size: u64) -> Result<Vec<u64>, LogError> {
        check(index < size, size)?;
        Ok(positions(|reader| {
            tlog_tiles::prove_record(size, index, reader)
        }))
    }

    /// The proof from the nodes at [`Self::needs`]' positions.
    pub fn of(index: u64, size: u64, nodes: Vec<TreeHash>) -> Result<Self, LogError> {
        let needed = Self::needs(index, size)?.len();
        let path = with(needed, nodes, |reader| {
            tlog_tiles::prove_record(size, index, reader)
        })?;
        Ok(Self { index, size, path })
    }

    /// Whether the entry with this leaf is at the proof's index of the tree with this root.
    pub fn verify(&self, leaf: TreeHash, root: TreeHash) -> Result<(), LogError> {
        check(self.index < self.size, self.size)?;
        tlog_tiles::check_record(
            &bounded(&self.path)?,
            self.size,
            root.into(),
            self.index,
            leaf.into(),
        )
        .map_err(|_| LogError::NotIncluded)
    }
}

/// That a tree extends another (RFC 6962 section 2.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    /// How many entries the older tree has.
    pub older: u64,
    /// How many entries the newer tree has.
    pub newer: u64,
    /// The nodes that both have, and those that the newer adds.
    pub path: Vec<TreeHash>,
}

impl ConsistencyProof {
    /// The positions of the nodes that the proof is made of.
    pub fn needs(older: u64, newer: u64) -> Result<Vec<u64>, LogError> {
        check(older <= newer, newer)?;
        if older == 0 {
            return Ok(Vec::new());
        }
        Ok(positions(|reader| {
            tlog_tiles::prove_tree(newer, older, reader)
        }))
    }

    /// The proof from the nodes at [`Self::needs`]' positions.
    pub fn of(older: u64, newer: u64, nodes: Vec<TreeHash>) -> Result<Self, LogError> {
        let needed = Self::needs(older, newer)?.len();
        let path = if older == 0 {
            Vec::new()
        } else {
            with(needed, nodes, |reader| {
                tlog_tiles::prove_tree(newer, older, reader)
            })?
        };
        Ok(Self { older, newer, path })
    }

    /// Whether the tree with the root `newer` extends that with the root `older`. Every tree extends
    /// the one without entries, by an empty proof.
    pub fn verify(&self, older: TreeHash, newer: TreeHash) -> Result<(), LogError> {
        check(self.older <= self.newer, self.newer)?;
        let path = bounded(&self.path)?;
        let holds = if self.older == 0 {
            path.is_empty()
                && older == TreeHash::EMPTY
                && (self.newer > 0 || newer == TreeHash::EMPTY)
        } else {
            tlog_tiles::check_tree(&path, self.newer, newer.into(), self.older, older.into())
                .is_ok()
        };
        if holds {
            Ok(())
        } else {
            Err(LogError::Inconsistent)
        }
    }
}

/// That a proof about a tree of `size` entries makes sense, which `tlog_tiles` takes for granted.
fn check(ordered: bool, size: u64) -> Result<(), LogError> {
    if ordered && size <= MAX_SIZE {
        Ok(())
    } else {
        Err(LogError::OutOfRange)
    }
}

fn bounded(path: &[TreeHash]) -> Result<Vec<Hash>, LogError> {
    if path.len() > MAX_PATH {
        return Err(LogError::TooLong);
    }
    Ok(path.iter().copied().map(Hash::from).collect())
}

/// Which nodes `prove` reads.
fn positions(prove: impl FnOnce(&Asked) -> Result<Vec<Hash>, tlog_tiles::Error>) -> Vec<u64> {
    let asked = Asked::default();
    // It reads once and gets nothing, so the outcome says nothing.
    let _ = prove(&asked);
    asked.0.into_inner()
}

/// What `prove` makes of the nodes that it reads.
fn with(
    needed: usize,
    nodes: Vec<TreeHash>,
    prove: impl FnOnce(&Given) -> Result<Vec<Hash>, tlog_tiles::Error>,
) -> Result<Vec<TreeHash>, LogError> {
    if nodes.len() != needed {
        return Err(LogError::Malformed("a proof is made of the nodes it needs"));
    }
    let given = Given(nodes.into_iter().map(Hash::from).collect());
    let path = prove(&given).map_err(|_| LogError::OutOfRange)?;
    Ok(path.into_iter().map(TreeHash::from).collect())
}

/// Notes which nodes are asked for, and has none.
#[derive(Default)]
struct Asked(RefCell<Vec<u64>>);

impl HashReader for Asked {
    fn read_hashes(&self, positions: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        self.0.borrow_mut().extend(positions);
        Err(tlog_tiles::Error::IndexesNotInTree)
    }
}

/// Has exactly the nodes that are asked for.
struct Given(Vec<Hash>);

impl HashReader for Given {
    fn read_hashes(&self, _: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests;
