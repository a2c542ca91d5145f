//! Other people's software against Blindprint's: `tests/interop` holds theirs, as npm packages.
#![allow(clippy::unwrap_used, reason = "tests")]

mod host;
mod issuer;
mod machine;

mod anchor;
mod chain;
mod credentials;
mod lists;
mod logs;
mod others;
mod person;
mod records;
mod strangers;
mod tokens;
mod wallets;

pub use blindprint_tests::{Answer, Node, Running};
pub use host::Host;
pub use issuer::Issuer;
pub use machine::{Machine, Reply, get};
