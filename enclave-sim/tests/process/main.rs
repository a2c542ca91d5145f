//! The real process over a real socket: what it answers, and what it survives.
#![allow(clippy::unwrap_used, reason = "tests")]

mod crashes;
mod flows;
mod host;
mod recompute;
mod tampering;
mod witness;
