//! The live table: finished rows stay, rows at work move below them. Plain lines where the output
//! is no terminal.

use std::{io::IsTerminal as _, sync::Mutex, time::Duration};

use blindprint_wallet::{Observer, Stages, Step};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::say;

/// What a row shows once its work is done.
pub(crate) struct Row<'a> {
    /// Whose wallet.
    pub(crate) person: &'a str,
    /// Which capture.
    pub(crate) capture: &'a str,
    /// The Hamming distance in clear, known to the wallet alone.
    pub(crate) distance: Option<u16>,
    /// `enrolled`, `match`, `no match`.
    pub(crate) outcome: &'a str,
    /// How long the wallet's stages took, and the service's answer.
    pub(crate) stages: Stages,
}

/// Where rows are written.
pub(crate) struct Table {
    live: Option<MultiProgress>,
}

/// A row at work.
pub(crate) struct Working {
    label: String,
    bar: Option<ProgressBar>,
    last: Mutex<Option<Step>>,
}

impl Table {
    pub(crate) fn new() -> Self {
        let live = std::io::stdout()
            .is_terminal()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        let table = Self { live };
        table.line(&format!(
            "{:<8} {:<10} {:>8}  {:<9} {:>9} {:>8} {:>9} {:>9}",
            "person", "capture", "HD clear", "verdict", "encode", "prove", "service", "total"
        ));
        table
    }

    /// A row whose work begins.
    pub(crate) fn start(&self, person: &str, capture: &str) -> Working {
        let label = format!("{person:<8} {capture:<10}");
        let bar = self.live.as_ref().map(|live| {
            let style = ProgressStyle::with_template("{spinner} {msg}")
                .expect("the template is a constant that parses");
            let bar = live.add(
                ProgressBar::new_spinner()
                    .with_style(style)
                    .with_message(label.clone()),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Working {
            label,
            bar,
            last: Mutex::new(None),
        }
    }

    /// Its work is done.
    pub(crate) fn done(&self, working: Working, row: &Row<'_>) {
        drop(working);
        self.line(&text(row));
    }

    fn line(&self, words: &str) {
        match &self.live {
            // A terminal that has gone away wants no more.
            Some(live) => drop(live.println(words)),
            None => say(words),
        }
    }
}

impl Observer for Working {
    fn step(&self, step: Step) {
        let what = match step {
            Step::Attest => "checking the attestation",
            Step::Download { .. } => "fetching public key and CRS",
            Step::Encode => "encoding",
            Step::Prove => "encrypting and proving",
            Step::Upload => "uploading, verifying, comparing",
            _ => return,
        };
        let mut last = self.last.lock().expect("no holder of this lock can panic");
        if *last != Some(step)
            && let Some(bar) = &self.bar
        {
            bar.set_message(format!("{} {what}", self.label));
        }
        *last = Some(step);
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn text(row: &Row<'_>) -> String {
    let Stages {
        encode,
        prove,
        service,
    } = row.stages;
    let distance = row
        .distance
        .map_or_else(|| "-".to_owned(), |distance| distance.to_string());
    format!(
        "{:<8} {:<10} {distance:>8}  {:<9} {:>6.1} ms {:>6.2} s {:>7.2} s {:>7.2} s",
        row.person,
        row.capture,
        row.outcome,
        milliseconds(encode),
        prove.as_secs_f64(),
        service.as_secs_f64(),
        (encode + prove + service).as_secs_f64()
    )
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
