//! Other people's software against Blindprint's: `tests/interop` holds theirs, as npm packages.
#![allow(clippy::unwrap_used, reason = "tests")]

mod host;
mod issuer;
mod node;

mod chain;
mod credentials;
mod lists;
mod logs;
mod others;
mod tokens;

pub use host::Host;
pub use issuer::Issuer;
pub use node::{Answer, Node, Running};
