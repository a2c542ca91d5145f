use std::{fmt, path::PathBuf};

use blindprint_core::UnixTime;
use blindprint_log::{LogError, LogVerifier, SignedCheckpoint, TreeHash, WitnessVerifier};
use blindprint_reader::LogReader;
use serde::Serialize;
use url::Url;

/// What one place showed.
#[derive(Clone)]
pub(super) struct Vantage {
    pub(super) url: Url,
    pub(super) reader: LogReader,
    pub(super) head: SignedCheckpoint,
}

/// A signed checkpoint and where it was seen.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Seen {
    /// `None` for what was remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Url>,
    note: String,
}

impl Seen {
    pub(super) const fn before(note: String) -> Self {
        Self { url: None, note }
    }
}

impl From<&Vantage> for Seen {
    fn from(vantage: &Vantage) -> Self {
        Self {
            url: Some(vantage.url.clone()),
            note: vantage.head.to_string(),
        }
    }
}

/// What is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    /// No answer, or none of HTTP's successes.
    Unreachable,
    /// A demanded witness has not cosigned, or not lately.
    Uncosigned,
    /// What is shown is no checkpoint of this log.
    Unsigned,
    /// Fewer entries than before.
    Truncated,
    /// Two histories, both signed: shown to different observers, or one after the other.
    Forked,
    /// The entries are not those under the checkpoint: changed, left out or in another order.
    Altered,
}

/// A fault, where, and what proves it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Finding {
    pub(crate) fault: Fault,
    url: Url,
    why: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seen: Vec<Seen>,
}

impl Finding {
    fn new(fault: Fault, url: &Url, why: String) -> Self {
        Self {
            fault,
            url: url.clone(),
            why,
            seen: Vec::new(),
        }
    }

    pub(super) fn unreachable(url: &Url, why: String) -> Self {
        Self::new(Fault::Unreachable, url, why)
    }

    pub(super) fn unsigned(url: &Url, why: String) -> Self {
        Self::new(Fault::Unsigned, url, why)
    }

    pub(super) fn uncosigned(url: &Url, witness: &WitnessVerifier, why: &str) -> Self {
        Self::new(Fault::Uncosigned, url, format!("{}: {why}", witness.name()))
    }

    pub(super) fn misbehaviour(error: LogError, url: &Url, seen: Vec<Seen>) -> Self {
        let fault = match error {
            LogError::Truncated => Fault::Truncated,
            LogError::Forked => Fault::Forked,
            _ => Fault::Altered,
        };
        Self {
            seen,
            ..Self::new(fault, url, error.to_string())
        }
    }
}

/// One look at a log.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    at: UnixTime,
    log: LogVerifier,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) root: Option<TreeHash>,
    pub(crate) findings: Vec<Finding>,
    /// Where this report is kept, if it convicts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<PathBuf>,
}

impl Report {
    pub(super) const fn new(at: UnixTime, log: LogVerifier, findings: Vec<Finding>) -> Self {
        Self {
            at,
            log,
            size: None,
            root: None,
            findings,
            evidence: None,
        }
    }

    /// Whether the log did what no log may do.
    pub(crate) fn misbehaves(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| !matches!(finding.fault, Fault::Unreachable | Fault::Uncosigned))
    }

    pub(super) fn file_name(&self) -> String {
        format!("evidence-{}.json", self.at.0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match (self.misbehaves(), self.findings.is_empty()) {
            (true, _) => "MISBEHAVES",
            (false, false) => "incomplete",
            (false, true) => "good",
        };
        write!(f, "{}: {outcome}", self.log.name())?;
        if let (Some(size), Some(root)) = (self.size, self.root) {
            write!(f, ", {size} entries, root {root}")?;
        }
        for Finding {
            fault,
            url,
            why,
            seen,
        } in &self.findings
        {
            write!(f, "\n  {fault:?} at {url}: {why}")?;
            for Seen { url, note } in seen {
                match url {
                    Some(url) => write!(f, "\n  shown at {url}:")?,
                    None => write!(f, "\n  shown before:")?,
                }
                for line in note.lines() {
                    write!(f, "\n    {line}")?;
                }
            }
        }
        if let Some(evidence) = &self.evidence {
            write!(f, "\n  kept in {}", evidence.display())?;
        }
        Ok(())
    }
}
