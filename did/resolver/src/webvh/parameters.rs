use serde_json::{Map, Value};

use super::{LogError, Witnesses, hash::multihash};

/// The one version of the specification that is known here.
pub(super) const METHOD: &str = "did:webvh:1.0";

/// Keys, hashes, witnesses or watchers in one list at most.
const MAX_LIST: usize = 64;
/// Longest of their texts in bytes.
const MAX_TEXT: usize = 2048;
/// How long a log may be cached if it does not say, in seconds.
const DEFAULT_TTL: u32 = 3600;

/// What holds after an entry (did:webvh 1.0, "DID Method Parameters").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// The self-certifying identifier.
    pub scid: String,
    /// The keys that may sign the next entry, as Multikeys, unless pre-rotation is active.
    pub update_keys: Vec<String>,
    /// Hashes of the keys of which the next entry's must be; with any, pre-rotation is active.
    pub next_key_hashes: Vec<String>,
    /// The DID may move to another location.
    pub portable: bool,
    /// The DID is given up.
    pub deactivated: bool,
    /// How long the log may be cached, in seconds.
    pub ttl: u32,
    /// Who must approve entries.
    pub witness: Option<Witnesses>,
    /// URLs of those who keep copies.
    pub watchers: Vec<String>,
}

impl Parameters {
    /// Those of a first entry.
    pub(super) fn first(members: &Map<String, Value>) -> Result<Self, LogError> {
        for required in ["method", "scid", "updateKeys"] {
            if !members.contains_key(required) {
                return Err(LogError::Form("the first entry lacks a parameter"));
            }
        }
        let mut parameters = Self {
            scid: String::new(),
            update_keys: Vec::new(),
            next_key_hashes: Vec::new(),
            portable: false,
            deactivated: false,
            ttl: DEFAULT_TTL,
            witness: None,
            watchers: Vec::new(),
        };
        for (name, value) in members {
            match name.as_str() {
                "scid" => value
                    .as_str()
                    .ok_or(LogError::Form("the SCID is not text"))?
                    .clone_into(&mut parameters.scid),
                "portable" => parameters.portable = flag(value)?,
                _ => parameters.set(name, value)?,
            }
        }
        Ok(parameters)
    }

    /// Those after an entry that follows one with these.
    pub(super) fn next(&self, members: &Map<String, Value>) -> Result<Self, LogError> {
        let pre_rotation = !self.next_key_hashes.is_empty();
        let has = |name| members.contains_key(name);
        if pre_rotation && !(has("updateKeys") && has("nextKeyHashes")) {
            return Err(LogError::Commitment);
        }
        let mut parameters = self.clone();
        for (name, value) in members {
            match name.as_str() {
                "scid" => return Err(LogError::Form("the SCID stands in a later entry")),
                "portable" => {
                    parameters.portable = flag(value)?;
                    if parameters.portable && !self.portable {
                        return Err(LogError::Form("a DID becomes portable"));
                    }
                }
                _ => parameters.set(name, value)?,
            }
        }
        if pre_rotation && !parameters.update_keys.iter().all(|key| self.committed(key)) {
            return Err(LogError::Commitment);
        }
        Ok(parameters)
    }

    fn committed(&self, key: &str) -> bool {
        self.next_key_hashes.contains(&multihash(key.as_bytes()))
    }

    /// Sets one of the parameters that any entry may have. `null`, which early implementations
    /// wrote, stands for the default.
    fn set(&mut self, name: &str, value: &Value) -> Result<(), LogError> {
        match name {
            "method" => {
                if value != METHOD {
                    return Err(LogError::Version);
                }
            }
            "updateKeys" => self.update_keys = texts(value)?,
            "nextKeyHashes" => self.next_key_hashes = texts(value)?,
            "deactivated" => self.deactivated = flag(value)?,
            "ttl" => self.ttl = seconds(value)?,
            "witness" => self.witness = Witnesses::read(value)?,
            "watchers" => self.watchers = texts(value)?,
            _ => return Err(LogError::Form("an unknown parameter")),
        }
        Ok(())
    }
}

fn flag(value: &Value) -> Result<bool, LogError> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        _ => Err(LogError::Form("a parameter is not true or false")),
    }
}

fn seconds(value: &Value) -> Result<u32, LogError> {
    match value {
        Value::Null => Ok(DEFAULT_TTL),
        _ => value
            .as_u64()
            .and_then(|ttl| u32::try_from(ttl).ok())
            .filter(|ttl| *ttl <= 1 << 31)
            .ok_or(LogError::Form("the ttl is not a number of seconds")),
    }
}

fn texts(value: &Value) -> Result<Vec<String>, LogError> {
    let invalid = LogError::Form("a parameter is not a short list of texts");
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) if items.len() <= MAX_LIST => items
            .iter()
            .map(|item| match item {
                Value::String(text) if text.len() <= MAX_TEXT => Ok(text.clone()),
                _ => Err(invalid),
            })
            .collect(),
        _ => Err(invalid),
    }
}
