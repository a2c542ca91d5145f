//! did:webvh: fetches the log, and chooses a version. What a log means, [`crate::webvh`] knows.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::Url;

use crate::{
    Did, DocumentMetadata, Options, Resolution, ResolutionError, instant,
    resolver::Inner,
    webvh::{Entry, Limits, Location, Log, LogError, Unverified},
};

pub(crate) const ACCEPT: &str = "text/jsonl, application/jsonl;q=0.9, */*;q=0.5";

/// Where one of the files of a did:webvh is.
pub(crate) fn file(did: &Did, name: &str) -> Result<Url, ResolutionError> {
    location(did)?.file(name)
}

/// Below where its other files are.
pub(crate) fn files(did: &Did) -> Result<Url, ResolutionError> {
    location(did)?.files()
}

fn location(did: &Did) -> Result<Location, ResolutionError> {
    let (scid, location) = did
        .method_specific_id()
        .split_once(':')
        .ok_or(ResolutionError::InvalidDid)?;
    let base58 = |c: char| c.is_ascii_alphanumeric() && !"0OIl".contains(c);
    if scid.len() != 46 || !scid.chars().all(base58) {
        return Err(ResolutionError::InvalidDid);
    }
    location.parse()
}

impl Inner {
    /// The version that is asked for, of this log.
    pub(crate) async fn resolve_webvh(
        &self,
        did: &Did,
        options: &Options,
        jsonl: &[u8],
    ) -> Result<Resolution, ResolutionError> {
        let limits = Limits {
            bytes: self.config.max_log,
            ..Limits::default()
        };
        let log = Unverified::parse(jsonl, &limits)?.verify_chain(self.clock.now())?;
        if log.needs_witnesses() {
            let url = file(did, "did-witness.json")?;
            let witness = match self.local_file(&url).await? {
                Some(file) => file,
                None => self.fetch(&url, "application/json", limits.bytes).await?,
            };
            log.check_witnesses(&witness)?;
        }
        select(did, options, &log)
    }
}

fn select(did: &Did, options: &Options, log: &Log) -> Result<Resolution, ResolutionError> {
    if !log.has_been(did) {
        return Err(ResolutionError::InvalidDidDocument(
            "the log is of another DID",
        ));
    }
    let entry = version(options, log)?;
    let next = log
        .entries()
        .iter()
        .find(|next| next.number() == entry.number() + 1);
    let first = log.entries().first().ok_or(ResolutionError::NotFound)?;
    let latest = log.latest().parameters();
    let moved = (entry.document().id != *did).then(|| entry.document().id.clone());
    let metadata = DocumentMetadata {
        created: instant::format(first.time()),
        updated: instant::format(log.latest().time()),
        next_update: next.and_then(|next| instant::format(next.time())),
        deactivated: latest.deactivated,
        version_id: Some(entry.version_id().to_owned()),
        version_time: instant::format(entry.time()),
        version_number: Some(entry.number()),
        next_version_id: next.map(|next| next.version_id().to_owned()),
        equivalent_id: moved.iter().cloned().collect(),
        canonical_id: moved,
        scid: Some(log.scid().to_owned()),
        portable: Some(latest.portable),
        ttl: Some(latest.ttl),
        watchers: latest.watchers.clone(),
        witness: latest.witness.as_ref().map(Into::into),
    };
    Ok(Resolution::new(entry.document().clone(), metadata))
}

/// The entry that the options name: the latest unless they name another.
fn version<'a>(options: &Options, log: &'a Log) -> Result<&'a Entry, ResolutionError> {
    let entries = log.entries();
    let found = match options {
        Options {
            version_id: Some(id),
            ..
        } => entries.iter().find(|entry| entry.version_id() == id),
        Options {
            version_number: Some(number),
            ..
        } => entries.iter().find(|entry| entry.number() == *number),
        Options {
            version_time: Some(time),
            ..
        } => {
            let time = OffsetDateTime::parse(time, &Rfc3339)
                .map_err(|_| ResolutionError::InvalidOptions("versionTime is not RFC 3339"))?;
            entries
                .iter()
                .rev()
                .find(|entry| entry.exact_time() <= time)
        }
        _ => return Ok(log.latest()),
    };
    found.ok_or(ResolutionError::NotFound)
}

impl From<LogError> for ResolutionError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Version => {
                Self::FeatureNotSupported("did:webvh logs of other versions than 1.0")
            }
            LogError::Form(why) | LogError::Change(why) => Self::InvalidDidDocument(why),
            LogError::TooLong => Self::InvalidDidDocument("the log is too long"),
            LogError::Hash => Self::InvalidDidDocument("an entry's hash is wrong"),
            LogError::Scid => Self::InvalidDidDocument("the SCID is not of the first entry"),
            LogError::Order => Self::InvalidDidDocument("the entries do not follow each other"),
            LogError::Unauthorised => {
                Self::InvalidDidDocument("an entry has no valid signature of an authorised key")
            }
            LogError::Commitment => Self::InvalidDidDocument("an update key was not committed to"),
            LogError::Time | LogError::Wait(_) => {
                Self::InvalidDidDocument("the entries' times do not increase")
            }
            LogError::Future => Self::InvalidDidDocument("an entry is of the future"),
            LogError::Deactivated => Self::InvalidDidDocument("an entry follows the deactivation"),
            LogError::Witness => {
                Self::InvalidDidDocument("the log is not approved by enough witnesses")
            }
        }
    }
}
