//! Commands, one file each: arguments, what happens, what is printed.

mod auth;
mod capture;
mod consent;
mod consents;
mod credential;
mod did;
mod enrol;
mod erase;
mod export_keys;
mod import_keys;
mod init;
mod log;
mod output;
mod passphrase;
mod place;
mod progress;
mod recover;
mod recovery_key;
mod rights;
mod rotate;
mod sign_in;
mod status;
mod trust;
mod withdraw;

use std::process::ExitCode;

use blindprint_wallet::{Error, Wallet};
use clap::{Parser, Subcommand};

pub(crate) use self::{output::Outcome, place::Place, progress::Bars};

/// Everything that a command gives.
type Result<T = Outcome> = std::result::Result<T, Error>;

/// Enrol and authenticate with a face that no server can read.
#[derive(Parser)]
#[command(
    name = "blindprint-wallet",
    version,
    after_help = "\
Examples:
  blindprint-wallet init --service http://localhost:8080 --trust blindprint-data/trust.json
  blindprint-wallet enrol --photo me.jpg --invitation CODE
  blindprint-wallet auth --photo me-now.jpg --audience https://shop.example --nonce 81f3a2c4
  blindprint-wallet withdraw

Exit status: 0 done or match, 1 failed, 2 wrong usage, 3 no match."
)]
struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Print one JSON object on standard output
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Arguments),
    Enrol(enrol::Arguments),
    Auth(auth::Arguments),
    Consent(consent::Arguments),
    Consents(consents::Arguments),
    Credential(credential::Arguments),
    Did(did::Arguments),
    Withdraw(withdraw::Arguments),
    Erase(erase::Arguments),
    Rights(rights::Arguments),
    SignIn(sign_in::Arguments),
    Rotate(rotate::Arguments),
    RecoveryKey(recovery_key::Arguments),
    Recover(recover::Arguments),
    ExportKeys(export_keys::Arguments),
    ImportKeys(import_keys::Arguments),
    #[command(subcommand)]
    Log(log::Command),
    Trust(trust::Arguments),
    Status(status::Arguments),
}

/// Parses the command line, runs the command, prints its outcome.
pub(crate) async fn run() -> ExitCode {
    let Arguments {
        place,
        json,
        command,
    } = Arguments::parse();
    let outcome = match command {
        Command::Init(arguments) => init::run(&place, arguments).await,
        Command::Enrol(arguments) => enrol::run(&place, arguments, json).await,
        Command::Auth(arguments) => auth::run(&place, arguments).await,
        Command::Consent(arguments) => consent::run(&place, arguments).await,
        Command::Consents(arguments) => consents::run(&place, &arguments).await,
        Command::Credential(arguments) => credential::run(&place, arguments).await,
        Command::Did(arguments) => did::run(&place, arguments).await,
        Command::Withdraw(arguments) => withdraw::run(&place, &arguments).await,
        Command::Rights(arguments) => rights::run(&place, arguments).await,
        Command::SignIn(arguments) => sign_in::run(&place, arguments).await,
        Command::Erase(arguments) => erase::run(&place, &arguments).await,
        Command::Rotate(arguments) => rotate::run(&place, &arguments).await,
        Command::RecoveryKey(arguments) => recovery_key::run(&place, &arguments),
        Command::Recover(arguments) => recover::run(&place, &arguments).await,
        Command::ExportKeys(arguments) => export_keys::run(&place, &arguments),
        Command::ImportKeys(arguments) => import_keys::run(&place, &arguments),
        Command::Log(command) => log::run(&place, command).await,
        Command::Trust(arguments) => trust::run(&place, &arguments).await,
        Command::Status(arguments) => status::run(&place, &arguments).await,
    };
    output::print(outcome, json)
}

/// Opens the wallet and settles what an interruption left open; says so on standard error.
async fn open(place: &Place) -> Result<Wallet> {
    let mut wallet = place.open()?;
    let settled = wallet.reconcile().await?;
    for id in settled.finished {
        eprintln!("enrolment {id}, whose answer was lost, is registered");
    }
    for id in settled.gone {
        eprintln!("enrolment {id}, which was interrupted, is gone");
    }
    Ok(wallet)
}
