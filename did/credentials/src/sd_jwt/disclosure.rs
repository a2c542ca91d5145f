use std::collections::{HashMap, HashSet};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::Entropy;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::RESERVED;
use crate::{Document, VerifyError};

/// One claim or element that the holder may show or withhold (RFC 9901 section 4.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Disclosure {
    text: String,
    name: Option<String>,
    value: Value,
}

impl Disclosure {
    /// A claim under a fresh salt.
    pub(crate) fn new(
        name: &str,
        value: &Value,
        entropy: &dyn Entropy,
    ) -> Result<Self, VerifyError> {
        let salt = URL_SAFE_NO_PAD.encode(entropy.bytes::<16>());
        let json = serde_json::to_vec(&(salt, name, value))
            .map_err(|_| VerifyError::Malformed("a claim that is not JSON"))?;
        Self::parse(&URL_SAFE_NO_PAD.encode(json))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, VerifyError> {
        const MALFORMED: VerifyError = VerifyError::Disclosure("malformed");
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| MALFORMED)?;
        // Read as a member, for the checks that documents get.
        let json = [b"{\"d\":", json.as_slice(), b"}"].concat();
        let mut members = Document::parse(&json)?.into_members();
        let Some(Value::Array(mut parts)) = members.remove("d").filter(|_| members.is_empty())
        else {
            return Err(MALFORMED);
        };
        let value = parts.pop().ok_or(MALFORMED)?;
        let name = match parts.as_slice() {
            [Value::String(_)] => None,
            [Value::String(_), Value::String(name)] => Some(name.clone()),
            _ => return Err(MALFORMED),
        };
        Ok(Self {
            text: text.to_owned(),
            name,
            value,
        })
    }

    /// The claim's name; `None` for an array's element.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The claim's value.
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// As it stands in the SD-JWT.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands for it in the signed payload.
    pub(crate) fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.text))
    }
}

/// A payload with its disclosures in place.
pub struct Disclosed {
    pub claims: Map<String, Value>,
    /// Where each disclosure went, in their order.
    pub paths: Vec<Vec<Value>>,
}

/// RFC 9901 section 7.1, step 3 onwards.
pub fn disclose(
    payload: &Map<String, Value>,
    disclosures: &[Disclosure],
) -> Result<Disclosed, VerifyError> {
    match payload.get("_sd_alg") {
        None => {}
        Some(Value::String(name)) if name == "sha-256" => {}
        Some(other) => return Err(VerifyError::UnknownSuite(other.to_string())),
    }
    let mut by_digest = HashMap::new();
    for (index, disclosure) in disclosures.iter().enumerate() {
        if by_digest.insert(disclosure.digest(), index).is_some() {
            return Err(VerifyError::Disclosure("repeated"));
        }
    }
    let mut walk = Walk {
        disclosures,
        by_digest,
        digests: HashSet::new(),
        path: Vec::new(),
        paths: vec![None; disclosures.len()],
    };
    let mut claims = walk.object(payload, Document::MAX_DEPTH)?;
    claims.remove("_sd_alg");
    let paths = walk.paths.into_iter().collect::<Option<Vec<_>>>();
    Ok(Disclosed {
        claims,
        paths: paths.ok_or(VerifyError::Disclosure("not referenced"))?,
    })
}

struct Walk<'a> {
    disclosures: &'a [Disclosure],
    by_digest: HashMap<String, usize>,
    /// Every digest met so far, decoys included.
    digests: HashSet<String>,
    path: Vec<Value>,
    paths: Vec<Option<Vec<Value>>>,
}

impl Walk<'_> {
    fn object(
        &mut self,
        members: &Map<String, Value>,
        depth: usize,
    ) -> Result<Map<String, Value>, VerifyError> {
        let depth = depth.checked_sub(1).ok_or(VerifyError::TooLarge)?;
        let mut object = Map::new();
        for (name, member) in members {
            match name.as_str() {
                "_sd" => {}
                "..." => return Err(VerifyError::Disclosure("a reserved name")),
                _ => {
                    let value = self.at(name.as_str().into(), member, depth)?;
                    object.insert(name.clone(), value);
                }
            }
        }
        let digests = match members.get("_sd") {
            None => return Ok(object),
            Some(digests) => digests
                .as_array()
                .ok_or(VerifyError::Disclosure("_sd is no array"))?,
        };
        for digest in digests {
            let Some(index) = self.meet(digest)? else {
                continue;
            };
            let disclosure = &self.disclosures[index];
            let name = disclosure
                .name()
                .ok_or(VerifyError::Disclosure("an element among claims"))?;
            let reserved = if self.path.is_empty() {
                RESERVED.contains(&name)
            } else {
                name == "_sd" || name == "..."
            };
            if reserved {
                return Err(VerifyError::Disclosure("a reserved name"));
            }
            if object.contains_key(name) {
                return Err(VerifyError::Disclosure("a claim that is there already"));
            }
            let value = self.place(index, name.into(), depth)?;
            object.insert(name.to_owned(), value);
        }
        Ok(object)
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<Value, VerifyError> {
        match value {
            Value::Object(members) => Ok(Value::Object(self.object(members, depth)?)),
            Value::Array(items) => {
                let depth = depth.checked_sub(1).ok_or(VerifyError::TooLarge)?;
                let mut array = Vec::new();
                for item in items {
                    let next = Value::from(array.len());
                    match item
                        .as_object()
                        .and_then(|item| Some((item, item.get("...")?)))
                    {
                        None => array.push(self.at(next, item, depth)?),
                        Some((item, digest)) if item.len() == 1 => {
                            if let Some(index) = self.meet(digest)? {
                                if self.disclosures[index].name().is_some() {
                                    return Err(VerifyError::Disclosure("a claim among elements"));
                                }
                                array.push(self.place(index, next, depth)?);
                            }
                        }
                        Some(_) => return Err(VerifyError::Disclosure("a reserved name")),
                    }
                }
                Ok(Value::Array(array))
            }
            plain => Ok(plain.clone()),
        }
    }

    fn at(&mut self, step: Value, value: &Value, depth: usize) -> Result<Value, VerifyError> {
        self.path.push(step);
        let value = self.value(value, depth)?;
        self.path.pop();
        Ok(value)
    }

    fn place(&mut self, index: usize, step: Value, depth: usize) -> Result<Value, VerifyError> {
        let mut path = self.path.clone();
        path.push(step.clone());
        self.paths[index] = Some(path);
        let disclosures = self.disclosures;
        self.at(step, &disclosures[index].value, depth)
    }

    /// The disclosure that a digest stands for. No digest may be met twice.
    fn meet(&mut self, digest: &Value) -> Result<Option<usize>, VerifyError> {
        let digest = digest
            .as_str()
            .ok_or(VerifyError::Disclosure("a digest is no string"))?;
        if !self.digests.insert(digest.to_owned()) {
            return Err(VerifyError::Disclosure("a digest is repeated"));
        }
        Ok(self.by_digest.get(digest).copied())
    }
}
