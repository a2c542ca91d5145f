//! The transparency log beside requests: checkpoints are published, witnesses asked, and what changes
//! about the service itself is logged.

use std::{error::Error as StdError, io::ErrorKind, path::PathBuf, sync::Arc, time::Duration};

use blindprint_core::{Clock, Digest, Entropy, ServiceId};
use blindprint_egress::{Allowed, Egress};
use blindprint_log::{Kind, LogKey};
use blindprint_protocol::{message::LogSeen, policy::LogTerms};
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};

use super::key_in;
use crate::{
    Error, Result,
    backend::Enclave,
    config::{Config, Witness},
    domain::{
        Credentials,
        ledger::{Draft, Ledger, LedgerParts},
    },
    error::io,
    folder::{self, DataFolder},
    store::Store,
};

/// A checkpoint follows growth within twice that time.
const PUBLISHING: Duration = Duration::from_millis(300);
/// How long whoever failed is left alone.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether something is to do.
const LOOKING: Duration = Duration::from_secs(1);

/// The key that signs the log of a service, drawn at its first use.
fn log_key(folder: &DataFolder, service: &ServiceId, entropy: &dyn Entropy) -> Result<LogKey> {
    let seed = key_in(&folder.log_key(), entropy)?;
    LogKey::from_seed(&Ledger::origin(service), &seed)
        .map_err(|error| Error::Setup(format!("service.public_url names no log: {error}")))
}

/// Which log the enclave reads and how closely, if it does.
pub(super) fn log_terms(
    config: &Config,
    folder: &DataFolder,
    service: &ServiceId,
    entropy: &dyn Entropy,
) -> Result<Option<LogTerms>> {
    let section = &config.enclave;
    if section.witness.is_none() && !section.restore {
        return Ok(None);
    }
    Ok(Some(LogTerms {
        log: log_key(folder, service, entropy)?.verifier(),
        witness: section.witness.clone(),
        period: section.witness_seconds,
    }))
}

/// The log of a service, over what was prepared.
pub(super) fn ledger(
    config: &Config,
    folder: &DataFolder,
    service: &ServiceId,
    store: &Arc<dyn Store>,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
) -> Result<Ledger> {
    let witnesses = config.transparency.witnesses.clone();
    Ok(Ledger::new(LedgerParts {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        key: log_key(folder, service, &**entropy)?,
        egress: egress(config, &witnesses)?,
        witnesses,
        known: known(folder)?,
    }))
}

/// The last checkpoint that was published, if there has been one.
fn known(folder: &DataFolder) -> Result<Option<String>> {
    match std::fs::read_to_string(folder.log_head()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read
            .map(Some)
            .map_err(io("reading the last checkpoint that was published")),
    }
}

/// Witnesses are the operator's own choice, wherever they are. Strangers' fetches go through another
/// client, which does not reach them.
fn egress(config: &Config, witnesses: &[Witness]) -> Result<Egress> {
    let mut client = config.egress.client()?;
    for witness in witnesses {
        let named = |part: Option<String>| {
            part.ok_or_else(|| Error::Setup(format!("transparency.witnesses: {}", witness.url)))
        };
        let url = &witness.url;
        client.allow.push(Allowed::Host {
            host: named(
                url.host_str()
                    .map(|host| host.trim_matches(['[', ']']).into()),
            )?,
            port: url
                .port_or_known_default()
                .ok_or_else(|| Error::Setup(format!("transparency.witnesses: {url}")))?,
        });
    }
    Egress::new(&client).map_err(|error| Error::Setup(format!("egress: {error}")))
}

/// Logs what is in force now, if it is not what was in force at the last start.
pub(super) async fn log_configuration(ledger: &Ledger, config: &Config) -> Result<()> {
    let text = effective(config)?;
    let digest = Digest::of("blindprint/configuration/v1", text.as_bytes());
    let draft = Draft::own(Kind::ConfigChanged, text);
    ledger
        .follow("configuration", &digest.to_string(), &draft)
        .await
}

/// The configuration without what is secret in it.
fn effective(config: &Config) -> Result<String> {
    let broken =
        |error: serde_json::Error| Error::broken("writing the configuration")(error.into());
    let mut value = serde_json::to_value(config).map_err(broken)?;
    if let Some(proxy) = &config.egress.proxy {
        let mut proxy = proxy.clone();
        // What cannot have a password has none.
        let _ = proxy.set_password(None);
        let _ = proxy.set_username("");
        value["egress"]["proxy"] = proxy.to_string().into();
    }
    serde_json::to_string(&value).map_err(broken)
}

/// Starts what goes on for as long as the service runs.
pub(super) fn start(
    ledger: &Arc<Ledger>,
    folder: &DataFolder,
    credentials: &Arc<Credentials>,
    enclave: &Arc<Enclave>,
    chores: &mut JoinSet<()>,
) {
    chores.spawn(publish(Arc::clone(ledger), folder.log_head()));
    for witness in ledger.witnesses() {
        chores.spawn(countersign(Arc::clone(ledger), witness.clone()));
    }
    chores.spawn(keep_fresh(Arc::clone(ledger), Arc::clone(enclave)));
    chores.spawn(follow_keys(
        Arc::clone(ledger),
        Arc::clone(credentials),
        Arc::clone(enclave),
    ));
}

/// Signs what was appended, and keeps the last checkpoint beside the database: one that is set back is
/// noticed at the next start.
async fn publish(ledger: Arc<Ledger>, file: PathBuf) {
    let mut kept = 0;
    let mut told = false;
    loop {
        let published = ledger.publish().await.and_then(|head| {
            let Some(head) = head.filter(|head| head.checkpoint().size() > kept) else {
                return Ok(());
            };
            folder::write_atomically(&file, head.to_string().as_bytes(), 0o600)?;
            kept = head.checkpoint().size();
            Ok(())
        });
        match published {
            Ok(()) => told = false,
            Err(error) if !told => {
                told = true;
                complain(&error, "the log is not published");
            }
            Err(_) => {}
        }
        sleep(PUBLISHING).await;
    }
}

async fn countersign(ledger: Arc<Ledger>, witness: Witness) {
    let mut known = 0;
    let mut told = false;
    loop {
        match ledger.cosign(&witness, known).await {
            Ok(size) => {
                (known, told) = (size, false);
                sleep(PUBLISHING).await;
            }
            Err(error) => {
                if !told {
                    told = true;
                    complain(&error, "a witness does not countersign");
                }
                sleep(PATIENCE).await;
            }
        }
    }
}

/// Shows an enclave that reads the log what it must have seen to serve: at its start, and then each time
/// half of what it was given is over.
async fn keep_fresh(ledger: Arc<Ledger>, enclave: Arc<Enclave>) {
    // Nothing yet: of what it was given before this process began it is not known how much that was.
    let mut given = i64::MAX;
    let mut told = false;
    loop {
        sleep(LOOKING).await;
        let Some(seen) = enclave.health().await.ok().and_then(|health| health.log) else {
            continue;
        };
        let left = |seen: &LogSeen| {
            let until = seen.fresh_until?;
            Some(until.since(ledger.stamp().at))
        };
        // Without witnesses it reads the log to be restored, and then no more.
        let wants = seen.restoring
            || !ledger.witnesses().is_empty() && left(&seen).is_none_or(|left| left <= given / 2);
        if seen.rolled_back || !wants {
            continue;
        }
        match ledger.show(&enclave).await {
            Ok(seen) => {
                given = left(&seen).unwrap_or_default();
                told = false;
            }
            Err(error) => {
                if !told {
                    told = true;
                    complain(&error, "the enclave has not seen the log");
                }
                sleep(PATIENCE).await;
            }
        }
    }
}

/// The keys of the service's identity and of its enclave, which change beside this process.
async fn follow_keys(ledger: Arc<Ledger>, credentials: Arc<Credentials>, enclave: Arc<Enclave>) {
    let mut seen = [None, None];
    loop {
        let issuer = credentials.issuer().now();
        let identity = json!({ "did": issuer.webvh().as_str(), "version": issuer.version() });
        let terms = enclave.terms().await.ok();
        let terms =
            terms.map(|terms| json!({ "key": terms.key, "verdict_key": terms.verdict_key }));
        let found = [("identity", Some(identity)), ("enclave", terms)];
        for ((fact, value), seen) in found.into_iter().zip(&mut seen) {
            let Some(value) = value.map(|value| value.to_string()) else {
                continue;
            };
            if seen.as_ref() == Some(&value) {
                continue;
            }
            let draft = Draft::own(Kind::KeyChanged, value.as_str());
            match ledger.follow(fact, &value, &draft).await {
                Ok(()) => *seen = Some(value),
                Err(error) => complain(&error, "a change of keys could not be logged yet"),
            }
        }
        sleep(LOOKING).await;
    }
}

fn complain(error: &Error, what: &'static str) {
    let why = error.source().map(ToString::to_string);
    tracing::error!(error = error as &dyn StdError, why, "{what}");
}
