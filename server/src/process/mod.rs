//! The processes that the service stands on: found, measured, started, watched, stopped.

mod binary;
mod launch;
mod supervisor;

use tokio::process::Command;

pub use binary::Binary;
pub use launch::{ARGUMENT, become_child};
pub use supervisor::{Spec, Supervisor};

/// What a child inherits of the environment: how to find libraries and how to fail. The
/// configuration, which may hold secrets, is not among it.
const INHERITED: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "RUST_BACKTRACE"];

fn with_little_environment(command: &mut Command) -> &mut Command {
    let inherited = INHERITED.iter().filter_map(|&name| {
        let value = std::env::var_os(name)?;
        Some((name, value))
    });
    command.env_clear().envs(inherited)
}
