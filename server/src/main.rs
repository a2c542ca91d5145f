//! The program `blindprint`: the service and its operator's commands.

mod commands;

use std::{
    io::{ErrorKind, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use blindprint_core::{Clock as _, InvitationId, SystemClock, SystemEntropy, wire::Invite};
use blindprint_server::{
    Error, Result,
    config::{Config, Loaded, Overrides},
    domain::{ClientId, OldKeys, Scope, add_client, invite},
    folder::{DataFolder, write_atomically},
    http, process, serve,
    store::{OpenIdStore as _, SqliteStore},
    telemetry,
};
use clap::{Parser, Subcommand};
use rustix::{fs::Mode, process::umask};
use secrecy::ExposeSecret as _;
use tokio::signal::unix::{SignalKind, signal};

/// Blindprint: biometric enrolment and authentication on encrypted templates
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    overrides: Overrides,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the service, its enclave and its matchers
    Serve {
        /// Let anybody enrol without an invitation
        #[arg(long)]
        open_enrolment: bool,
    },
    /// Make an invitation to enrol
    Invite {
        /// Enrolments it is good for
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// Days until it ends
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// Your own remark
        #[arg(long)]
        note: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Machine clients: programs that call the API with a secret of their own
    #[command(subcommand)]
    Client(ClientCommand),
    /// Print the trust file that wallets pin: roots, and measurements of these binaries
    #[command(alias = "measurements")]
    Trust {
        /// Write it there instead
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Look at the service's DIDs, or give them new keys
    Identity {
        #[command(subcommand)]
        action: IdentityAction,
    },
    /// Administrators of the dashboard
    #[command(subcommand)]
    Admin(commands::Admin),
    /// Relying parties: who is told when a subject is erased or takes a consent back
    #[command(subcommand)]
    RelyingParty(commands::RelyingParty),
    /// Delete what has been kept long enough, and say what. A running service does so daily, and ends
    /// idle enrolments besides.
    Retention(commands::Retention),
    /// Print the configuration in force and where each value comes from
    Config,
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Subcommand)]
enum ClientCommand {
    /// Make a client. Its secret is printed once
    Add {
        /// Your name for it
        name: String,
        /// What it may do; can be given several times
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<Scope>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the clients: id, name, scopes
    List,
    /// Take a client back, and every token it has
    Revoke {
        /// Its id
        id: ClientId,
    },
}

#[derive(Subcommand)]
enum IdentityAction {
    /// Print the DIDs and the version of their log
    Show {
        /// Print the did:web document as JSON
        #[arg(long)]
        json: bool,
    },
    /// Replace all keys. What was issued stays verifiable; the old private keys are destroyed. A running
    /// service takes the new ones up within seconds.
    Rotate {
        /// Take the old public keys out as well, if somebody else may have the private ones: nothing
        /// issued so far verifies any more
        #[arg(long)]
        disown: bool,
    },
}

fn main() -> ExitCode {
    // The database and whatever else this process makes are its user's alone.
    umask(Mode::RWXG | Mode::RWXO);
    let raw: Vec<_> = std::env::args_os().collect();
    let outcome = if raw.get(1).is_some_and(|first| first == process::ARGUMENT) {
        Err(process::become_child(&raw[2..]))
    } else {
        run(Arguments::parse())
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("blindprint: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line. Who stops reading has read enough.
fn print(text: &impl std::fmt::Display) -> Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Setup(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// An error and its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<()> {
    let mut overrides = arguments.overrides;
    if matches!(
        arguments.command,
        Command::Serve {
            open_enrolment: true
        }
    ) {
        overrides.set.push("service.open_enrolment=true".to_owned());
    }
    if matches!(arguments.command, Command::Openapi) {
        let document = http::document()
            .to_pretty_json()
            .map_err(|error| Error::Setup(format!("OpenAPI: {error}")))?;
        return print(&document);
    }
    let loaded = Config::load(&overrides)?;
    match arguments.command {
        Command::Serve { .. } => start(loaded).await,
        Command::Invite {
            uses,
            days,
            note,
            json,
        } => {
            let valid_for = days.saturating_mul(86_400);
            print_invitation(
                &loaded.config,
                Invite {
                    uses,
                    valid_for,
                    note,
                },
                json,
            )
            .await
        }
        Command::Client(command) => manage_clients(&loaded.config, command).await,
        Command::Trust { out } => print_trust(&loaded.config, out).await,
        Command::Identity { action } => identify(&loaded.config, action).await,
        Command::Admin(command) => print(&command.run(&loaded.config).await?),
        Command::RelyingParty(command) => print(&command.run(&loaded.config).await?),
        Command::Retention(command) => print(&command.run(&loaded.config).await?),
        Command::Config => print(&loaded.explain()),
        Command::Openapi => Ok(()),
    }
}

async fn start(loaded: Loaded) -> Result<()> {
    telemetry::start_logs(&loaded.config.log)?;
    let signals = |kind| signal(kind).map_err(|error| Error::Setup(format!("signals: {error}")));
    let mut interrupt = signals(SignalKind::interrupt())?;
    let mut terminate = signals(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    serve::run(loaded, print, stop).await
}

async fn print_invitation(config: &Config, wanted: Invite, json: bool) -> Result<()> {
    let folder = DataFolder::existing(&config.data)?;
    let store = SqliteStore::open(&folder.database()).await?;
    let key = serve::invitation_key(&folder, &SystemEntropy)?;
    let id = InvitationId::random(&SystemEntropy);
    let made = invite(&store, &key, id, wanted, SystemClock.now()).await;
    store.close().await;
    let made = made?;
    if json {
        let text =
            serde_json::to_string(&made).map_err(|error| Error::Setup(format!("JSON: {error}")))?;
        print(&text)
    } else {
        print(&made.secret)
    }
}

async fn manage_clients(config: &Config, command: ClientCommand) -> Result<()> {
    let folder = DataFolder::existing(&config.data)?;
    let store = SqliteStore::open(&folder.database()).await?;
    let done = manage_clients_in(&store, command).await;
    store.close().await;
    print(&done?)
}

async fn manage_clients_in(store: &SqliteStore, command: ClientCommand) -> Result<String> {
    match command {
        ClientCommand::Add { name, scopes, json } => {
            let scopes = scopes.into_iter().collect();
            let now = SystemClock.now();
            let (id, secret) = add_client(store, name, scopes, &SystemEntropy, now).await?;
            let secret = secret.expose_secret();
            Ok(if json {
                format!(r#"{{"client_id":"{id}","client_secret":"{secret}"}}"#)
            } else {
                format!("client_id      {id}\nclient_secret  {secret}")
            })
        }
        ClientCommand::List => {
            let lines = store.clients().await?.into_iter().map(|client| {
                let state = client.revoked.map_or("", |_| "  (revoked)");
                format!("{}  {}  {}{state}", client.id, client.name, client.scopes)
            });
            Ok(lines.collect::<Vec<_>>().join("\n"))
        }
        ClientCommand::Revoke { id } => {
            if store.revoke_client(id, SystemClock.now()).await? {
                Ok(format!("{id} is revoked"))
            } else {
                Err(Error::Setup(format!("there is no client {id}")))
            }
        }
    }
}

async fn identify(config: &Config, action: IdentityAction) -> Result<()> {
    let folder = DataFolder::existing(&config.data)?;
    let identity = serve::identity(config, &folder)?;
    let issuer = match action {
        IdentityAction::Show { json } => {
            let issuer = identity.load()?;
            if json {
                return print(&issuer.document().to_value());
            }
            issuer
        }
        IdentityAction::Rotate { disown } => {
            let old = if disown {
                OldKeys::AreDisowned
            } else {
                OldKeys::StayListed
            };
            identity.rotate(old, &SystemEntropy, &SystemClock).await?
        }
    };
    print(&format_args!(
        "{}\n{}\nversion {}",
        issuer.web(),
        issuer.webvh(),
        issuer.version()
    ))
}

async fn print_trust(config: &Config, out: Option<PathBuf>) -> Result<()> {
    let folder = DataFolder::open(&config.data)?;
    let trust = serve::trust(config, &folder).await?.to_json();
    match out {
        Some(file) => write_atomically(&file, trust.as_bytes(), 0o644),
        None => print(&trust),
    }
}
