use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use blindprint_core::UnixTime;
use blindprint_wallet::Error;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::Result;

/// What a command says at its end.
pub(crate) struct Outcome {
    /// For people.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: Value,
    /// Whether the person was not recognised.
    pub(crate) no_match: bool,
}

impl Outcome {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            no_match: false,
        }
    }
}

pub(crate) fn print(outcome: Result, json: bool) -> ExitCode {
    let (text, code) = match outcome {
        Ok(outcome) => {
            let text = if json {
                format!("{}\n", outcome.json)
            } else {
                outcome.text
            };
            (text, ExitCode::from(if outcome.no_match { 3 } else { 0 }))
        }
        Err(error) => {
            eprintln!("blindprint-wallet: {error}");
            let text = if json {
                format!(
                    "{}\n",
                    json!({ "error": error.kind(), "message": error.to_string() })
                )
            } else {
                String::new()
            };
            (
                text,
                ExitCode::from(if matches!(error, Error::Invalid(_)) {
                    2
                } else {
                    1
                }),
            )
        }
    };
    // A reader that has gone away wants no more output.
    let _ = io::stdout().lock().write_all(text.as_bytes());
    code
}

/// A time for people, in UTC.
pub(crate) fn when(time: UnixTime) -> String {
    OffsetDateTime::from_unix_timestamp(time.0)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| time.0.to_string())
}

/// Whether there is somebody to ask.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks yes or no on the terminal; `None` without one.
pub(crate) fn confirm(question: &str) -> Option<bool> {
    if !is_interactive() {
        return None;
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim(), "y" | "Y" | "yes"))
}
