//! The whole service under what must not hurt it: kills, a full disk, everything at once.

#![allow(clippy::unwrap_used, reason = "tests")]

mod at_once;
mod consent;
mod full_disk;
mod kills;
mod log;
mod outdated;
mod quorum;
mod remains;
mod rights;
