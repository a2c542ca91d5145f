use crate::{Checkpoint, Entry, Frontier, LogError, TilePath, TreeHash};

/// Reads every entry between a tree that is known and a newer head, and finds out whether they are
/// the entries that both commit to.
///
/// Sans-IO: fetch what [`Self::wants`] names from the log's address, give it to [`Self::take`], and
/// [`Self::finish`] when nothing is wanted any more.
///
/// It detects a log that is shorter than it was ([`LogError::Truncated`]), entries that were altered,
/// left out or put in another order ([`LogError::Altered`]), and a log that has signed two histories
/// ([`LogError::Forked`]). It cannot detect a log that shows everybody else another history: for that
/// there are witnesses, and monitors that compare what they saw.
#[derive(Debug, Clone)]
pub struct Audit {
    frontier: Frontier,
    head: Checkpoint,
    /// Heads seen before, ahead of the frontier, from the largest to the smallest.
    ahead: Vec<Checkpoint>,
    contradicted: bool,
}

impl Audit {
    /// Begins behind `from`, which [`Frontier::default`] leaves nothing out of, and goes to `head`.
    /// `seen` are earlier checkpoints that the log signed, by which a fork shows.
    pub fn begin(from: Frontier, seen: &[Checkpoint], head: &Checkpoint) -> Result<Self, LogError> {
        if head.size() < from.size() {
            return Err(LogError::Truncated);
        }
        for older in seen {
            head.follows(older)?;
        }
        let mut ahead: Vec<_> = seen
            .iter()
            .filter(|seen| seen.size() > from.size())
            .cloned()
            .collect();
        ahead.sort_unstable_by_key(|seen| std::cmp::Reverse(seen.size()));
        let mut audit = Self {
            contradicted: false,
            frontier: from,
            head: head.clone(),
            ahead,
        };
        audit.contradicted = seen.iter().any(|seen| {
            seen.size() == audit.frontier.size() && seen.root() != audit.frontier.root()
        });
        Ok(audit)
    }

    /// The bundle of entries to read next, or `None` when all are read.
    pub fn wants(&self) -> Option<TilePath> {
        TilePath::bundle_of(self.frontier.size(), self.head.size()).ok()
    }

    /// Takes the bundle that was wanted, and returns its new entries with their indices. They are
    /// worth nothing before [`Self::finish`].
    pub fn take(&mut self, bundle: &[u8]) -> Result<Vec<(u64, Entry)>, LogError> {
        let path = self.wants().ok_or(LogError::OutOfRange)?;
        let known = self.frontier.size() - path.start();
        let mut entries = Vec::new();
        for encoded in path
            .decode_entries(bundle)?
            .into_iter()
            .skip(usize::try_from(known).unwrap_or(usize::MAX))
        {
            let index = self.frontier.size();
            entries.push((index, Entry::parse(encoded)?));
            self.frontier.append(TreeHash::of_entry(encoded))?;
            self.compare();
        }
        Ok(entries)
    }

    /// The frontier at the head, from which a later audit goes on. [`LogError::Altered`] if the entries
    /// are not those under the head; [`LogError::Forked`] if they are, but not those under a head that
    /// was seen before; [`LogError::Unfinished`] if there are entries left to read.
    pub fn finish(self) -> Result<Frontier, LogError> {
        if self.frontier.size() < self.head.size() {
            Err(LogError::Unfinished)
        } else if self.frontier.root() != self.head.root() {
            Err(LogError::Altered)
        } else if self.contradicted {
            Err(LogError::Forked)
        } else {
            Ok(self.frontier)
        }
    }

    fn compare(&mut self) {
        while let Some(seen) = self
            .ahead
            .pop_if(|seen| seen.size() == self.frontier.size())
        {
            self.contradicted |= seen.root() != self.frontier.root();
        }
    }
}

#[cfg(test)]
mod tests;
