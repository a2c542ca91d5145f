use std::{fmt, str::FromStr};

use crate::{Entry, LogError, MAX_SIZE, TreeHash};

/// Nodes or entries in a full tile.
const WIDTH: u16 = 256;
/// Levels of tiles in the largest tree, counted from the leaves.
const LEVELS: u8 = 6;

/// Where a tile of a log is served (C2SP tlog-tiles): `tile/<level>/<index>[.p/<width>]` for hashes,
/// `tile/entries/<index>[.p/<width>]` for the entries themselves. `Display` and `FromStr` give that text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TilePath {
    /// `None` for a bundle of entries.
    level: Option<u8>,
    index: u64,
    width: u16,
}

impl TilePath {
    /// Longest text, in bytes.
    pub const MAX_LEN: usize = 48;

    /// The tile of `width` hashes (1 to 256) at `level` (0 to 5); [`LogError::OutOfRange`] if no tree
    /// is so large.
    pub fn hashes(level: u8, index: u64, width: u16) -> Result<Self, LogError> {
        Self {
            level: Some(level),
            index,
            width,
        }
        .checked()
    }

    /// The bundle of `width` entries (1 to 256).
    pub fn entries(index: u64, width: u16) -> Result<Self, LogError> {
        Self {
            level: None,
            index,
            width,
        }
        .checked()
    }

    /// The bundle that holds the entry at `from` in a tree of `size` entries, as wide as it is there.
    pub fn bundle_of(from: u64, size: u64) -> Result<Self, LogError> {
        if from >= size {
            return Err(LogError::OutOfRange);
        }
        let index = from / u64::from(WIDTH);
        let rest = size - index * u64::from(WIDTH);
        Self::entries(index, u16::try_from(rest).unwrap_or(WIDTH).min(WIDTH))
    }

    /// The level, or `None` for a bundle of entries.
    pub const fn level(&self) -> Option<u8> {
        self.level
    }

    /// The first entry of a bundle, or the first node of a tile within its level.
    pub const fn start(&self) -> u64 {
        self.index * WIDTH as u64
    }

    /// How many hashes or entries.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it lacks what a full tile has, and so disappears some day.
    pub const fn is_partial(&self) -> bool {
        self.width < WIDTH
    }

    /// Whether a tree of `size` entries has all of it.
    pub const fn is_within(&self, size: u64) -> bool {
        let level = match self.level {
            Some(level) => level,
            None => 0,
        };
        self.start() + self.width as u64 <= size >> (8 * level)
    }

    /// The positions of the nodes in it; [`LogError::OutOfRange`] for a bundle, which has entries.
    pub fn needs(&self) -> Result<Vec<u64>, LogError> {
        let level = self.level.ok_or(LogError::OutOfRange)?;
        Ok((self.start()..)
            .take(self.width.into())
            .map(|n| tlog_tiles::stored_hash_index(8 * level, n))
            .collect())
    }

    /// A tile of these hashes.
    pub fn encode_hashes(hashes: &[TreeHash]) -> Result<Vec<u8>, LogError> {
        if hashes.is_empty() || hashes.len() > WIDTH.into() {
            return Err(LogError::OutOfRange);
        }
        Ok(hashes
            .iter()
            .flat_map(TreeHash::as_bytes)
            .copied()
            .collect())
    }

    /// The hashes of this tile.
    pub fn decode_hashes(&self, tile: &[u8]) -> Result<Vec<TreeHash>, LogError> {
        let (hashes, rest) = tile.as_chunks::<32>();
        if self.level.is_none() || hashes.len() != usize::from(self.width) || !rest.is_empty() {
            return Err(LogError::Malformed(
                "a tile is as many hashes as it is wide",
            ));
        }
        Ok(hashes.iter().copied().map(TreeHash::from_bytes).collect())
    }

    /// A bundle of these entries: each behind its length in two bytes, big-endian.
    pub fn encode_entries<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, LogError> {
        if entries.is_empty() || entries.len() > WIDTH.into() {
            return Err(LogError::OutOfRange);
        }
        let mut bundle = Vec::new();
        for entry in entries {
            let entry = entry.as_ref();
            let length = u16::try_from(entry.len()).map_err(|_| LogError::TooLong)?;
            if entry.len() > Entry::MAX_LEN {
                return Err(LogError::TooLong);
            }
            bundle.extend(length.to_be_bytes());
            bundle.extend(entry);
        }
        Ok(bundle)
    }

    /// The bytes of this bundle's entries.
    pub fn decode_entries<'a>(&self, bundle: &'a [u8]) -> Result<Vec<&'a [u8]>, LogError> {
        let malformed = LogError::Malformed("a bundle is as many entries as it is wide");
        if self.level.is_some() {
            return Err(malformed);
        }
        let mut entries = Vec::with_capacity(self.width.into());
        let mut rest = bundle;
        while let Some((length, behind)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length > Entry::MAX_LEN {
                return Err(LogError::TooLong);
            }
            if entries.len() == usize::from(self.width) {
                return Err(malformed);
            }
            let (entry, behind) = behind.split_at_checked(length).ok_or(malformed)?;
            entries.push(entry);
            rest = behind;
        }
        if entries.len() != usize::from(self.width) || !rest.is_empty() {
            return Err(malformed);
        }
        Ok(entries)
    }

    fn checked(self) -> Result<Self, LogError> {
        let level = self.level.unwrap_or(0);
        if level >= LEVELS
            || !(1..=WIDTH).contains(&self.width)
            || self.index >= MAX_SIZE
            || !self.is_within(MAX_SIZE)
        {
            return Err(LogError::OutOfRange);
        }
        Ok(self)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "tile/{level}/")?,
            None => f.write_str("tile/entries/")?,
        }
        // Three digits at a time, so that no folder has more than a thousand of a kind.
        let groups = std::iter::successors(Some(self.index), |n| (*n >= 1000).then_some(n / 1000))
            .map(|n| n % 1000)
            .collect::<Vec<_>>();
        for group in groups[1..].iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_partial() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for TilePath {
    type Err = LogError;

    /// One tile has one path: [`LogError::Malformed`] for leading zeros, missing groups and the like.
    fn from_str(text: &str) -> Result<Self, LogError> {
        let malformed = LogError::Malformed("not the path of a tile");
        if text.len() > Self::MAX_LEN {
            return Err(LogError::TooLong);
        }
        let rest = text.strip_prefix("tile/").ok_or(malformed)?;
        let (level, rest) = rest.split_once('/').ok_or(malformed)?;
        let level = match level {
            "entries" => None,
            level => Some(level.parse().map_err(|_| malformed)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().map_err(|_| malformed)?),
            None => (rest, WIDTH),
        };
        let index = index.split('/').try_fold(0_u64, |index, group| {
            let group = group.strip_prefix('x').unwrap_or(group);
            let group: u64 = group.parse().map_err(|_| malformed)?;
            index
                .checked_mul(1000)
                .and_then(|index| index.checked_add(group))
                .ok_or(malformed)
        })?;
        let path = Self {
            level,
            index,
            width,
        }
        .checked()?;
        // What prints otherwise was written otherwise: "+1", "x1", "1/x002", ".p/256".
        if path.to_string() == text {
            Ok(path)
        } else {
            Err(malformed)
        }
    }
}

#[cfg(test)]
mod tests;
