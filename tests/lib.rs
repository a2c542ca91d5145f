//! What the tests across crates share: the real service, started as an operator would, and people
//! with wallets. For tests alone: whatever fails panics.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "tests"
)]

mod disk;
mod holder;
mod node;
mod people;
mod service;

use std::{env, path::PathBuf};

pub use disk::SmallDisk;
pub use holder::{Holder, Said};
pub use node::{Answer, Node, Running};
pub use people::{Person, capture, insist};
pub use service::{Process, Service};

/// A program of this workspace.
pub fn program(name: &str) -> PathBuf {
    // The test itself is in `deps` beside them.
    let path = env::current_exe()
        .unwrap()
        .ancestors()
        .nth(2)
        .unwrap()
        .join(name);
    assert!(
        path.is_file(),
        "{} is missing: `cargo build --workspace` first",
        path.display()
    );
    path
}

/// Waits for `future` on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
