//! The readable report on standard output.

use std::io::{self, StdoutLock, Write as _};

use crate::error::Result;

/// Prints lines under titles.
pub struct Printer(StdoutLock<'static>);

impl Printer {
    /// On standard output.
    pub fn stdout() -> Self {
        Self(io::stdout().lock())
    }

    /// Starts a section.
    pub fn title(&mut self, title: impl AsRef<str>) -> Result<()> {
        let title = title.as_ref();
        Ok(writeln!(
            self.0,
            "\n{title}\n{}",
            "─".repeat(title.chars().count())
        )?)
    }

    /// One line.
    pub fn line(&mut self, line: impl AsRef<str>) -> Result<()> {
        Ok(writeln!(self.0, "{}", line.as_ref())?)
    }
}
