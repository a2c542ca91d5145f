use std::{sync::Mutex, time::Duration};

use blindprint_wallet::{Observer, Step};
use indicatif::{ProgressBar, ProgressStyle};

/// Progress on standard error; silent where that is no terminal.
pub(crate) struct Bars {
    current: Mutex<(Option<Step>, ProgressBar)>,
}

impl Bars {
    pub(crate) fn new() -> Self {
        Self {
            current: Mutex::new((None, ProgressBar::hidden())),
        }
    }

    /// Shows what is done outside the wallet's own steps.
    pub(crate) fn say(&self, message: &str) {
        let mut current = self
            .current
            .lock()
            .expect("no holder of this lock can panic");
        current.1.finish_and_clear();
        *current = (None, spinner(message));
    }
}

impl Observer for Bars {
    fn step(&self, step: Step) {
        let mut current = self
            .current
            .lock()
            .expect("no holder of this lock can panic");
        if let (Some(Step::Download { part: old, .. }), Step::Download { part, done, total }) =
            (current.0, step)
            && old == part
        {
            current.1.set_length(total.unwrap_or(done));
            current.1.set_position(done);
            return;
        }
        current.1.finish_and_clear();
        let bar = match step {
            Step::Attest => spinner("asking the service to prove what it is"),
            Step::Download { part, total, .. } => download(part, total),
            Step::Encode => spinner("encoding under your key"),
            Step::Prove => spinner("encrypting and proving"),
            Step::Upload => spinner("uploading and waiting for the answer"),
            _ => ProgressBar::hidden(),
        };
        *current = (Some(step), bar);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        if let Ok(current) = self.current.get_mut() {
            current.1.finish_and_clear();
        }
    }
}

fn spinner(message: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn download(part: &str, total: Option<u64>) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {eta}")
        .expect("the template is a constant that parses");
    ProgressBar::new(total.unwrap_or(0))
        .with_style(style)
        .with_message(format!("fetching {part}"))
}
