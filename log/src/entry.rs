use std::{fmt, str::FromStr};

use blindprint_core::{Jws, Nonce, UnixTime};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Commitment, LogError};

/// The version that every entry names.
const VERSION: u64 = 1;
/// The latest instant that JSON's numbers hold exactly (RFC 7493 section 2.2).
const LAST: i64 = (1 << 53) - 1;

/// One line of the log: an RFC 8785 canonical JSON object, which is what the tree hashes.
///
/// It holds no personal data: what happened stands behind a [`Commitment`] whose salt can be
/// destroyed, what ended is named by handles that the enclave drew at random, and only statements
/// about the service itself stand in it as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    kind: Kind,
    at: UnixTime,
    commitment: Option<Commitment>,
    handles: Vec<Nonce>,
    jws: Option<Jws>,
}

impl Entry {
    /// Longest encoding, in bytes.
    pub const MAX_LEN: usize = 4096;
    /// Most handles in one entry: as many as fit. What names more takes several entries.
    pub const MAX_HANDLES: usize = 80;

    /// An event that only whoever has the salt can read. [`LogError::Content`] for
    /// [`Kind::EnclaveMark`] and for what must name handles.
    pub fn committed(kind: Kind, at: UnixTime, commitment: Commitment) -> Result<Self, LogError> {
        Self::checked(Self {
            kind,
            at,
            commitment: Some(commitment),
            handles: Vec::new(),
            jws: None,
        })
    }

    /// The end of what `handles` name. [`LogError::Content`] if `kind` ends nothing
    /// ([`Kind::is_tombstone`]) or if there are no handles, which only [`Kind::SubjectErased`] may lack.
    pub fn tombstone(
        kind: Kind,
        at: UnixTime,
        handles: Vec<Nonce>,
        commitment: Option<Commitment>,
    ) -> Result<Self, LogError> {
        Self::checked(Self {
            kind,
            at,
            commitment,
            handles,
            jws: None,
        })
    }

    /// A statement of the service or its enclave, for everybody to read. [`LogError::Content`] unless
    /// the kind is [`Kind::EnclaveMark`], [`Kind::KeyChanged`] or [`Kind::ConfigChanged`].
    pub fn public(kind: Kind, at: UnixTime, jws: Jws) -> Result<Self, LogError> {
        Self::checked(Self {
            kind,
            at,
            commitment: None,
            handles: Vec::new(),
            jws: Some(jws),
        })
    }

    /// What kind of event.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// When, by the clock of whoever wrote it.
    pub const fn at(&self) -> UnixTime {
        self.at
    }

    /// What stands for the event.
    pub const fn commitment(&self) -> Option<&Commitment> {
        self.commitment.as_ref()
    }

    /// The consents and enrolments that end here; empty unless this is a tombstone.
    pub fn handles(&self) -> &[Nonce] {
        &self.handles
    }

    /// The statement, not verified.
    pub const fn jws(&self) -> Option<&Jws> {
        self.jws.as_ref()
    }

    /// The entry with this encoding. There is one encoding: other spacing, order or spelling is
    /// [`LogError::Malformed`].
    pub fn parse(encoded: &[u8]) -> Result<Self, LogError> {
        if encoded.len() > Self::MAX_LEN {
            return Err(LogError::TooLong);
        }
        let mut object = blindprint_did::json::object(encoded)
            .ok_or(LogError::Malformed("an entry is a JSON object"))?;
        if object.remove("v").as_ref().and_then(Value::as_u64) != Some(VERSION) {
            return Err(LogError::Malformed("an entry's version is 1"));
        }
        let kind = text(&mut object, "kind")?
            .ok_or(LogError::Malformed("an entry has a kind"))?
            .parse()?;
        let at = object
            .remove("at")
            .as_ref()
            .and_then(Value::as_i64)
            .ok_or(LogError::Malformed("an entry has a time in whole seconds"))?;
        let commitment = text(&mut object, "commitment")?
            .map(|text| text.parse())
            .transpose()?;
        let handles = match object.remove("handles") {
            None => Vec::new(),
            Some(Value::Array(handles)) => handles
                .iter()
                .map(|handle| handle.as_str().and_then(|handle| handle.parse().ok()))
                .collect::<Option<_>>()
                .ok_or(LogError::Malformed("a handle is 32 bytes in base64url"))?,
            Some(_) => return Err(LogError::Malformed("handles are a list")),
        };
        let jws = text(&mut object, "jws")?
            .map(|text| text.parse().map_err(|_| LogError::Malformed("not a JWS")))
            .transpose()?;
        if !object.is_empty() {
            return Err(LogError::Malformed("unknown member of an entry"));
        }
        let entry = Self::checked(Self {
            kind,
            at: UnixTime(at),
            commitment,
            handles,
            jws,
        })?;
        if entry.encode() != encoded {
            return Err(LogError::Malformed("an entry is canonical JSON"));
        }
        Ok(entry)
    }

    /// The bytes that the tree hashes.
    ///
    /// # Panics
    /// Never: text, small numbers and lists of text have a canonical form.
    pub fn encode(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Encoded<'a> {
            v: u64,
            kind: &'static str,
            at: UnixTime,
            #[serde(skip_serializing_if = "Option::is_none")]
            commitment: Option<String>,
            #[serde(skip_serializing_if = "<[Nonce]>::is_empty")]
            handles: &'a [Nonce],
            #[serde(skip_serializing_if = "Option::is_none")]
            jws: Option<&'a Jws>,
        }
        serde_json_canonicalizer::to_vec(&Encoded {
            v: VERSION,
            kind: self.kind.as_str(),
            at: self.at,
            commitment: self.commitment.as_ref().map(Commitment::to_string),
            handles: &self.handles,
            jws: self.jws.as_ref(),
        })
        .expect("an entry has a canonical form")
    }

    fn checked(self) -> Result<Self, LogError> {
        if !(0..=LAST).contains(&self.at.0) {
            return Err(LogError::Malformed("an entry's time is after 1970"));
        }
        let (committed, named, stated) = (
            self.commitment.is_some(),
            !self.handles.is_empty(),
            self.jws.is_some(),
        );
        let fits = match self.kind {
            Kind::EnclaveMark => stated && !committed && !named,
            Kind::KeyChanged | Kind::ConfigChanged => (stated || committed) && !named,
            Kind::SubjectErased => !stated,
            kind if kind.is_tombstone() => named && !stated,
            _ => committed && !named && !stated,
        };
        if !fits {
            return Err(LogError::Content);
        }
        if self.handles.len() > Self::MAX_HANDLES || self.encode().len() > Self::MAX_LEN {
            return Err(LogError::TooLong);
        }
        Ok(self)
    }
}

/// Takes the text that is the member `name`, if there is such a member.
fn text(object: &mut Map<String, Value>, name: &str) -> Result<Option<String>, LogError> {
    match object.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(LogError::Malformed("a member of an entry is not text")),
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What kind of event an [`Entry`] records.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $variant,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the log.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// A subject consented.
    ConsentGiven = "consent.given",
    /// A subject refused.
    ConsentRefused = "consent.refused",
    /// A consent was withdrawn: tombstone.
    ConsentWithdrawn = "consent.withdrawn",
    /// A consent ran out: tombstone.
    ConsentExpired = "consent.expired",
    /// A consent no longer counts, for its notice was superseded: tombstone.
    ConsentInvalidated = "consent.invalidated",
    /// A template was registered.
    EnrolmentRegistered = "enrolment.registered",
    /// A template was erased: tombstone.
    EnrolmentErased = "enrolment.erased",
    /// All that was kept about a subject was erased: tombstone of all that was left.
    SubjectErased = "subject.erased",
    /// A probe was compared.
    Verdict = "verdict",
    /// A credential was issued.
    CredentialIssued = "credential.issued",
    /// A credential was suspended, reinstated or revoked.
    CredentialStatus = "credential.status",
    /// A key of the service was made or retired.
    KeyChanged = "key.changed",
    /// The service's configuration changed.
    ConfigChanged = "config.changed",
    /// An administrator did something.
    AdminAct = "admin.act",
    /// A request to exercise a right was opened or moved on.
    RightsChanged = "rights.changed",
    /// The enclave's statement of the state it is in.
    EnclaveMark = "enclave.mark",
}

impl Kind {
    /// Whether what the entry's handles name has ended: an enclave that reads it never opens for it
    /// again.
    pub const fn is_tombstone(self) -> bool {
        matches!(
            self,
            Self::ConsentWithdrawn
                | Self::ConsentExpired
                | Self::ConsentInvalidated
                | Self::EnrolmentErased
                | Self::SubjectErased
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or(LogError::Malformed("unknown kind of entry"))
    }
}

#[cfg(test)]
mod tests;
