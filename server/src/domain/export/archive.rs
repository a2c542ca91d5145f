//! The ZIP, written to somebody who reads it at their own pace.

use std::io::{self, Write};

use blindprint_consent::Language;
use serde_json::Value;
use tokio::sync::mpsc;
use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{Content, SCHEMA, page};
use crate::Error;

/// Bytes that are collected before they are handed over.
const PIECE: usize = 64 * 1024;

/// An archive under way.
pub(super) struct Archive(ZipWriter<StreamWriter<Outlet>>);

/// Which part of a history comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Verdicts, oldest first.
    Verdicts,
    /// Entries of the transparency log, oldest first, with salts.
    LogEntries,
}

/// The history, one page after the other.
pub(super) struct History {
    /// Which part.
    pub part: Part,
    /// Lines of this page.
    pub lines: Vec<Value>,
    /// Where the next one begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cursor {
    /// At the beginning.
    Start,
    /// After this verdict.
    Verdict(blindprint_core::UnixTime, blindprint_core::Nonce),
    /// At this entry or later.
    Entry(u64),
}

impl Archive {
    pub(super) fn new(to: mpsc::Sender<io::Result<Vec<u8>>>) -> Self {
        let outlet = Outlet {
            to,
            waiting: Vec::with_capacity(PIECE),
        };
        Self(ZipWriter::new_stream(outlet))
    }

    /// Writes everything; `page` reads a page of a history that may be long.
    pub(super) fn write(
        mut self,
        content: &Content,
        language: Language,
        page: impl Fn(&mut History) -> crate::Result<()>,
    ) -> io::Result<()> {
        self.file("README.txt", page::readme(language).as_bytes())?;
        self.file("index.html", page::render(content, language)?.as_bytes())?;
        let json = serde_json::to_vec_pretty(&content.export)?;
        self.file("export.json", &json)?;
        self.file("export.schema.json", SCHEMA.as_bytes())?;
        for (name, bytes) in &content.files {
            self.file(name, bytes)?;
        }
        self.history("verdicts.jsonl", Part::Verdicts, &page)?;
        self.history("log.jsonl", Part::LogEntries, &page)?;
        let mut outlet = self.0.finish()?.into_inner();
        outlet.hand_over()
    }

    fn history(
        &mut self,
        name: &str,
        part: Part,
        page: &impl Fn(&mut History) -> crate::Result<()>,
    ) -> io::Result<()> {
        self.begin(name)?;
        let mut history = History {
            part,
            lines: Vec::new(),
            next: Some(Cursor::Start),
        };
        while history.next.is_some() {
            page(&mut history).map_err(unread)?;
            for line in history.lines.drain(..) {
                serde_json::to_writer(&mut self.0, &line)?;
                self.0.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.begin(name)?;
        self.0.write_all(bytes)
    }

    fn begin(&mut self, name: &str) -> io::Result<()> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        Ok(self.0.start_file(name, options)?)
    }
}

fn unread(error: Error) -> io::Error {
    io::Error::other(error)
}

/// Hands bytes over in pieces, and waits while nobody takes them.
struct Outlet {
    to: mpsc::Sender<io::Result<Vec<u8>>>,
    waiting: Vec<u8>,
}

impl Outlet {
    fn hand_over(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE));
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.to.blocking_send(Ok(piece)).map_err(gone)
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.hand_over()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
