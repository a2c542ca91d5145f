//! `blindprint-witness`: countersigns checkpoints of transparency logs, and compares what a log shows
//! to different observers.
//!
//! It must never cosign a checkpoint that does not extend the last one it cosigned, nor one that it
//! has not written to the disk.

mod error;
mod folder;
mod http;
mod key;
mod monitor;
mod witness;

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use blindprint_core::{SystemClock, SystemEntropy};
use blindprint_log::{LogVerifier, WitnessVerifier};
use blindprint_reader::{LogReader, ReadError, egress_to};
use clap::{Args, Parser, Subcommand};
pub(crate) use error::WitnessError;
use folder::Folder;
use monitor::{Monitor, Report};
use rustix::{
    fs::Mode,
    process::{DumpableBehavior, set_dumpable_behavior, umask},
};
use serde_json::json;
use url::Url;
use witness::Witness;

/// Countersigns checkpoints of transparency logs, and watches logs.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a witness's key, and prints its public half.
    Keygen(Keygen),
    /// Serves C2SP tlog-witness.
    Serve(Serve),
    /// Follows a log. Exit code 3: the log misbehaves; 4, with --once: something was missing.
    Monitor(Box<Watch>),
}

#[derive(Args)]
struct Keygen {
    /// File for the key, which must not exist yet.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The witness's name: an address of yours without the scheme.
    #[arg(long)]
    name: String,
}

#[derive(Args)]
struct Serve {
    /// The key, made by keygen.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Folder for what was cosigned. Never restore it from a backup.
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    /// Address to listen on, plain HTTP; port 0 chooses one.
    #[arg(long, default_value = "127.0.0.1:8085")]
    listen: SocketAddr,
    /// Verifier key of a log to cosign. May be repeated.
    #[arg(long, value_name = "VKEY", required = true)]
    log: Vec<LogVerifier>,
    /// Refuses to start without the memory of an earlier run.
    #[arg(long)]
    resume: bool,
}

#[derive(Args)]
struct Watch {
    /// The log's verifier key.
    #[arg(long, value_name = "VKEY")]
    log: LogVerifier,
    /// The log's address: the one that /checkpoint follows.
    #[arg(long)]
    url: Url,
    /// Another address of the same log, to compare. May be repeated.
    #[arg(long, value_name = "URL")]
    other: Vec<Url>,
    /// Verifier key of a witness that must have cosigned. May be repeated.
    #[arg(long, value_name = "VKEY")]
    witness: Vec<WitnessVerifier>,
    /// Seconds that a cosignature may be old; a log at rest need not ask for new ones [default: any].
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Folder for what was seen, and for evidence.
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Certificates (PEM) to trust beside the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Looks once, instead of again and again.
    #[arg(long)]
    once: bool,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    every: u64,
    /// Prints JSON, one line a look.
    #[arg(long)]
    json: bool,
}

/// The log misbehaves.
const MISBEHAVES: u8 = 3;
/// Something was missing.
const INCOMPLETE: u8 = 4;

#[tokio::main]
async fn main() -> ExitCode {
    // What a witness writes is its own alone.
    umask(Mode::RWXG | Mode::RWXO);
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_max_level(tracing::Level::INFO)
        .init();
    // Keys stay out of core dumps and other processes' reach.
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "memory may be dumped");
    }
    let done = match Arguments::parse().command {
        Command::Keygen(keygen) => generate(&keygen),
        Command::Serve(options) => serve(options).await,
        Command::Monitor(options) => watch(*options).await,
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "blindprint-witness: {error}");
        ExitCode::FAILURE
    })
}

fn generate(Keygen { key_file, name }: &Keygen) -> Result<ExitCode, WitnessError> {
    let key = key::generate(key_file, name, &SystemEntropy)?;
    print(&key.verifier().to_string())
}

async fn serve(options: Serve) -> Result<ExitCode, WitnessError> {
    let key = key::read(&options.key_file)?;
    let memory = Folder::claim(&options.state)?;
    let clock = Arc::new(SystemClock);
    let witness = Witness::start(key, options.log, memory, options.resume, clock)?;
    let listening =
        |error| WitnessError::Invalid(format!("listening on {}: {error}", options.listen));
    let listener = TcpListener::bind(options.listen).map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    // For scripts, which need the port and the key.
    print(&json!({ "url": format!("http://{address}"), "vkey": witness.verifier() }).to_string())?;
    http::serve(Arc::new(witness), listener)
        .await
        .map_err(listening)?;
    Ok(ExitCode::SUCCESS)
}

async fn watch(options: Watch) -> Result<ExitCode, WitnessError> {
    let places: Vec<&Url> = [&options.url].into_iter().chain(&options.other).collect();
    let ca = options.ca.as_deref().map(read).transpose()?;
    let egress = egress_to(places.iter().copied(), ca).map_err(ReadError::from)?;
    let readers = places
        .into_iter()
        .map(|url| LogReader::new(egress.clone(), url.clone(), options.log.clone()))
        .collect();
    let mut monitor = Monitor::new(
        readers,
        options.witness,
        options.max_age.map(Duration::from_secs),
        options.state.as_deref().map(Folder::claim).transpose()?,
        Arc::new(SystemClock),
    )?;
    loop {
        let report = monitor.look().await?;
        show(&report, options.json)?;
        if report.misbehaves() {
            return Ok(MISBEHAVES.into());
        }
        if options.once {
            let complete = report.findings.is_empty();
            return Ok(if complete { 0 } else { INCOMPLETE }.into());
        }
        tokio::time::sleep(Duration::from_secs(options.every)).await;
    }
}

fn show(report: &Report, json: bool) -> Result<(), WitnessError> {
    let text = if json {
        json!(report).to_string()
    } else {
        report.to_string()
    };
    print(&text).map(|_| ())
}

fn read(path: &Path) -> Result<Vec<u8>, WitnessError> {
    fs::read(path).map_err(WitnessError::file(path))
}

fn print(line: &str) -> Result<ExitCode, WitnessError> {
    let mut output = io::stdout();
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .map_err(WitnessError::file(Path::new("standard output")))?;
    Ok(ExitCode::SUCCESS)
}
