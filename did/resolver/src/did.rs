use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::ResolutionError;

/// Longest DID in bytes: a did:jwk of a large key fits.
const MAX_DID: usize = 2048;
/// Longest DID URL in bytes.
const MAX_URL: usize = 4096;

/// A DID (W3C DID Core section 3.1), at most 2048 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Did(String);

impl Did {
    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The method's name, such as `web`.
    pub fn method(&self) -> &str {
        self.parts().0
    }

    /// What follows the method's name and its colon.
    pub fn method_specific_id(&self) -> &str {
        self.parts().1
    }

    /// This DID with a fragment (given without `#`).
    pub fn with_fragment(&self, fragment: &str) -> Result<DidUrl, ResolutionError> {
        format!("{self}#{fragment}").parse()
    }

    fn parts(&self) -> (&str, &str) {
        self.0["did:".len()..]
            .split_once(':')
            .expect("a DID has a method and an id")
    }
}

impl FromStr for Did {
    type Err = ResolutionError;

    fn from_str(text: &str) -> Result<Self, ResolutionError> {
        if text.len() <= MAX_DID && is_did(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ResolutionError::InvalidDid)
        }
    }
}

/// A DID URL (W3C DID Core section 3.2), at most 4096 bytes: a DID with a path, a query and a
/// fragment, each of which may be absent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DidUrl {
    did: Did,
    /// With its leading slash, or empty.
    path: String,
    query: Option<String>,
    fragment: Option<String>,
}

impl DidUrl {
    /// The DID that it begins with.
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// The path with its leading slash, or nothing.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The fragment without its `#`.
    pub fn fragment(&self) -> Option<&str> {
        self.fragment.as_deref()
    }

    /// The first value of this query parameter, percent-decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query()?.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

impl FromStr for DidUrl {
    type Err = ResolutionError;

    fn from_str(text: &str) -> Result<Self, ResolutionError> {
        if text.len() > MAX_URL {
            return Err(ResolutionError::InvalidDidUrl);
        }
        let (rest, fragment) = split(text, '#');
        let (rest, query) = split(rest, '?');
        let (did, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let valid = is_uri_part(path, b"/")
            && query.is_none_or(|query| is_uri_part(query, b"/?"))
            && fragment.is_none_or(|fragment| is_uri_part(fragment, b"/?"));
        if !valid {
            return Err(ResolutionError::InvalidDidUrl);
        }
        Ok(Self {
            did: did.parse().map_err(|_| ResolutionError::InvalidDidUrl)?,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            fragment: fragment.map(str::to_owned),
        })
    }
}

impl From<Did> for DidUrl {
    fn from(did: Did) -> Self {
        Self {
            did,
            path: String::new(),
            query: None,
            fragment: None,
        }
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// `did = "did:" method-name ":" method-specific-id`. The last segment of the id is not empty.
fn is_did(text: &str) -> bool {
    let Some((method, id)) = text
        .strip_prefix("did:")
        .and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    !method.is_empty()
        && method
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && !id.is_empty()
        && !id.ends_with(':')
        && is_escaped(id, |b| b.is_ascii_alphanumeric() || b"._-:".contains(&b))
}

/// `pchar` of RFC 3986 section 3.3, and `more`.
fn is_uri_part(text: &str, more: &[u8]) -> bool {
    is_escaped(text, |b| {
        b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&b) || more.contains(&b)
    })
}

/// Whether all bytes are `allowed` or part of a percent-encoded one.
fn is_escaped(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine = if byte == b'%' {
            let mut hex = || bytes.next().is_some_and(|b| b.is_ascii_hexdigit());
            hex() && hex()
        } else {
            allowed(byte)
        };
        if !fine {
            return false;
        }
    }
    true
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.did, self.path)?;
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        if let Some(fragment) = &self.fragment {
            write!(f, "#{fragment}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Did {
    type Error = ResolutionError;

    fn try_from(text: String) -> Result<Self, ResolutionError> {
        text.parse()
    }
}

impl TryFrom<String> for DidUrl {
    type Error = ResolutionError;

    fn try_from(text: String) -> Result<Self, ResolutionError> {
        text.parse()
    }
}

impl From<Did> for String {
    fn from(did: Did) -> Self {
        did.0
    }
}

impl From<DidUrl> for String {
    fn from(url: DidUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests;
