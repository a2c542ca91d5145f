//! `blindprint-enclave`: the enclave's process.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    panic,
    path::PathBuf,
    process::{self, ExitCode},
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use blindprint_core::{ServiceId, SystemClock, SystemEntropy};
use blindprint_enclave::{Config, Enclave, EnclaveError, UnixSocket, serve};
use blindprint_keys::Stage;
use blindprint_log::{LogVerifier, WitnessVerifier};
use blindprint_nsm::measure_executable;
use blindprint_protocol::{
    attestation::Measurement,
    policy::{LogTerms, MAX_MATCHERS},
};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use rustix::{
    fs::Mode,
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, getrlimit, set_dumpable_behavior, umask},
};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

/// Holds the keys, keeps the registry sealed, opens verdicts.
#[derive(Parser)]
#[command(
    version,
    after_help = "With --measurement alone: prints this executable's own measurement."
)]
struct Arguments {
    /// Folder for the sealed state and the public material.
    #[arg(long)]
    data: PathBuf,
    /// Unix socket to serve. It appears when the enclave is ready.
    #[arg(long)]
    socket: PathBuf,
    /// Folder of the simulated hardware: attestation root and sealing key.
    #[arg(long, value_name = "DIR")]
    simulated_root: PathBuf,
    /// Origin of the service, which statements must be addressed to.
    #[arg(long, value_name = "ORIGIN")]
    service: ServiceId,
    /// Matchers that must agree on a verdict.
    #[arg(long, default_value_t = 1, value_parser = matchers)]
    matchers: usize,
    /// Evaluates every probe here too, and wants the same verdict.
    #[arg(long)]
    recompute: bool,
    /// Measurement (PCR0 in hexadecimal) of a matcher that may be admitted. May be repeated.
    #[arg(long, value_name = "PCR0")]
    accept_matcher: Vec<Measurement>,
    /// Key (C2SP vkey) of the transparency log to read.
    #[arg(long, value_name = "VKEY")]
    log: Option<LogVerifier>,
    /// Key (C2SP vkey) of the witness that must have cosigned the log: the enclave serves only while it
    /// has lately seen it.
    #[arg(long, value_name = "VKEY", requires = "log")]
    witness: Option<WitnessVerifier>,
    /// Seconds for which it serves after it asked for the log.
    #[arg(long, value_name = "SECONDS", default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(4..=86_400))]
    witness_period: u32,
    /// Begins with the sealed state that is there although the hardware has seen later ones, and
    /// serves nothing before it has replayed the log.
    #[arg(long, requires = "log")]
    restore: bool,
    /// File of the simulated monotonic counter [default: nvram in the simulated root].
    #[arg(long, value_name = "FILE")]
    nvram: Option<PathBuf>,
}

fn matchers(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=MAX_MATCHERS).contains(number))
        .ok_or_else(|| format!("a number from 1 to {MAX_MATCHERS}"))
}

fn main() -> ExitCode {
    // Sealed files, the socket and whatever else this process makes are its user's alone.
    umask(Mode::RWXG | Mode::RWXO);
    // Alone, this flag needs none of the arguments that clap requires of everything else.
    let done = if std::env::args_os().skip(1).eq(["--measurement"]) {
        print_measurement()
    } else {
        run(Arguments::parse())
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "blindprint-enclave: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_measurement() -> Result<(), EnclaveError> {
    let measurement = measure_executable()?;
    writeln!(io::stdout(), "{measurement}").map_err(|source| EnclaveError::Io {
        path: "standard output".into(),
        source,
    })
}

fn run(arguments: Arguments) -> Result<(), EnclaveError> {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_max_level(tracing::Level::INFO)
        .init();
    // A panic's message may quote what it was about; its place never does.
    panic::set_hook(Box::new(|panic| {
        tracing::error!(
            place = panic.location().map(tracing::field::display),
            "panic"
        );
    }));
    keep_memory_private();
    let running = Arc::new(OnceLock::new());
    stop_when_told(&running)?;

    let nvram = arguments
        .nvram
        .unwrap_or_else(|| arguments.simulated_root.join("nvram"));
    let config = Config {
        data: arguments.data,
        hardware: arguments.simulated_root,
        nvram,
        service: arguments.service,
        matchers: arguments.matchers,
        accepted_matchers: arguments.accept_matcher,
        recompute: arguments.recompute,
        log: arguments.log.map(|log| LogTerms {
            log,
            witness: arguments.witness,
            period: arguments.witness_period,
        }),
        restore: arguments.restore,
    };
    let progress = Progress::new();
    let enclave = Enclave::start(
        &config,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        &|stage| progress.show(stage),
    )?;
    progress.finish();
    let enclave = Arc::new(enclave);
    let socket = UnixSocket::bind(&arguments.socket)?;
    // Only this thread sets it, and only here.
    let _ = running.set((Arc::clone(&enclave), socket.path().to_owned()));
    tracing::info!(socket = %socket.path().display(), "serving");
    serve(&enclave, &socket)
}

/// Ends the process on SIGTERM or SIGINT, between two writes.
fn stop_when_told(running: &Arc<OnceLock<(Arc<Enclave>, PathBuf)>>) -> Result<(), EnclaveError> {
    let failed = |source| EnclaveError::Io {
        path: "signals".into(),
        source,
    };
    let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(failed)?;
    let running = Arc::clone(running);
    thread::spawn(move || {
        if signals.forever().next().is_none() {
            return;
        }
        let running = running.get();
        let _between_writes = running.map(|(enclave, _)| enclave.stop());
        if let Some((_, socket)) = running {
            // If it is gone already, so be it.
            let _ = fs::remove_file(socket);
        }
        tracing::info!("stopped");
        process::exit(0);
    });
    Ok(())
}

/// Keeps keys out of core dumps, other processes' reach and, where the limit on locked memory
/// allows, swap. Where the system refuses, the enclave serves nevertheless: this is a simulation.
fn keep_memory_private() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "memory may be dumped");
    }
    // A limit that is reached later would make allocations fail.
    if getrlimit(Resource::Memlock).current.is_none()
        && let Err(error) = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE)
    {
        tracing::warn!(%error, "memory may be swapped");
    }
}

/// The stages of key generation: a bar on a terminal, lines elsewhere.
struct Progress(Option<ProgressBar>);

impl Progress {
    fn new() -> Self {
        Self(io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{spinner} generating keys {bar:20} {pos}/{len} {msg} {elapsed}",
            );
            let stages = u64::try_from(Stage::ALL.len()).unwrap_or_default();
            let bar = ProgressBar::new(stages)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        }))
    }

    fn show(&self, stage: Stage) {
        let done = Stage::ALL
            .iter()
            .position(|other| *other == stage)
            .unwrap_or_default();
        if let Some(bar) = &self.0 {
            bar.set_position(u64::try_from(done).unwrap_or_default());
            bar.set_message(stage.to_string());
        } else {
            tracing::info!(
                "generating keys, {} of {}: {stage}",
                done + 1,
                Stage::ALL.len()
            );
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
