//! Witnesses (did:webvh 1.0, "DID Witnesses"): others who approve entries, in `did-witness.json`.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::{Entry, LogError, proof};

/// Witnesses of one DID at most.
const MAX_WITNESSES: usize = 64;
/// Proofs that are looked at at most: enough for a pruned file of all witnesses twice over.
const MAX_PROOFS: usize = 1024;

/// Who must approve entries, and how many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnesses {
    /// How many must approve: 1 to as many as there are.
    pub threshold: usize,
    /// Their keys, as Multikeys; none twice.
    pub keys: Vec<String>,
}

impl Witnesses {
    /// Reads the parameter; `{}` means that there are none.
    pub(super) fn read(value: &Value) -> Result<Option<Self>, LogError> {
        let invalid = LogError::Form("the witness parameter is malformed");
        let members = match value {
            Value::Null => return Ok(None),
            Value::Object(members) if members.is_empty() => return Ok(None),
            Value::Object(members) => members,
            _ => return Err(invalid),
        };
        let keys = members
            .get("witnesses")
            .and_then(Value::as_array)
            .filter(|witnesses| witnesses.len() <= MAX_WITNESSES)
            .and_then(|witnesses| {
                let key = |witness: &Value| {
                    let id = witness.get("id")?.as_str()?;
                    Some(id.strip_prefix("did:key:")?.to_owned())
                };
                witnesses.iter().map(key).collect::<Option<Vec<_>>>()
            })
            .ok_or(invalid)?;
        let threshold = members
            .get("threshold")
            .and_then(Value::as_u64)
            .and_then(|threshold| usize::try_from(threshold).ok())
            .filter(|threshold| (1..=keys.len()).contains(threshold))
            .ok_or(invalid)?;
        if keys.iter().collect::<HashSet<_>>().len() < keys.len() {
            return Err(invalid);
        }
        Ok(Some(Self { threshold, keys }))
    }
}

/// Who must approve `entry`: the witnesses named before it, or the first ones that it names.
pub(super) fn required<'a>(previous: Option<&'a Entry>, entry: &'a Entry) -> Option<&'a Witnesses> {
    previous
        .and_then(|previous| previous.parameters().witness.as_ref())
        .or(entry.parameters().witness.as_ref())
}

/// Checks that every entry is approved by enough of its witnesses, each of them for itself or for
/// a later entry.
pub(super) fn check(entries: &[Entry], file: &[u8]) -> Result<(), LogError> {
    let approved = approvals(entries, file)?;
    let mut previous = None;
    for (index, entry) in entries.iter().enumerate() {
        if let Some(witnesses) = required(previous, entry) {
            let approving = witnesses.keys.iter().filter(|key| {
                let last = approved.get(key.as_str());
                last.is_some_and(|last| *last >= index)
            });
            if approving.count() < witnesses.threshold {
                return Err(LogError::Witness);
            }
        }
        previous = Some(entry);
    }
    Ok(())
}

/// The last entry that each key approved. Proofs of other versions, by others or not valid count
/// for nothing.
fn approvals(entries: &[Entry], file: &[u8]) -> Result<HashMap<String, usize>, LogError> {
    let invalid = LogError::Form("did-witness.json is malformed");
    // A list is no object, which is what the strict reader reads.
    let wrapped = [b"{\"list\":", file, b"}"].concat();
    let mut wrapped = blindprint_did::json::object(&wrapped).ok_or(invalid)?;
    let Some(Value::Array(versions)) = wrapped.remove("list").filter(|_| wrapped.is_empty()) else {
        return Err(invalid);
    };
    let index: HashMap<&str, usize> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| (entry.version_id(), index))
        .collect();
    let witnesses: HashSet<&str> = entries
        .iter()
        .filter_map(|entry| entry.parameters().witness.as_ref())
        .flat_map(|witnesses| witnesses.keys.iter().map(String::as_str))
        .collect();
    let mut approved = HashMap::new();
    let mut looked_at = 0;
    for version in &versions {
        let id = version.get("versionId").and_then(Value::as_str);
        let proofs = version.get("proof").and_then(Value::as_array);
        let (Some(id), Some(proofs)) = (id, proofs) else {
            return Err(invalid);
        };
        let Some(&at) = index.get(id) else { continue };
        let document: Map<String, Value> = json!({ "versionId": id })
            .as_object()
            .cloned()
            .unwrap_or_default();
        for proof in proofs {
            looked_at += 1;
            if looked_at > MAX_PROOFS {
                return Err(LogError::TooLong);
            }
            if let Some(key) = proof::signer(&document, proof)
                && witnesses.contains(key.as_str())
            {
                let last = approved.entry(key).or_insert(at);
                *last = at.max(*last);
            }
        }
    }
    Ok(approved)
}
