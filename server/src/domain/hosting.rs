//! DIDs of subjects, hosted: the wallet holds the update keys and signs every entry of its did:webvh
//! log; the service verifies the log, keeps it and publishes it, and can forge none of it.

use std::{fmt, str::FromStr, sync::Arc};

use blindprint_core::{Clock, Invalid, ServiceId, SubjectId, UnixTime, problem::ProblemCode};
use blindprint_resolver::webvh::{Limits, Location, Unverified, did_web};
use tokio::sync::Semaphore;
use url::Url;

use super::Caller;
use crate::{Error, Result, store::Store};

/// The last part of a hosted DID, chosen by its owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DidName(String);

impl DidName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DidName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if (3..=64).contains(&text.len()) && plain && !text.starts_with('-') && !text.ends_with('-')
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid {
                what: "DID name",
                rule: "3 to 64 of a-z, 0-9 and -, with no - at either end",
            })
        }
    }
}

impl fmt::Display for DidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The head of a hosted log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedDid {
    /// Its name here.
    pub name: DidName,
    /// The DID.
    pub did: String,
    /// Who may append.
    pub subject: SubjectId,
    /// Entries so far.
    pub entries: u32,
    /// The parallel did:web document; `None` once the DID is given up.
    pub document: Option<String>,
    /// When the first entry came.
    pub created: UnixTime,
}

/// One more entry of a log.
#[derive(Debug, Clone, Copy)]
pub struct Addition<'a> {
    /// The line that the wallet signed.
    pub entry: &'a str,
    /// The parallel did:web document from then on; `None` if the entry gives the DID up.
    pub document: Option<&'a str>,
    /// When it came.
    pub at: UnixTime,
}

/// Why a log was not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHosted {
    /// Somebody has this name.
    Taken,
    /// Its subject has as many as one may have.
    TooMany,
}

/// Logs of one subject at most.
const MOST_LOGS: u32 = 10;
/// How long a log may become: what our own resolver reads, too.
const LOG: Limits = Limits {
    bytes: 1 << 20,
    entries: 1000,
};
/// Longest entry, in bytes.
const LONGEST_ENTRY: usize = 48 * 1024;
/// Logs verified at once.
const VERIFIED_AT_ONCE: usize = 2;

/// Hosts logs below one public URL.
pub struct Hosting {
    service: ServiceId,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Logs verified at once: a long one takes a moment, and its owner may come often.
    turns: Semaphore,
}

impl Hosting {
    /// Hosts below the URL of this service.
    pub fn new(service: ServiceId, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            service,
            store,
            clock,
            turns: Semaphore::new(VERIFIED_AT_ONCE),
        }
    }

    /// Begins a log. The same first entry again is the same log.
    pub async fn begin(&self, caller: &Caller, name: DidName, entry: String) -> Result<HostedDid> {
        if caller.keys.is_none() {
            return Err(Error::Refused(ProblemCode::ConsentRequired));
        }
        if let Some(known) = self.store.hosted(&name).await? {
            let same = known.subject == caller.subject
                && self.store.log(&name).await?.first() == Some(&entry);
            return if same { Ok(known) } else { Err(taken()) };
        }
        let now = self.clock.now();
        let head = self.checked(Vec::new(), &name, &entry).await?;
        let hosted = HostedDid {
            did: head.did,
            subject: caller.subject.clone(),
            entries: 1,
            document: head.document,
            created: now,
            name,
        };
        match self.store.host(&hosted, &entry, MOST_LOGS).await? {
            Ok(()) => Ok(hosted),
            Err(NotHosted::Taken) => Err(taken()),
            Err(NotHosted::TooMany) => Err(Error::because(
                ProblemCode::QuotaReached,
                "a subject has at most 10 logs",
            )),
        }
    }

    /// Appends an entry to one's own log. The last entry again changes nothing.
    pub async fn append(
        &self,
        caller: &Caller,
        name: &DidName,
        entry: String,
    ) -> Result<HostedDid> {
        let known = self.store.hosted(name).await?;
        let known = known
            .filter(|known| known.subject == caller.subject)
            .ok_or(Error::Refused(ProblemCode::NotFound))?;
        let log = self.store.log(name).await?;
        if log.last() == Some(&entry) {
            return Ok(known);
        }
        let after = u32::try_from(log.len()).unwrap_or(u32::MAX);
        if log.len() >= LOG.entries || bytes(&log) + entry.len() + 1 > LOG.bytes {
            return Err(Error::because(
                ProblemCode::QuotaReached,
                "a log has at most 1,000 entries in 1 MiB",
            ));
        }
        let head = self.checked(log, name, &entry).await?;
        let addition = Addition {
            entry: &entry,
            document: head.document.as_deref(),
            at: self.clock.now(),
        };
        if !self.store.append_entry(name, after, &addition).await? {
            return Err(Error::because(
                ProblemCode::Conflict,
                "another entry came first: fetch did.jsonl again and sign on top of its last entry",
            ));
        }
        Ok(HostedDid {
            entries: after + 1,
            document: head.document,
            ..known
        })
    }

    /// The caller's own, oldest first.
    pub async fn of(&self, caller: &Caller) -> Result<Vec<HostedDid>> {
        self.store.hosted_of(&caller.subject).await
    }

    /// `did.jsonl`.
    pub async fn log(&self, name: &DidName) -> Result<Option<String>> {
        let lines = self.store.log(name).await?;
        let ended: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        Ok((!lines.is_empty()).then_some(ended))
    }

    /// `did.json`: none once the DID is given up, which is how a did:web ends.
    pub async fn document(&self, name: &DidName) -> Result<Option<String>> {
        let known = self.store.hosted(name).await?;
        Ok(known.and_then(|known| known.document))
    }

    /// Verifies a log with its new entry, from the first entry on.
    async fn checked(&self, log: Vec<String>, name: &DidName, entry: &str) -> Result<Head> {
        let refused = |why: String| Error::because(ProblemCode::LogRefused, why);
        if entry.len() > LONGEST_ENTRY || entry.contains(['\n', '\r']) {
            return Err(refused("an entry is one line of at most 48 KiB".to_owned()));
        }
        let now = self.clock.now();
        let place: Location = format!("{}/dids/{name}", self.service)
            .parse::<Url>()
            .ok()
            .and_then(|url| Location::of(&url).ok())
            .ok_or_else(|| Error::broken("naming a hosted DID")("no place for it".into()))?;
        let entry = entry.to_owned();
        let _turn = self
            .turns
            .acquire()
            .await
            .map_err(|error| Error::broken("waiting to verify a DID log")(error.into()))?;
        let verifying = tokio::task::spawn_blocking(move || head_of(&log, &entry, &place, now));
        verifying
            .await
            .map_err(|error| Error::broken("verifying a DID log")(error.into()))?
            .map_err(refused)
    }
}

/// What a verified log comes to.
struct Head {
    did: String,
    document: Option<String>,
}

fn head_of(log: &[String], entry: &str, place: &Location, now: UnixTime) -> Result<Head, String> {
    let read = |lines: &str| {
        Unverified::parse(lines.as_bytes(), &LOG).and_then(|unverified| unverified.verify(now))
    };
    let verified = if log.is_empty() {
        read(entry)
    } else {
        read(&log.join("\n")).and_then(|known| known.append(entry, now))
    };
    let verified = verified.map_err(|error| error.to_string())?;
    let did = verified.did().to_string();
    if did != format!("did:webvh:{}:{place}", verified.scid()) {
        return Err(format!(
            "the DID must end in {place}, where its log will be"
        ));
    }
    let document = if verified.latest().is_deactivated() {
        None
    } else {
        let document = did_web(&verified).map_err(|error| error.to_string())?;
        Some(document.to_value().to_string())
    };
    Ok(Head { did, document })
}

fn bytes(log: &[String]) -> usize {
    log.iter().map(|line| line.len() + 1).sum()
}

fn taken() -> Error {
    Error::because(ProblemCode::Conflict, "this name is taken")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["abc", "a-b-c", "0x1", &"a".repeat(64)] {
            assert_eq!(good.parse::<DidName>().unwrap().as_str(), good);
        }
        let long = "a".repeat(65);
        for bad in [
            "", "ab", &long, "Abc", "a.b.c", "a_b", "-abc", "abc-", "a/b", "a%20", "ébc",
        ] {
            assert!(bad.parse::<DidName>().is_err(), "{bad}");
        }
    }
}
