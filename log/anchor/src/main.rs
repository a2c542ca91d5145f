//! `blindprint-anchor`: writes the latest checkpoint of a transparency log into an EVM contract, and
//! verifies what is there.
//!
//! A process of its own, so that the key that pays for gas is nobody else's; nothing starts it. It
//! must never write a checkpoint that the log did not sign or whose entries it has not read.

mod chain;
mod error;
mod follow;
mod key;
mod transport;
mod watch;

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use alloy::primitives::Address;
use blindprint_egress::Egress;
use blindprint_log::{Frontier, LogVerifier, TreeHash, WitnessVerifier};
use blindprint_reader::{LogReader, egress_to};
use chain::{Chain, PaidChain, Payer};
use clap::{Args, Parser, Subcommand};
pub(crate) use error::AnchorError;
use rustix::{
    fs::Mode,
    process::{DumpableBehavior, set_dumpable_behavior, umask},
};
use serde_json::{Value, json};
use url::Url;
use watch::{Round, Watch};

/// Writes the latest checkpoint of a transparency log into an EVM contract.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Deploys the contract, and prints its address.
    Deploy(Deploy),
    /// Writes the log's checkpoint whenever it has grown. Exit code 3: the log misbehaves.
    Watch(Watching),
    /// Compares the log with everything that the chain holds of it. Exit code 3: the log misbehaves;
    /// 4: the chain holds nothing of it.
    Verify(Verify),
}

#[derive(Args)]
struct OnChain {
    /// JSON-RPC address of a node that is trusted to tell what the chain holds.
    #[arg(
        long,
        value_name = "URL",
        env = "BLINDPRINT_ANCHOR_RPC",
        hide_env_values = true
    )]
    rpc: Url,
    /// The chain's number (EIP-155).
    #[arg(long, value_name = "ID")]
    chain: u64,
    /// Certificates (PEM) to trust beside the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Args)]
struct Paying {
    /// File with the key that pays: 64 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Most gwei for a unit of gas, tip included; waits while it costs more.
    #[arg(long, value_name = "GWEI")]
    max_fee: Option<u64>,
    /// Blocks to wait for, the one with the transaction included.
    #[arg(long, value_name = "BLOCKS", default_value_t = 1)]
    confirmations: u64,
}

#[derive(Args)]
struct OfLog {
    /// The contract's address.
    #[arg(long, value_name = "ADDRESS")]
    contract: Address,
    /// The log's verifier key.
    #[arg(long, value_name = "VKEY")]
    log: LogVerifier,
    /// The log's address: the one that /checkpoint follows.
    #[arg(long)]
    url: Url,
    /// Verifier key of a witness that must have cosigned. May be repeated.
    #[arg(long, value_name = "VKEY")]
    witness: Vec<WitnessVerifier>,
}

#[derive(Args)]
struct Deploy {
    #[command(flatten)]
    on: OnChain,
    #[command(flatten)]
    paying: Paying,
}

#[derive(Args)]
struct Watching {
    #[command(flatten)]
    on: OnChain,
    #[command(flatten)]
    paying: Paying,
    #[command(flatten)]
    of: OfLog,
    /// Seconds between two looks at the log.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    every: u64,
    /// Looks once, and fails where it would try again.
    #[arg(long)]
    once: bool,
}

#[derive(Args)]
struct Verify {
    #[command(flatten)]
    on: OnChain,
    #[command(flatten)]
    of: OfLog,
}

/// The log misbehaves.
const MISBEHAVES: u8 = 3;
/// The chain holds nothing of the log.
const NOTHING: u8 = 4;

#[tokio::main]
async fn main() -> ExitCode {
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
        Command::Deploy(options) => deploy(options).await,
        Command::Watch(options) => watch(options).await,
        Command::Verify(options) => verify(options).await,
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "blindprint-anchor: {error}");
        if matches!(error, AnchorError::Misbehaves(_)) {
            MISBEHAVES.into()
        } else {
            ExitCode::FAILURE
        }
    })
}

async fn deploy(Deploy { on, paying }: Deploy) -> Result<ExitCode, AnchorError> {
    let egress = on.egress(None)?;
    let chain = PaidChain::connect(egress, on.rpc, on.chain, paying.payer()?).await?;
    let contract = chain.deploy().await?;
    print(&json!({ "contract": contract, "chain": on.chain, "owner": chain.payer() }))
}

async fn watch(options: Watching) -> Result<ExitCode, AnchorError> {
    let Watching { on, paying, of, .. } = options;
    let egress = on.egress(Some(&of.url))?;
    let reader = LogReader::new(egress.clone(), of.url, of.log);
    let chain = PaidChain::connect(egress, on.rpc, on.chain, paying.payer()?).await?;
    let mut watch = Watch::begin(chain, of.contract, reader, of.witness).await?;
    if !options.once {
        return Err(watch.run(Duration::from_secs(options.every)).await);
    }
    print(&match watch.round().await? {
        Round::Unchanged { size } => json!({ "size": size }),
        Round::Written { size, transaction } => json!({ "size": size, "transaction": transaction }),
    })
}

async fn verify(Verify { on, of }: Verify) -> Result<ExitCode, AnchorError> {
    let egress = on.egress(Some(&of.url))?;
    let reader = LogReader::new(egress.clone(), of.url, of.log);
    let chain = Chain::connect(egress, on.rpc, on.chain).await?;
    chain.expect(of.contract).await?;
    // The chain first: what is written between the two questions would look like a log cut short.
    let origin = follow::origin_hash(reader.key());
    let anchored = chain.history(of.contract, origin).await?;
    let head = follow::head(&reader, &of.witness).await?;
    follow::extend(&reader, Frontier::default(), &anchored, &head).await?;
    let last = anchored.first().map(|last| {
        let root = TreeHash::from_bytes(last.root);
        json!({ "size": last.size, "root": root, "block": last.block })
    });
    let head = head.checkpoint();
    print(&json!({
        "origin": head.origin(),
        "size": head.size(),
        "root": head.root(),
        "anchored": anchored.len(),
        "last": last,
    }))?;
    Ok(if anchored.is_empty() {
        NOTHING.into()
    } else {
        ExitCode::SUCCESS
    })
}

impl OnChain {
    /// The node and the log were named by whoever runs this.
    fn egress(&self, log: Option<&Url>) -> Result<Egress, AnchorError> {
        let ca = self.ca.as_deref().map(read).transpose()?;
        egress_to([&self.rpc].into_iter().chain(log), ca)
            .map_err(|error| AnchorError::Invalid(error.to_string()))
    }
}

impl Paying {
    fn payer(&self) -> Result<Payer, AnchorError> {
        Ok(Payer {
            key: key::read(&self.key_file)?,
            max_fee: self.max_fee.map(|gwei| u128::from(gwei) * 1_000_000_000),
            confirmations: self.confirmations,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, AnchorError> {
    fs::read(path).map_err(|error| AnchorError::file(path, error))
}

fn print(answer: &Value) -> Result<ExitCode, AnchorError> {
    let mut output = io::stdout();
    writeln!(output, "{answer}")
        .and_then(|()| output.flush())
        .map_err(|error| AnchorError::file(Path::new("standard output"), error))?;
    Ok(ExitCode::SUCCESS)
}
