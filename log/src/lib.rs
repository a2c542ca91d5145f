//! The transparency log: entries, tiles, proofs and checkpoints, without I/O.
