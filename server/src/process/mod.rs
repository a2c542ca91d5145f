//! The processes that the service stands on: found, measured, started, watched, stopped.

mod binary;
mod launch;
mod supervisor;

pub use binary::Binary;
pub use launch::{ARGUMENT, become_child};
pub use supervisor::{Spec, Supervisor};
