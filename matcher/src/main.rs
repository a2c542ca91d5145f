//! `blindprint-matcher`: the matcher's process.

use std::{
    io::{self, IsTerminal as _, Write as _},
    panic,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    thread,
};

use blindprint_core::{SystemClock, SystemEntropy};
use blindprint_matcher::process::{Config, ProcessError, Stop, run};
use blindprint_nsm::measure_executable;
use blindprint_protocol::attestation::Measurement;
use clap::Parser;
use rustix::{fs::Mode, process::umask};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

/// Compares encrypted probes with encrypted templates, without any secret.
#[derive(Parser)]
#[command(
    version,
    after_help = "With --measurement alone: prints this executable's own measurement."
)]
struct Arguments {
    /// Unix socket of the enclave.
    #[arg(long, value_name = "PATH")]
    enclave_socket: PathBuf,
    /// Unix socket to serve. It appears once the enclave has admitted this matcher.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Folder of the simulated attestation root.
    #[arg(long, value_name = "DIR")]
    simulated_root: PathBuf,
    /// Measurement (PCR0 in hexadecimal) of an enclave to serve. May be repeated.
    #[arg(long, value_name = "PCR0", required = true)]
    accept_enclave: Vec<Measurement>,
    /// Evaluations at once [default: as many as there are cores].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Most requests that wait for a worker.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    queue: u16,
}

fn main() -> ExitCode {
    // The socket is its user's alone.
    umask(Mode::RWXG | Mode::RWXO);
    // Alone, this flag needs none of the arguments that clap requires of everything else.
    let done = if std::env::args_os().skip(1).eq(["--measurement"]) {
        print_measurement()
    } else {
        start(Arguments::parse())
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "blindprint-matcher: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_measurement() -> Result<(), ProcessError> {
    let measurement = measure_executable()?;
    writeln!(io::stdout(), "{measurement}").map_err(|source| ProcessError::Io {
        path: "standard output".into(),
        source,
    })
}

fn start(arguments: Arguments) -> Result<(), ProcessError> {
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
    let stop = Stop::default();
    stop_when_told(&stop)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let config = Config {
        enclave_socket: arguments.enclave_socket,
        socket: arguments.socket,
        simulated_root: arguments.simulated_root,
        accepted_enclaves: arguments.accept_enclave,
        workers: arguments.workers.map_or(cores, usize::from),
        queue: arguments.queue.into(),
    };
    run(
        &config,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        &stop,
    )?;
    tracing::info!("stopped");
    Ok(())
}

/// Ends the process on SIGTERM or SIGINT, once what waits is answered.
fn stop_when_told(stop: &Stop) -> Result<(), ProcessError> {
    let failed = |source| ProcessError::Io {
        path: "signals".into(),
        source,
    };
    let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(failed)?;
    let stop = stop.clone();
    thread::spawn(move || {
        for _ in signals.forever() {
            stop.stop();
        }
    });
    Ok(())
}
