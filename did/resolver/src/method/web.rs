//! did:web (<https://w3c-ccg.github.io/did-method-web/>), and locations, which did:webvh shares.

use std::{fmt, str::FromStr};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Did, ResolutionError};

/// Longest location in bytes.
const MAX_LOCATION: usize = 1024;

/// Where a did:web or did:webvh keeps its files: a host, perhaps a port, perhaps a path. Written as
/// in a DID: `example.org`, `localhost%3A8443:dids:alice`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Location {
    host: String,
    port: Option<u16>,
    /// Percent-encoded where they need to be.
    path: Vec<String>,
}

impl Location {
    /// Of the files below this https URL: `https://example.org:8443/dids/alice`.
    pub fn of(base: &Url) -> Result<Self, ResolutionError> {
        let host = base.host_str().ok_or(ResolutionError::InvalidDid)?;
        let mut text = host.to_owned();
        if let Some(port) = base.port() {
            text = format!("{text}%3A{port}");
        }
        for segment in base.path().split('/').filter(|segment| !segment.is_empty()) {
            text.push(':');
            text.push_str(&segment.replace(':', "%3A"));
        }
        text.parse()
    }

    /// The did:web here.
    pub fn did_web(&self) -> Result<Did, ResolutionError> {
        format!("did:web:{self}").parse()
    }

    /// The URL of a file of the DID: below `/.well-known/` if there is no path.
    pub fn file(&self, name: &str) -> Result<Url, ResolutionError> {
        let folder = if self.path.is_empty() {
            "/.well-known/".to_owned()
        } else {
            self.folder()
        };
        self.url(&format!("{folder}{name}"))
    }

    /// The URL below which other files of the DID are.
    pub fn files(&self) -> Result<Url, ResolutionError> {
        self.url(&self.folder())
    }

    fn folder(&self) -> String {
        let mut folder = "/".to_owned();
        for segment in &self.path {
            folder.push_str(segment);
            folder.push('/');
        }
        folder
    }

    fn url(&self, path: &str) -> Result<Url, ResolutionError> {
        let port = self
            .port
            .map_or_else(String::new, |port| format!(":{port}"));
        Url::parse(&format!("https://{}{port}{path}", self.host))
            .map_err(|_| ResolutionError::InvalidDid)
    }
}

impl FromStr for Location {
    type Err = ResolutionError;

    fn from_str(text: &str) -> Result<Self, ResolutionError> {
        if text.len() > MAX_LOCATION {
            return Err(ResolutionError::InvalidDid);
        }
        let mut segments = text.split(':');
        let authority = segments.next().unwrap_or_default();
        let (host, port) = match authority.split_once("%3A").or(authority.split_once("%3a")) {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let port = port
            .map(|port| port.parse().ok().filter(|_| !port.starts_with(['0', '+'])))
            .map(|port| port.ok_or(ResolutionError::InvalidDid))
            .transpose()?;
        let path: Vec<String> = segments.map(str::to_owned).collect();
        if is_domain_name(host) && path.iter().all(|segment| is_segment(segment)) {
            Ok(Self {
                host: host.to_owned(),
                port,
                path,
            })
        } else {
            Err(ResolutionError::InvalidDid)
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, "%3A{port}")?;
        }
        self.path
            .iter()
            .try_for_each(|segment| write!(f, ":{segment}"))
    }
}

impl TryFrom<String> for Location {
    type Error = ResolutionError;

    fn try_from(text: String) -> Result<Self, ResolutionError> {
        text.parse()
    }
}

impl From<Location> for String {
    fn from(location: Location) -> Self {
        location.to_string()
    }
}

/// A name of the DNS (RFC 1123 section 2.1), in ASCII. Addresses are none: both methods forbid
/// them, and a URL parser would take a name that ends in a number for one.
fn is_domain_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253
        && host.split('.').all(label)
        && !last.starts_with(|c: char| c.is_ascii_digit())
}

/// A segment that stays one in a URL: no separators and no dots alone, encoded or not.
fn is_segment(segment: &str) -> bool {
    let decoded: Vec<u8> = percent_decode_str(segment).collect();
    let legal = |b: &u8| !(b.is_ascii_control() || b"/\\?#%".contains(b));
    !decoded.is_empty()
        && decoded.iter().all(legal)
        && !matches!(decoded.as_slice(), b"." | b"..")
        && segment
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-%".contains(&b))
}

/// Where the document of a did:web is.
pub(crate) fn file(did: &Did) -> Result<Url, ResolutionError> {
    did.method_specific_id()
        .parse::<Location>()?
        .file("did.json")
}

pub(crate) const ACCEPT: &str =
    "application/did, application/did+json, application/did+ld+json, application/json;q=0.9";

#[cfg(test)]
mod tests;
