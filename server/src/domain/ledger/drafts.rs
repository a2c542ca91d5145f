//! What is written into the log of each thing that happens.

use blindprint_core::{
    Jws, Nonce, SubjectId, UnixTime,
    consent::ConsentState,
    statement::{
        ConsentReceipt, EnrolmentReceipt, ErasureReceipt, KeyReceipt, SubjectErasureReceipt,
    },
};
use blindprint_did::verify;
use blindprint_log::{Commitment, Entry, Kind, LogError, Salt};
use blindprint_protocol::message::{EnclaveRequest, EnclaveResponse};
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
    Committed(String),
    /// The end of what the enclave named at random, with what ended it, if that is to be shown.
    Tombstone(Vec<Nonce>, Option<String>),
    /// For everybody to read.
    Public(Jws),
}

impl Draft {
    /// An event of a subject's. The log shows its kind and time; nobody can show any more what it was
    /// once the subject is erased.
    pub fn of(subject: &SubjectId, kind: Kind, event: impl Into<String>) -> Self {
        Self {
            subject: Some(subject.clone()),
            ..Self::own(kind, event)
        }
    }

    /// An event of the service's own, committed to all the same. What opens the commitment stays, so
    /// nothing personal goes in here.
    pub fn own(kind: Kind, event: impl Into<String>) -> Self {
        Self {
            kind,
            subject: None,
            content: Content::Committed(event.into()),
        }
    }

    /// The end of a subject's consents or enrolments, by the enclave's names of them.
    pub fn end(subject: &SubjectId, kind: Kind, handles: Vec<Nonce>, event: &Jws) -> Self {
        Self::ended(subject, kind, handles, event.as_str())
    }

    /// The same where the enclave gives no receipt of its own: with what else ended them.
    pub fn ended(
        subject: &SubjectId,
        kind: Kind,
        handles: Vec<Nonce>,
        event: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            subject: Some(subject.clone()),
            content: Content::Tombstone(handles, Some(event.into())),
        }
    }

    /// The end of all that was kept of a subject. It commits to nothing: once this is logged, what opens
    /// their commitments is gone.
    pub fn erased(subject: &SubjectId, handles: Vec<Nonce>) -> Self {
        Self {
            kind: Kind::SubjectErased,
            subject: Some(subject.clone()),
            content: Content::Tombstone(handles, None),
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
    pub fn event(&self) -> Option<&str> {
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
                Entry::committed(self.kind, at, Commitment::to(salt, event.as_bytes()))
            }
            Content::Tombstone(handles, event) => {
                let commitment = event
                    .as_ref()
                    .map(|event| Commitment::to(salt, event.as_bytes()));
                Entry::tombstone(self.kind, at, handles.clone(), commitment)
            }
            Content::Public(jws) => Entry::public(self.kind, at, jws.clone()),
        }
    }
}

/// What the log is told of a change that the enclave made, by its receipts. A subject's own statement
/// is committed to where there is one, so that their wallet can check without the receipt.
pub fn drafts_of(request: &EnclaveRequest, answer: &EnclaveResponse) -> Vec<Draft> {
    let receipts = match answer {
        EnclaveResponse::Receipt { receipt } => std::slice::from_ref(receipt),
        EnclaveResponse::Receipts { receipts } => receipts,
        _ => return Vec::new(),
    };
    let mut signed = match request {
        EnclaveRequest::GiveConsent { consent } => Some(consent),
        EnclaveRequest::Withdraw { withdrawal } => Some(withdrawal),
        _ => None,
    };
    receipts
        .iter()
        .flat_map(|receipt| of_receipt(receipt, signed.take().unwrap_or(receipt)))
        .collect()
}

fn of_receipt(receipt: &Jws, event: &Jws) -> Vec<Draft> {
    if let Ok(word) = verify::<ConsentReceipt>(receipt) {
        let word = word.into_statement();
        let kind = match word.state {
            ConsentState::Given => Kind::ConsentGiven,
            ConsentState::Refused => Kind::ConsentRefused,
            ConsentState::Withdrawn => Kind::ConsentWithdrawn,
            ConsentState::Expired => Kind::ConsentExpired,
            ConsentState::Invalidated => Kind::ConsentInvalidated,
            // The enclave notes answers, not questions.
            ConsentState::Requested => return Vec::new(),
        };
        return vec![if kind.is_tombstone() {
            Draft::end(&word.sub, kind, vec![word.handle], event)
        } else {
            Draft::of(&word.sub, kind, event.as_str())
        }];
    }
    if let Ok(word) = verify::<EnrolmentReceipt>(receipt) {
        let subject = &word.statement().sub;
        return vec![Draft::of(
            subject,
            Kind::EnrolmentRegistered,
            event.as_str(),
        )];
    }
    if let Ok(word) = verify::<ErasureReceipt>(receipt) {
        let word = word.statement();
        let handles = vec![word.handle];
        return vec![Draft::end(&word.sub, Kind::EnrolmentErased, handles, event)];
    }
    if let Ok(word) = verify::<KeyReceipt>(receipt) {
        let subject = &word.statement().sub;
        return vec![Draft::of(subject, Kind::KeyChanged, event.as_str())];
    }
    if let Ok(word) = verify::<SubjectErasureReceipt>(receipt) {
        return erased(&word.into_statement());
    }
    Vec::new()
}

/// Names everything that is over, in as many entries as it takes.
fn erased(word: &SubjectErasureReceipt) -> Vec<Draft> {
    let enrolments = word.enrolments.iter().map(|enrolment| enrolment.handle);
    let consents = word.consents.iter().map(|consent| consent.handle);
    let handles: Vec<Nonce> = std::iter::once(word.handle)
        .chain(enrolments)
        .chain(consents)
        .collect();
    handles
        .chunks(Entry::MAX_HANDLES)
        .map(|handles| Draft::erased(&word.sub, handles.to_vec()))
        .collect()
}

#[cfg(test)]
mod tests;
