use blindprint_resolver::{Did, Options};
use blindprint_wallet::{DidChange, DidView, Error};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Outcome, Place, Result, output::confirm};

/// Make and keep public DIDs, which the service hosts and only this wallet can change
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a did:webvh, with a did:web beside it, and publish it
    Create {
        /// Its last part: 3 to 64 of a-z, 0-9 and - [default: a random one]
        #[arg(long)]
        name: Option<String>,
    },
    /// List this wallet's DIDs
    List,
    /// Print a DID's document
    Show {
        /// Which
        name: String,
    },
    /// Put a fresh key in place of the present one, and commit to the next update key
    Rotate {
        /// Which
        name: String,
    },
    /// Add a service to the document, or replace the one of the same id
    AddService {
        /// Which
        name: String,
        /// The part of the service's id behind #
        #[arg(long)]
        id: String,
        /// What it is, such as `LinkedDomains`
        #[arg(long = "type", value_name = "TYPE")]
        kind: String,
        /// Where it is: a URL
        #[arg(long, value_name = "URL")]
        endpoint: String,
    },
    /// Remove a service from the document
    RemoveService {
        /// Which
        name: String,
        /// The part of the service's id behind #
        #[arg(long)]
        id: String,
    },
    /// Give a DID up for good
    Deactivate {
        /// Which
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Resolve anybody's DID: did:key, did:jwk, did:pkh, did:web, did:webvh
    Resolve {
        /// The DID
        did: String,
    },
}

pub(super) async fn run(place: &Place, arguments: Arguments) -> Result {
    let mut wallet = super::open(place).await?;
    let (name, change, done) = match arguments.command {
        Command::Create { name } => {
            let did = wallet.create_did(name.as_deref()).await?;
            let text = format!(
                "Published {}\nand, for those who know no did:webvh, {}.\n",
                did.did, did.did_web
            );
            return Ok(Outcome::new(text, json!({ "did": did })));
        }
        Command::List => {
            let dids = wallet.dids()?;
            let mut text: String = dids.iter().map(line).collect();
            if text.is_empty() {
                "There is none yet: make one with `did create`.\n".clone_into(&mut text);
            }
            let identity = wallet.subject();
            return Ok(Outcome::new(
                text,
                json!({ "identity": identity, "dids": dids }),
            ));
        }
        Command::Show { name } => {
            let did = wallet.dids()?.into_iter().find(|did| did.name == name);
            let did = did.ok_or_else(|| {
                Error::Invalid(format!(
                    "this wallet has no DID called {name}: see `did list`"
                ))
            })?;
            return Ok(Outcome::new(
                format!("{:#}\n", did.document),
                json!({ "did": did }),
            ));
        }
        Command::Resolve { did } => {
            let invalid = |e: blindprint_resolver::ResolutionError| Error::Invalid(e.to_string());
            let did: Did = did.parse().map_err(invalid)?;
            let found = wallet.resolver()?.resolve(&did, &Options::default()).await;
            let found = json!(found.map_err(invalid)?);
            return Ok(Outcome::new(format!("{found:#}\n"), found));
        }
        Command::Rotate { name } => (name, DidChange::Rotate, "has a new key"),
        Command::AddService {
            name,
            id,
            kind,
            endpoint,
        } => (
            name,
            DidChange::PutService { id, kind, endpoint },
            "has the service",
        ),
        Command::RemoveService { name, id } => (
            name,
            DidChange::RemoveService(id),
            "has that service no longer",
        ),
        Command::Deactivate { name, yes } => {
            let sure = yes
                || confirm(&format!("Give up {name} for good?")).ok_or_else(|| {
                    Error::Invalid("nobody is there to be asked: say --yes".to_owned())
                })?;
            if !sure {
                return Err(Error::Invalid("nothing was changed".to_owned()));
            }
            (name, DidChange::Deactivate, "is given up")
        }
    };
    let did = wallet.update_did(&name, &change).await?;
    Ok(Outcome::new(
        format!("{} {done} (version {}).\n", did.did, did.versions),
        json!({ "did": did }),
    ))
}

fn line(did: &DidView) -> String {
    let state = if did.deactivated { ", given up" } else { "" };
    format!(
        "{}: {} (version {}{state})\n",
        did.name, did.did, did.versions
    )
}
