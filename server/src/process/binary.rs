use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use blindprint_protocol::attestation::Measurement;
use tokio::process::Command;

use super::with_little_environment;
use crate::{Error, Result};

/// Hashing an executable takes well under a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// An executable that can be measured.
#[derive(Debug, Clone)]
pub struct Binary {
    path: PathBuf,
}

impl Binary {
    /// The configured file, or `name` beside this program.
    pub fn find(configured: Option<&Path>, name: &str) -> Result<Self> {
        let path = match configured {
            Some(path) => path.to_owned(),
            None => std::env::current_exe()
                .map_err(|error| Error::Setup(format!("where this program lies: {error}")))?
                .with_file_name(name),
        };
        if path.is_file() {
            return Ok(Self { path });
        }
        Err(Error::Setup(format!(
            "{}: no such program; build it, or name it in the configuration",
            path.display()
        )))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its attestation will say that it is.
    pub async fn measurement(&self) -> Result<Measurement> {
        let failed =
            |why: String| Error::Setup(format!("{} --measurement: {why}", self.path.display()));
        let run = with_little_environment(&mut Command::new(&self.path))
            .arg("--measurement")
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, run)
            .await
            .map_err(|_| failed("no answer".to_owned()))?
            .map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(output.status.to_string()));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim()
            .parse()
            .map_err(|_| failed("it did not print a measurement".to_owned()))
    }
}
