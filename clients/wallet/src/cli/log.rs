use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use blindprint_log::WitnessVerifier;
use blindprint_wallet::{Error, LogReport, ProvenReceipt};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Outcome, Place, Result, output::when};

/// Largest receipt read, in bytes.
const RECEIPT_LIMIT: u64 = 1 << 20;

/// Look into the service's transparency log
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Verify the log: that it only grows, and that it holds everything that happened to you
    Verify(Verify),
    /// Print the two checkpoints by which the log contradicts itself, if it ever did
    Evidence,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// Read every entry, not only yours
    #[arg(long, conflicts_with = "receipt")]
    full: bool,
    /// A witness that must have countersigned, by its key (name+id+key); can be given several times
    #[arg(long = "witness", value_name = "KEY")]
    witnesses: Vec<WitnessVerifier>,
    /// Verify this receipt or certificate instead, without a network
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

pub(super) async fn run(place: &Place, command: Command) -> Result {
    match command {
        Command::Verify(Verify {
            receipt: Some(file),
            witnesses,
            ..
        }) => {
            let receipt = read(&file)?;
            let proven = place.open()?.verify_receipt(&receipt, &witnesses)?;
            Ok(Outcome::new(told(&proven), json!({ "receipt": proven })))
        }
        Command::Verify(Verify {
            full, witnesses, ..
        }) => {
            let mut wallet = super::open(place).await?;
            let report = wallet.verify_log(full, &witnesses).await?;
            Ok(Outcome::new(table(&report), json!({ "log": report })))
        }
        Command::Evidence => {
            let wallet = place.open()?;
            Ok(match wallet.log_evidence() {
                Some((believed, other)) => Outcome::new(
                    format!("{believed}\n{other}"),
                    json!({ "believed": believed, "other": other }),
                ),
                None => Outcome::new(
                    "The log has not contradicted itself before this wallet.\n",
                    json!({ "believed": null, "other": null }),
                ),
            })
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let failed = |source| Error::File {
        path: file.to_owned(),
        source,
    };
    if std::fs::metadata(file).map_err(failed)?.len() > RECEIPT_LIMIT {
        return Err(Error::Invalid(format!("{} is no receipt", file.display())));
    }
    std::fs::read(file).map_err(failed)
}

fn table(report: &LogReport) -> String {
    let mut text = format!("Log {}: {} entries\n", report.origin, report.size);
    if let Some(before) = report.extends {
        let _ = writeln!(
            text,
            "It extends the {before} entries that it had at the last look."
        );
    }
    for (witness, at) in &report.witnessed {
        let _ = writeln!(text, "Countersigned by {witness} at {}", when(*at));
    }
    if let Some(kinds) = &report.read {
        let read: u64 = kinds.values().sum();
        let _ = writeln!(
            text,
            "Read {read} new entries: they are what the checkpoint covers."
        );
        for (kind, number) in kinds {
            let _ = writeln!(text, "  {number:>8}  {kind}");
        }
    }
    let _ = writeln!(text, "\nYours, each shown to be in the log:");
    for event in &report.own {
        let _ = writeln!(
            text,
            "  {:>8}  {}  {:<20}  {}",
            event.index,
            when(event.at),
            event.kind,
            event.what
        );
    }
    if report.own.is_empty() {
        text.push_str("  nothing\n");
    }
    text
}

fn told(proven: &ProvenReceipt) -> String {
    let mut text = format!(
        "Genuine: entry {} of {} in {}, {}, logged {}\n",
        proven.index,
        proven.size,
        proven.origin,
        proven.kind,
        when(proven.at)
    );
    if let Some(erased) = &proven.erased {
        let _ = writeln!(
            text,
            "Erased at {}: {} enrolments; {} keys destroyed, without which backups stay unreadable; \
             {} relying parties are told.",
            when(erased.erased),
            erased.enrolments.len(),
            erased.data_keys_destroyed,
            erased.notified
        );
    }
    text
}
