//! Public DIDs: did:webvh logs that the service hosts and that only this wallet can change.
//!
//! Each entry is signed with the key that the entry before committed to, and commits to the next
//! (pre-rotation), so whoever steals the present keys of a wallet's past still changes nothing. An
//! entry is on disk before it is sent: if the answer is lost, the published log tells what became
//! of it.

use std::time::Duration;

use blindprint_core::problem::ProblemCode;
use blindprint_did::PublicKey;
use blindprint_egress::{Allowed, Egress};
use blindprint_resolver::{
    Did, Document, OneOrMany, Relationship, Resolver, Service, VerificationMethod,
    webvh::{self, Change, Creation, Limits, Location, Log, LogError, Unverified},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::{Error, Result, Wallet, secret::Secret};

/// What the key file keeps of a DID.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DidRecord {
    name: String,
    /// The log as far as the service has confirmed it; empty until the first entry is.
    log: String,
    /// Seed of the key in the document.
    key: Secret,
    /// Seed of the update key that the last entry commits to: it signs the next one.
    next: Secret,
    /// The entry that may or may not have arrived.
    sent: Option<SentEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SentEntry {
    line: String,
    /// What takes the place of the record's own if the entry is confirmed.
    key: Option<Secret>,
    next: Option<Secret>,
}

/// A DID as the wallet knows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DidView {
    /// The last part of it.
    pub name: String,
    /// The DID.
    pub did: String,
    /// The same document under did:web, for those who know no did:webvh.
    pub did_web: String,
    /// Entries in its log.
    pub versions: usize,
    /// Whether it was given up.
    pub deactivated: bool,
    /// The document.
    pub document: Value,
}

/// What to change about a DID.
#[derive(Debug, Clone, PartialEq)]
pub enum DidChange {
    /// A fresh key in the document in place of the present one.
    Rotate,
    /// One more service, or another in place of the one of the same id.
    PutService {
        /// The part behind `#`.
        id: String,
        /// What it is.
        kind: String,
        /// Where it is.
        endpoint: String,
    },
    /// One service less, by the part of its id behind `#`.
    RemoveService(String),
    /// The end of it. Nothing can follow.
    Deactivate,
}

impl Wallet {
    /// The DIDs that this wallet controls and the service hosts, oldest first.
    pub fn dids(&self) -> Result<Vec<DidView>> {
        let confirmed = self.state.dids.iter().filter(|did| !did.log.is_empty());
        confirmed
            .map(|record| view(record, &self.own_log(record)?))
            .collect()
    }

    /// Makes a DID and has it published. Without a name it gets a random one.
    pub async fn create_did(&mut self, name: Option<&str>) -> Result<DidView> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => random_name(self.entropy().bytes()),
        };
        if let Ok(there) = self.did_index(&name) {
            self.settle_did(there).await?;
            if self.did_index(&name).is_ok() {
                return Err(Error::Invalid(format!(
                    "there is a DID called {name} already"
                )));
            }
        }
        let base = format!("{}/dids/{name}", self.state.service);
        let location = Url::parse(&base)
            .map_err(|_| Error::Invalid(format!("{name} cannot be part of a DID")))?;
        let location = Location::of(&location).map_err(|e| Error::Invalid(e.to_string()))?;
        let [update, next, key] = [(); 3].map(|()| Secret::random(self.entropy()));
        let creation = Creation {
            next_keys: vec![next.signing_key().public()],
            ..Creation::at(location)
        };
        let public = key.signing_key().public();
        let log = Log::create(&creation, &update.signing_key(), self.now(), |did| {
            first_document(did, &public)
        })
        .map_err(refused)?;
        self.state.dids.push(DidRecord {
            name,
            log: String::new(),
            key,
            next,
            sent: Some(SentEntry {
                line: log.latest().line().to_owned(),
                key: None,
                next: None,
            }),
        });
        self.save()?;
        let index = self.state.dids.len() - 1;
        self.deliver(index).await?;
        self.did_view(index)
    }

    /// Makes and publishes the next entry of a DID's log.
    pub async fn update_did(&mut self, name: &str, change: &DidChange) -> Result<DidView> {
        let index = self.did_index(name)?;
        self.settle_did(index).await?;
        let index = self.did_index(name)?;
        let log = self.own_log(&self.state.dids[index])?;
        let key = matches!(change, DidChange::Rotate).then(|| Secret::random(self.entropy()));
        let document = changed(&log, change, key.as_ref())?;
        let next = Secret::random(self.entropy());
        let signer = self.state.dids[index].next.signing_key();
        let deactivate = matches!(change, DidChange::Deactivate);
        let change = Change {
            document: Some(document),
            update_keys: Some(vec![signer.public()]),
            next_keys: Some(if deactivate {
                Vec::new()
            } else {
                vec![next.signing_key().public()]
            }),
            deactivate,
            ..Change::default()
        };
        let line = match log.update(&change, &signer, self.now()) {
            // Two entries of one second would make a log that nobody accepts.
            Err(LogError::Wait(until)) => {
                let seconds = u64::try_from(until.since(self.now())).unwrap_or(0);
                tokio::time::sleep(Duration::from_secs(seconds.min(5))).await;
                log.update(&change, &signer, self.now())
            }
            line => line,
        }
        .map_err(refused)?;
        self.state.dids[index].sent = Some(SentEntry {
            line,
            key,
            next: Some(next),
        });
        self.save()?;
        self.deliver(index).await?;
        self.did_view(index)
    }

    /// A resolver that reaches this wallet's service, and otherwise public addresses only.
    pub fn resolver(&self) -> Result<Resolver> {
        Ok(Resolver::new(
            blindprint_resolver::Config::default(),
            self.egress()?,
            std::sync::Arc::clone(&self.surroundings.clock),
        ))
    }

    /// The client for addresses that others name.
    pub(crate) fn egress(&self) -> Result<Egress> {
        let service: Url = Url::parse(self.state.service.as_str())
            .map_err(|_| Error::Invalid("the service's name is no URL".to_owned()))?;
        let own = service.host_str().zip(service.port_or_known_default());
        Egress::new(&blindprint_egress::Config {
            allow: own
                .map(|(host, port)| Allowed::Host {
                    host: host.trim_matches(['[', ']']).to_owned(),
                    port,
                })
                .into_iter()
                .collect(),
            ca_bundle: self.state.address.ca.clone().map(String::into_bytes),
            ..Default::default()
        })
        .map_err(|e| Error::Invalid(e.to_string()))
    }

    /// Sends what is waiting, and keeps what comes of it.
    async fn deliver(&mut self, index: usize) -> Result<()> {
        match self.send_entry(index).await {
            Ok(()) => self.confirm(index),
            // Perhaps an earlier try did arrive.
            Err(refused) if refused.is(ProblemCode::Conflict) => self.settle_did(index).await,
            Err(refused @ Error::Refused { .. }) => {
                self.take_back(index)?;
                Err(refused)
            }
            Err(unknown) => Err(unknown),
        }
    }

    async fn send_entry(&self, index: usize) -> Result<()> {
        let record = &self.state.dids[index];
        let Some(sent) = &record.sent else {
            return Ok(());
        };
        let said = if record.log.is_empty() {
            let name = record.name.clone();
            let entry = sent.line.clone();
            self.client.host_did(self.signer(), name, entry).await?
        } else {
            self.client
                .append_to_did(self.signer(), &record.name, sent.line.clone())
                .await?
        };
        if said.name == record.name {
            Ok(())
        } else {
            Err(Error::Unbelievable("the answer is about another DID"))
        }
    }

    /// Finds out what became of an entry whose answer was lost: the published log says so.
    async fn settle_did(&mut self, index: usize) -> Result<()> {
        let record = &self.state.dids[index];
        let Some(sent) = &record.sent else {
            return Ok(());
        };
        let published = self.client.hosted_log(&record.name).await?;
        let with_sent = format!("{}{}\n", record.log, sent.line);
        if published.as_deref() == Some(&with_sent) {
            return self.confirm(index);
        }
        if published.unwrap_or_default() == record.log {
            // It never arrived, or the service is about to answer: the same line once more.
            match self.send_entry(index).await {
                Ok(()) => return self.confirm(index),
                Err(refused @ Error::Refused { .. }) => {
                    self.take_back(index)?;
                    return Err(refused);
                }
                Err(unknown) => return Err(unknown),
            }
        }
        let is_new = record.log.is_empty();
        let name = record.name.clone();
        self.take_back(index)?;
        Err(Error::Invalid(if is_new {
            format!("the name {name} is taken: choose another")
        } else {
            format!("{name} was changed with another copy of this wallet: use that one")
        }))
    }

    fn confirm(&mut self, index: usize) -> Result<()> {
        let record = &mut self.state.dids[index];
        if let Some(sent) = record.sent.take() {
            record.log.push_str(&sent.line);
            record.log.push('\n');
            if let Some(key) = sent.key {
                record.key = key;
            }
            if let Some(next) = sent.next {
                record.next = next;
            }
        }
        self.save()
    }

    fn take_back(&mut self, index: usize) -> Result<()> {
        let record = &mut self.state.dids[index];
        record.sent = None;
        if record.log.is_empty() {
            self.state.dids.remove(index);
        }
        self.save()
    }

    fn did_index(&self, name: &str) -> Result<usize> {
        let records = &self.state.dids;
        records
            .iter()
            .position(|record| record.name == name)
            .ok_or_else(|| Error::Invalid(format!("this wallet has no DID called {name}")))
    }

    fn did_view(&self, index: usize) -> Result<DidView> {
        let record = &self.state.dids[index];
        view(record, &self.own_log(record)?)
    }

    fn own_log(&self, record: &DidRecord) -> Result<Log> {
        Unverified::parse(record.log.as_bytes(), &Limits::default())
            .and_then(|log| log.verify(self.now()))
            .map_err(refused)
    }
}

fn view(record: &DidRecord, log: &Log) -> Result<DidView> {
    let did_web = webvh::did_web(log).map_err(|e| Error::Invalid(e.to_string()))?;
    Ok(DidView {
        name: record.name.clone(),
        did: log.did().to_string(),
        did_web: did_web.id.to_string(),
        versions: log.entries().len(),
        deactivated: log.latest().is_deactivated(),
        document: log.document().to_value(),
    })
}

fn first_document(did: &Did, key: &PublicKey) -> Document {
    let mut document = Document::new(did.clone());
    document.context = Some(OneOrMany::Many(vec![
        "https://www.w3.org/ns/did/v1".into(),
        "https://w3id.org/security/multikey/v1".into(),
    ]));
    put_key(&mut document, 1, key);
    document
}

fn put_key(document: &mut Document, number: usize, key: &PublicKey) {
    let uses = [Relationship::Authentication, Relationship::AssertionMethod];
    let method = VerificationMethod {
        id: format!("{}#key-{number}", document.id),
        kind: "Multikey".to_owned(),
        controller: document.id.clone(),
        material: [("publicKeyMultibase".to_owned(), key.multikey().into())]
            .into_iter()
            .collect(),
    };
    document.put_method(method, &uses);
}

fn changed(log: &Log, change: &DidChange, key: Option<&Secret>) -> Result<Document> {
    let mut document = log.document().clone();
    match change {
        DidChange::Rotate => {
            let old: Vec<String> = document.methods().map(|method| method.id.clone()).collect();
            for id in old {
                document.remove_method(&id);
            }
            if let Some(key) = key {
                let number = log.entries().len() + 1;
                put_key(&mut document, number, &key.signing_key().public());
            }
        }
        DidChange::PutService { id, kind, endpoint } => document.put_service(Service {
            id: format!("{}#{id}", document.id),
            kind: OneOrMany::One(kind.clone()),
            service_endpoint: endpoint.as_str().into(),
            other: serde_json::Map::new(),
        }),
        DidChange::RemoveService(id) => {
            if !document.remove_service(&format!("#{id}")) {
                return Err(Error::Invalid(format!("the DID has no service #{id}")));
            }
        }
        DidChange::Deactivate => {}
    }
    // Read back, so that what is no DID document is not signed.
    let did = document.id.clone();
    Document::from_value(document.to_value(), &did).map_err(|e| Error::Invalid(e.to_string()))
}

fn refused(error: LogError) -> Error {
    Error::Invalid(error.to_string())
}

/// Sixteen letters: 75 bits.
fn random_name(bytes: [u8; 16]) -> String {
    bytes
        .map(|byte| char::from(b'a' + byte % 26))
        .iter()
        .collect()
}
