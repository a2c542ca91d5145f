//! DIDs of subjects, hosted: the wallet holds the update keys and signs every entry of its did:webvh
//! log; the service verifies the log, keeps it and publishes it, and can forge none of it.

use std::{fmt, str::FromStr};

use blindprint_core::{Invalid, SubjectId, UnixTime};

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
    /// Whether it is over.
    pub deactivated: bool,
    /// When the first entry came.
    pub created: UnixTime,
}

/// One more entry of a log.
#[derive(Debug, Clone, Copy)]
pub struct Addition<'a> {
    /// The line that the wallet signed.
    pub entry: &'a str,
    /// Whether it ends the log.
    pub deactivates: bool,
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
