//! did:web (<https://w3c-ccg.github.io/did-method-web/>), and locations, which did:webvh shares.

use std::{fmt, str::FromStr};

use url::Url;

use crate::{Did, ResolutionError};

/// Where a did:web or did:webvh keeps its files: a host, perhaps a port, perhaps a path. Written as
/// in a DID: `example.org`, `localhost%3A8443:dids:alice`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(String);

impl Location {
    /// Of the files below this URL: `https://example.org:8443/dids/alice`.
    pub fn of(base: &Url) -> Result<Self, ResolutionError> {
        let _ = base;
        Err(ResolutionError::InvalidDid)
    }

    /// The did:web here.
    pub fn did_web(&self) -> Result<Did, ResolutionError> {
        format!("did:web:{self}").parse()
    }

    /// The URL of a file: below `/.well-known/` if there is no path.
    pub fn file(&self, name: &str) -> Result<Url, ResolutionError> {
        let _ = name;
        Err(ResolutionError::InvalidDid)
    }
}

impl FromStr for Location {
    type Err = ResolutionError;

    fn from_str(text: &str) -> Result<Self, ResolutionError> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
