use blindprint_core::UnixTime;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{LogError, Parameters, hash, proof};
use crate::{Did, Document, instant, method::web::Location};

/// Proofs of one entry at most.
const MAX_PROOFS: usize = 16;

/// One version, verified.
#[derive(Debug, Clone)]
pub struct Entry {
    line: String,
    number: u64,
    version_id: String,
    time: OffsetDateTime,
    parameters: Parameters,
    document: Document,
}

impl Entry {
    /// Reads a line and checks it against the entry before. Time's passing is not looked at, nor
    /// are witnesses.
    pub(super) fn read(line: &str, previous: Option<&Self>) -> Result<Self, LogError> {
        if previous.is_some_and(Self::is_deactivated) {
            return Err(LogError::Deactivated);
        }
        let mut entry = blindprint_did::json::object(line.as_bytes())
            .ok_or(LogError::Form("an entry is not a JSON object"))?;
        let proofs = entry.remove("proof");
        let parts = Parts::of(&entry)?;

        let number = previous.map_or(1, |previous| previous.number + 1);
        let hash = parts
            .version_id
            .strip_prefix(&format!("{number}-"))
            .ok_or(LogError::Order)?;
        let time = instant::parse(parts.version_time)
            .ok_or(LogError::Form("an entry's time is not one in UTC"))?;
        let parameters = match previous {
            None => Parameters::first(parts.parameters)?,
            Some(previous) => previous.parameters.next(parts.parameters)?,
        };
        if previous.is_none() && hash::scid(&entry, &parameters.scid)? != parameters.scid {
            return Err(LogError::Scid);
        }
        let predecessor = previous.map_or(&parameters.scid, |previous| &previous.version_id);
        if hash::entry_hash(&entry, predecessor)? != hash {
            return Err(LogError::Hash);
        }
        if previous.is_some_and(|previous| previous.time >= time) {
            return Err(LogError::Time);
        }
        authorised(&entry, proofs.as_ref(), active(previous, &parameters))?;
        let document = document(parts.state, previous, &parameters)?;
        Ok(Self {
            line: line.to_owned(),
            number,
            version_id: parts.version_id.to_owned(),
            time,
            parameters,
            document,
        })
    }

    /// The entry's JSON, without the end of the line.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Its number, from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Number and hash, such as `1-Qm…`.
    pub fn version_id(&self) -> &str {
        &self.version_id
    }

    /// When it was made, without the fraction of a second.
    pub const fn time(&self) -> UnixTime {
        UnixTime(self.time.unix_timestamp())
    }

    /// When it was made.
    pub(crate) const fn exact_time(&self) -> OffsetDateTime {
        self.time
    }

    /// What holds after it.
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The document of this version.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The DID was given up with it.
    pub const fn is_deactivated(&self) -> bool {
        self.parameters.deactivated
    }
}

/// The keys that may sign an entry: those before it, or with pre-rotation its own, which were
/// committed to. A first entry's own.
pub(super) fn active<'a>(previous: Option<&'a Entry>, own: &'a Parameters) -> &'a [String] {
    match previous {
        Some(previous) if previous.parameters.next_key_hashes.is_empty() => {
            &previous.parameters.update_keys
        }
        _ => &own.update_keys,
    }
}

/// An entry's members, which are these and its proof.
struct Parts<'a> {
    version_id: &'a str,
    version_time: &'a str,
    parameters: &'a Map<String, Value>,
    state: &'a Map<String, Value>,
}

impl<'a> Parts<'a> {
    fn of(entry: &'a Map<String, Value>) -> Result<Self, LogError> {
        let text = |name: &str| entry.get(name)?.as_str();
        let object = |name: &str| entry.get(name)?.as_object();
        match (
            text("versionId"),
            text("versionTime"),
            object("parameters"),
            object("state"),
            entry.len(),
        ) {
            (Some(version_id), Some(version_time), Some(parameters), Some(state), 4) => Ok(Self {
                version_id,
                version_time,
                parameters,
                state,
            }),
            _ => Err(LogError::Form("an entry has other members")),
        }
    }
}

/// Checks that there are proofs, each of them valid and by a key that may update.
fn authorised(
    entry: &Map<String, Value>,
    proofs: Option<&Value>,
    keys: &[String],
) -> Result<(), LogError> {
    let proofs = proofs
        .and_then(Value::as_array)
        .filter(|proofs| (1..=MAX_PROOFS).contains(&proofs.len()))
        .ok_or(LogError::Unauthorised)?;
    let valid = proofs
        .iter()
        .all(|proof| proof::signer(entry, proof).is_some_and(|key| keys.contains(&key)));
    if valid {
        Ok(())
    } else {
        Err(LogError::Unauthorised)
    }
}

/// Reads the document and checks that its id is the DID: one with the SCID, which changes only if
/// it may, and then names the one before.
fn document(
    state: &Map<String, Value>,
    previous: Option<&Entry>,
    parameters: &Parameters,
) -> Result<Document, LogError> {
    let malformed = LogError::Form("the document's id is not a did:webvh with the SCID");
    let did: Did = state
        .get("id")
        .and_then(Value::as_str)
        .and_then(|id| id.parse().ok())
        .ok_or(malformed)?;
    let location = did
        .as_str()
        .strip_prefix("did:webvh:")
        .and_then(|id| id.strip_prefix(&parameters.scid)?.strip_prefix(':'))
        .ok_or(malformed)?;
    location.parse::<Location>().map_err(|_| malformed)?;
    let document = Document::from_value(Value::Object(state.clone()), &did)
        .map_err(|_| LogError::Form("the state is not a DID document"))?;
    if let Some(previous) = previous
        && previous.document.id != did
    {
        let names = &document.also_known_as;
        let named = names
            .iter()
            .any(|name| name == previous.document.id.as_str());
        if !(parameters.portable && named) {
            return Err(LogError::Form("the DID changed although it may not"));
        }
    }
    Ok(document)
}
