//! What a DID's controller does: it makes entries, and signs them.

use blindprint_core::UnixTime;
use blindprint_did::{PublicKey, SigningKey};
use serde_json::{Map, Value, json};

use super::{
    Log, LogError, entry, hash,
    hash::{PLACEHOLDER, multihash},
    parameters::METHOD,
    proof,
};
use crate::{Did, Document, instant, method::web::Location};

/// Stands for the SCID in a DID, which cannot hold the specification's placeholder. It is no
/// base58, so no SCID looks like it.
const STAND_IN: &str = "did:webvh:_SCID_:";

/// What a new DID begins with.
#[derive(Debug, Clone)]
pub struct Creation {
    /// Where the log will be.
    pub location: Location,
    /// Keys that may update, beside the one that signs.
    pub more_update_keys: Vec<PublicKey>,
    /// Commitments to the keys that will sign the next entry: with any, pre-rotation is active.
    pub next_keys: Vec<PublicKey>,
    /// Whether the DID may move to another location.
    pub portable: bool,
    /// How long the log may be cached, in seconds; an hour if not given.
    pub ttl: Option<u32>,
}

impl Creation {
    /// A DID at this location, without pre-rotation, not portable.
    pub const fn at(location: Location) -> Self {
        Self {
            location,
            more_update_keys: Vec::new(),
            next_keys: Vec::new(),
            portable: false,
            ttl: None,
        }
    }
}

/// What an update changes. Whatever is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The new document: take [`Log::document`], and edit it. A portable DID moves if the
    /// document's id is another, and the old one is in `alsoKnownAs`.
    pub document: Option<Document>,
    /// The keys that may update from now on. While pre-rotation is active they are required, and
    /// must have been committed to.
    pub update_keys: Option<Vec<PublicKey>>,
    /// Commitments to the keys that will sign the next entry; required while pre-rotation is
    /// active. An empty list ends it.
    pub next_keys: Option<Vec<PublicKey>>,
    /// How long the log may be cached, in seconds.
    pub ttl: Option<u32>,
    /// Gives the DID up: no document or keys need be given, and nothing can follow. What is left
    /// of the document is its id, unless another is given.
    pub deactivate: bool,
}

impl Log {
    /// The first entry, signed with `key`, which may then update. `document` makes the document
    /// for the DID that it is given, in which something stands for the SCID.
    pub fn create(
        creation: &Creation,
        key: &SigningKey,
        at: UnixTime,
        document: impl FnOnce(&Did) -> Document,
    ) -> Result<Self, LogError> {
        let stand_in: Did = format!("{STAND_IN}{}", creation.location)
            .parse()
            .map_err(|_| LogError::Change("the location is too long"))?;
        let document = document(&stand_in);
        if document.id != stand_in {
            return Err(LogError::Change("the document is not about the DID"));
        }
        let mut state = document.to_value();
        hash::replace(&mut state, STAND_IN, "did:webvh:{SCID}:");

        let mut update_keys = vec![key.public()];
        update_keys.extend(&creation.more_update_keys);
        let mut parameters = json!({
            "method": METHOD,
            "scid": PLACEHOLDER,
            "updateKeys": multikeys(&update_keys),
        });
        if !creation.next_keys.is_empty() {
            parameters["nextKeyHashes"] = hashes(&creation.next_keys);
        }
        if creation.portable {
            parameters["portable"] = true.into();
        }
        if let Some(ttl) = creation.ttl {
            parameters["ttl"] = ttl.into();
        }
        let mut entry = preliminary(at, parameters, state)?;
        let scid = hash::scid(&entry, PLACEHOLDER)?;
        for value in entry.values_mut() {
            hash::replace(value, PLACEHOLDER, &scid);
        }
        Self::begin(&finish(entry, 1, &scid, key)?, at)
    }

    /// The line of the next entry, signed with `key`: one of the present update keys, or with
    /// pre-rotation one of the new ones. [`LogError::Wait`] in the second of the last entry.
    pub fn update(
        &self,
        change: &Change,
        key: &SigningKey,
        at: UnixTime,
    ) -> Result<String, LogError> {
        let latest = self.latest();
        if latest.is_deactivated() {
            return Err(LogError::Deactivated);
        }
        if at <= latest.time() {
            return Err(LogError::Wait(latest.time().plus(1)));
        }
        let pre_rotation = !latest.parameters().next_key_hashes.is_empty();
        let parameters = change.parameters(pre_rotation, key)?;
        if pre_rotation
            && !(parameters.contains_key("updateKeys") && parameters.contains_key("nextKeyHashes"))
        {
            return Err(LogError::Change(
                "pre-rotation is active: give the committed keys, and the next ones",
            ));
        }
        let own = latest.parameters().next(&parameters)?;
        let signer = key.public().multikey();
        if !entry::active(Some(latest), &own).contains(&signer) {
            return Err(LogError::Unauthorised);
        }
        let state = match &change.document {
            Some(document) => document.to_value(),
            None if change.deactivate => {
                let mut left = Document::new(self.did().clone());
                left.context.clone_from(&self.document().context);
                left.to_value()
            }
            None => self.document().to_value(),
        };
        let entry = preliminary(at, Value::Object(parameters), state)?;
        let line = finish(entry, latest.number() + 1, latest.version_id(), key)?;
        // Nothing leaves here that a verifier would refuse.
        self.append(&line, at)?;
        Ok(line)
    }
}

impl Change {
    fn parameters(
        &self,
        pre_rotation: bool,
        key: &SigningKey,
    ) -> Result<Map<String, Value>, LogError> {
        let mut parameters = Map::new();
        let mut set = |name: &str, value: Value| parameters.insert(name.to_owned(), value);
        if let Some(keys) = &self.update_keys {
            if keys.is_empty() && !self.deactivate {
                return Err(LogError::Change("without update keys nobody could update"));
            }
            set("updateKeys", multikeys(keys));
        }
        if let Some(keys) = &self.next_keys {
            set("nextKeyHashes", hashes(keys));
        }
        if let Some(ttl) = self.ttl {
            set("ttl", ttl.into());
        }
        if self.deactivate {
            set("deactivated", true.into());
            if pre_rotation {
                // The entry is signed with a committed key, so it must name one.
                if self.update_keys.is_none() {
                    set("updateKeys", multikeys(&[key.public()]));
                }
                set("nextKeyHashes", json!([]));
            } else {
                set("updateKeys", json!([]));
            }
        }
        Ok(parameters)
    }
}

fn multikeys(keys: &[PublicKey]) -> Value {
    keys.iter().map(|key| Value::from(key.multikey())).collect()
}

fn hashes(keys: &[PublicKey]) -> Value {
    keys.iter()
        .map(|key| Value::from(multihash(key.multikey().as_bytes())))
        .collect()
}

/// An entry whose version is not known yet.
fn preliminary(
    at: UnixTime,
    parameters: Value,
    state: Value,
) -> Result<Map<String, Value>, LogError> {
    let time = instant::format(at).ok_or(LogError::Change("the time is out of range"))?;
    Ok([
        ("versionId".to_owned(), PLACEHOLDER.into()),
        ("versionTime".to_owned(), time.into()),
        ("parameters".to_owned(), parameters),
        ("state".to_owned(), state),
    ]
    .into_iter()
    .collect())
}

/// Names the version and signs: the line.
pub(super) fn finish(
    mut entry: Map<String, Value>,
    number: u64,
    predecessor: &str,
    key: &SigningKey,
) -> Result<String, LogError> {
    let version = format!("{number}-{}", hash::entry_hash(&entry, predecessor)?);
    entry.insert("versionId".to_owned(), version.into());
    let created = entry["versionTime"].as_str().unwrap_or_default().to_owned();
    let proof = proof::sign(&entry, key, &created)?;
    entry.insert("proof".to_owned(), json!([proof]));
    Ok(Value::Object(entry).to_string())
}
