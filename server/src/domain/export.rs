//! What a subject gets who asks what is kept (GDPR articles 15 and 20): a ZIP of files for programs, and one
//! page for people. It is made while it is read, in pieces, so that a long history takes no more memory
//! than a short one, and nothing of it is kept.

mod archive;
mod content;
mod page;

use std::{io, sync::Arc};

use blindprint_consent::Language;
use blindprint_core::{SubjectId, problem::ProblemCode};
use tokio::sync::mpsc;

use super::rights::{Case, Rights};
use crate::{Error, Result};
use archive::Archive;
pub use content::Content;

/// The media type of an export.
pub const MEDIA_TYPE: &str = "application/zip";
/// What describes `export.json`.
pub const SCHEMA: &str = include_str!("export/schema.json");
/// Pieces that may wait to be read.
const PIECES: usize = 8;
/// Verdicts and log entries that are read at once.
const PAGE: u32 = 500;

/// An archive that is being made, in pieces. It ends with an error if something could not be read.
pub type Pieces = mpsc::Receiver<io::Result<Vec<u8>>>;

impl Rights {
    /// The export that a fulfilled request for access or portability gives, as of now.
    pub async fn export(self: Arc<Self>, case: &Case, language: Language) -> Result<Pieces> {
        let subject = case.subject.clone().filter(|_| case.is_exportable());
        let subject = subject.ok_or(Error::Refused(ProblemCode::NotFound))?;
        self.export_of(subject, language).await
    }

    /// The same for an officer who answers by other means. The officer's act is for the caller to log.
    pub async fn export_of(
        self: Arc<Self>,
        subject: SubjectId,
        language: Language,
    ) -> Result<Pieces> {
        let content = self.gather(&subject).await?;
        let (pieces, reader) = mpsc::channel(PIECES);
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let archive = Archive::new(pieces.clone());
            let written = archive.write(&content, language, |history| {
                runtime.block_on(self.append_history(&subject, history))
            });
            if let Err(error) = written {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an export was cut off"
                );
                let _ = pieces.blocking_send(Err(error));
            }
        });
        Ok(reader)
    }
}
