//! What is written into the log of each thing that happens.

use blindprint_core::{Jws, Nonce, SubjectId, UnixTime};
use blindprint_log::{Commitment, Entry, Kind, LogError, Salt};
use serde_json::json;

use crate::domain::{
    issued::{Issuance, Standing, StatusEntry},
    record::VerdictRecord,
};

/// An entry on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    kind: Kind,
    subject: Option<SubjectId>,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// Only whoever has the salt can tell what it was.
    Committed(Vec<u8>),
    /// The end of what the enclave named at random, with what ended it, if that is to be shown.
    Tombstone(Vec<Nonce>, Option<Vec<u8>>),
    /// For everybody to read.
    Public(Jws),
}

impl Draft {
    /// An event of a subject's. The log shows its kind and time; nobody can show any more what it was
    /// once the subject is erased.
    pub fn of(subject: &SubjectId, kind: Kind, event: impl Into<Vec<u8>>) -> Self {
        Self {
            subject: Some(subject.clone()),
            ..Self::own(kind, event)
        }
    }

    /// An event of the service's own, committed to all the same. What opens the commitment stays, so
    /// nothing personal goes in here.
    pub fn own(kind: Kind, event: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            subject: None,
            content: Content::Committed(event.into()),
        }
    }

    /// The end of a subject's consents or enrolments, by the enclave's names of them.
    pub fn end(subject: &SubjectId, kind: Kind, handles: Vec<Nonce>, event: &Jws) -> Self {
        Self {
            kind,
            subject: Some(subject.clone()),
            content: Content::Tombstone(handles, Some(event.as_str().into())),
        }
    }

    /// A statement about the service or its enclave, published as it is.
    pub const fn public(kind: Kind, jws: Jws) -> Self {
        Self {
            kind,
            subject: None,
            content: Content::Public(jws),
        }
    }

    /// A verdict.
    pub fn verdict(verdict: &VerdictRecord) -> Self {
        Self::of(&verdict.subject, Kind::Verdict, verdict.jws.as_str())
    }

    /// An issuance, with the places that tell its copies' status.
    pub fn issued(issuance: &Issuance, entries: &[StatusEntry]) -> Self {
        let entries: Vec<_> = entries
            .iter()
            .map(|entry| json!({ "list": entry.list.0, "index": entry.index }))
            .collect();
        let event = json!({
            "issuance": issuance.id.to_string(),
            "kind": issuance.ground.kind(),
            "status": entries,
            "at": issuance.issued,
        });
        Self::about(
            issuance.ground.subject(),
            Kind::CredentialIssued,
            event.to_string(),
        )
    }

    /// What the status lists say of an issuance from now on.
    pub fn status_changed(subject: Option<&SubjectId>, issuance: &str, to: Standing) -> Self {
        let event = json!({ "issuance": issuance, "state": to.as_str() });
        Self::about(subject, Kind::CredentialStatus, event.to_string())
    }

    fn about(subject: Option<&SubjectId>, kind: Kind, event: String) -> Self {
        match subject {
            Some(subject) => Self::of(subject, kind, event),
            None => Self::own(kind, event),
        }
    }

    /// Whose it is; `None` if it is about nobody.
    pub const fn subject(&self) -> Option<&SubjectId> {
        self.subject.as_ref()
    }

    /// What the commitment is made to.
    pub fn event(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Committed(event) | Content::Tombstone(_, Some(event)) => Some(event),
            Content::Tombstone(_, None) | Content::Public(_) => None,
        }
    }

    /// What ends.
    pub fn handles(&self) -> &[Nonce] {
        match &self.content {
            Content::Tombstone(handles, _) => handles,
            Content::Committed(_) | Content::Public(_) => &[],
        }
    }

    /// Of whom nobody can show anything any more once this is logged.
    pub fn forgets(&self) -> Option<&SubjectId> {
        self.subject().filter(|_| self.kind == Kind::SubjectErased)
    }

    /// The entry of this time, committing under this salt.
    pub fn entry(&self, salt: &Salt, at: UnixTime) -> Result<Entry, LogError> {
        match &self.content {
            Content::Committed(event) => {
                Entry::committed(self.kind, at, Commitment::to(salt, event))
            }
            Content::Tombstone(handles, event) => {
                let commitment = event.as_ref().map(|event| Commitment::to(salt, event));
                Entry::tombstone(self.kind, at, handles.clone(), commitment)
            }
            Content::Public(jws) => Entry::public(self.kind, at, jws.clone()),
        }
    }
}
