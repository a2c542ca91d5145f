//! Reads a transparency log over HTTP (C2SP tlog-tiles): its checkpoints, and every entry under them.
//! Witnesses' monitors and whoever anchors checkpoints are readers.
//!
//! ```no_run
//! # async fn example(key: blindprint_log::LogVerifier) -> Result<(), blindprint_reader::ReadError> {
//! use blindprint_log::{Audit, Frontier};
//! use blindprint_reader::{LogReader, egress_to};
//!
//! let base = "https://example.org/log".parse().expect("a URL");
//! let reader = LogReader::new(egress_to([&base], None)?, base, key);
//! let head = reader.checkpoint().await?;
//! let audit = Audit::begin(Frontier::default(), &[], head.checkpoint())?;
//! let frontier = reader.read(audit, &mut |_| ()).await?;
//! assert_eq!(frontier.size(), head.checkpoint().size());
//! # Ok(()) }
//! ```
//!
//! It must never give away a checkpoint whose signature it has not verified, nor call entries read
//! that the checkpoint does not cover.

use std::str;

use blindprint_egress::{Allowed, Config, Egress, EgressError, Request};
use blindprint_log::{Audit, CheckpointNote, Frontier, LogError, LogVerifier, SignedCheckpoint};
use url::Url;

/// Longest bundle in bytes: 256 entries of at most 64 KiB would be more, but none here is above 4 KiB.
const MAX_BUNDLE: usize = 2 << 20;

/// Why a log was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Try again later, unless the address is wrong.
    #[error(transparent)]
    Fetch(#[from] EgressError),
    /// What was fetched is not what the log should show.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A log at one address.
#[derive(Clone)]
pub struct LogReader {
    egress: Egress,
    base: Url,
    key: LogVerifier,
}

/// An egress that may reach these addresses wherever they lead, because an operator named them, and
/// that trusts the certificates in `ca` (PEM) beside the system's.
pub fn egress_to<'a>(
    addresses: impl IntoIterator<Item = &'a Url>,
    ca: Option<Vec<u8>>,
) -> Result<Egress, EgressError> {
    let allow = addresses.into_iter().filter_map(|url| {
        Some(Allowed::Host {
            host: url.host_str()?.trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default()?,
        })
    });
    Egress::new(&Config {
        allow: allow.collect(),
        ca_bundle: ca,
        max_body: MAX_BUNDLE,
        ..Config::default()
    })
}

impl LogReader {
    /// The log with this key, at `base`: `base` with `/checkpoint` behind it is where its checkpoint is.
    pub const fn new(egress: Egress, base: Url, key: LogVerifier) -> Self {
        Self { egress, base, key }
    }

    /// Where it is read.
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// The key that its checkpoints are verified with.
    pub const fn key(&self) -> &LogVerifier {
        &self.key
    }

    /// The checkpoint that is shown now, signed by the log.
    pub async fn checkpoint(&self) -> Result<SignedCheckpoint, ReadError> {
        let note = self
            .fetch("checkpoint", CheckpointNote::MAX_LEN, "text/plain")
            .await?;
        let note: CheckpointNote = str::from_utf8(&note)
            .map_err(|_| LogError::Malformed("a checkpoint is text"))?
            .parse()?;
        Ok(note.verify(&self.key)?)
    }

    /// Reads all entries that `audit` wants, and tells `progress` up to which index it has read.
    pub async fn read(
        &self,
        mut audit: Audit,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Frontier, ReadError> {
        while let Some(path) = audit.wants() {
            let bundle = self
                .fetch(&path.to_string(), MAX_BUNDLE, "application/octet-stream")
                .await?;
            audit.take(&bundle)?;
            progress(path.start() + u64::from(path.width()));
        }
        Ok(audit.finish()?)
    }

    async fn fetch(&self, path: &str, limit: usize, accept: &str) -> Result<Vec<u8>, EgressError> {
        let url = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let request = Request::get(url).accept(accept).limit(limit);
        Ok(self.egress.fetch(&request).await?.success()?.body)
    }
}
