//! Credentials that the wallet holds: received over OID4VCI ([`receive`]), shown over OID4VP
//! ([`present`]).
//!
//! They come in copies, each bound to a key of its own, and a copy is shown once: two verifiers who
//! compare what they were shown find no key, no status index and no signature in common. What still
//! links them is what the credential says, and who issued it when.

mod believe;
mod candidate;
mod exchange;
mod hand_over;
mod issuance;
mod present;
mod receive;
mod record;
mod request;

use blindprint_core::UnixTime;
use blindprint_credentials::CredentialChecks;
use serde_json::{Map, Value};
use uuid::Uuid;

pub(crate) use self::record::CredentialRecord;
pub use self::{
    present::{Disclosure, PresentationRequest, Presented},
    receive::{OfferedCredential, PendingOffer, ReceiveOptions},
};
use crate::{Error, Result, Wallet};

/// A credential as the wallet knows it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CredentialView {
    /// Which.
    pub id: Uuid,
    /// What its issuer calls it.
    pub name: Option<String>,
    /// Where it was received: a Credential Issuer Identifier.
    pub received_from: String,
    /// Who signed it: a DID.
    pub issuer: String,
    /// Its types: those of VCDM, or the `vct`.
    pub types: Vec<String>,
    /// `ldp_vc`, `jwt_vc_json` or `dc+sd-jwt`.
    pub format: String,
    /// When it was received.
    pub received: UnixTime,
    /// Until when it holds.
    pub expires: Option<UnixTime>,
    /// Copies received.
    pub copies: usize,
    /// Copies that nobody has seen.
    pub unused: usize,
    /// Who was shown a copy, and when.
    pub shown: Vec<Shown>,
    /// What it says.
    pub claims: Map<String, Value>,
}

/// One time that a copy was shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// To whom: a client id with its prefix.
    pub to: String,
    /// When.
    pub at: UnixTime,
}

/// Whether a credential still stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "why")]
pub enum CredentialStatus {
    /// It verifies, and its issuer has not taken it back.
    Good,
    /// It does not: the reason, by its stable name (`revoked`, `expired`, …).
    Bad(String),
    /// Ask again later: its issuer's DID or status list could not be had.
    Unknown(String),
}

impl Wallet {
    /// Credentials, oldest first.
    pub fn credentials(&self) -> Result<Vec<CredentialView>> {
        self.state
            .credentials
            .iter()
            .map(CredentialRecord::view)
            .collect()
    }

    /// The only credential whose id begins with `id`.
    pub fn credential(&self, id: &str) -> Result<CredentialView> {
        self.state.credentials[self.credential_index(id)?].view()
    }

    /// Verifies a credential anew, its status included. The issuer learns that somebody asks for the
    /// list that a hundred thousand credentials share, not which.
    pub async fn credential_status(&self, id: &str) -> Result<CredentialStatus> {
        let record = &self.state.credentials[self.credential_index(id)?];
        let believer = self.believer(&record.received_from)?;
        let Some(copy) = record.copies.first() else {
            return Err(Error::Invalid("the credential has no copy".to_owned()));
        };
        let found = believer
            .credential(copy.credential.clone(), &CredentialChecks { status: true })
            .await;
        Ok(match found {
            Ok(_) => CredentialStatus::Good,
            Err(error) if error.is_unavailable() => CredentialStatus::Unknown(error.to_string()),
            Err(error) => CredentialStatus::Bad(error.code().to_owned()),
        })
    }

    /// Forgets a credential with its keys. It is not revoked: the issuer does that, when what it says
    /// is erased or withdrawn.
    pub fn delete_credential(&mut self, id: &str) -> Result<CredentialView> {
        let index = self.credential_index(id)?;
        let view = self.state.credentials[index].view()?;
        self.state.credentials.remove(index);
        self.save()?;
        Ok(view)
    }

    fn credential_index(&self, id: &str) -> Result<usize> {
        let mut fitting = self
            .state
            .credentials
            .iter()
            .enumerate()
            .filter(|(_, record)| record.id.to_string().starts_with(id));
        match (fitting.next(), fitting.next()) {
            (Some((index, _)), None) if id.len() >= 4 => Ok(index),
            (None, _) => Err(Error::Invalid(format!(
                "this wallet has no credential {id}"
            ))),
            _ => Err(Error::Invalid(format!(
                "several credentials begin with {id}: give more of the id"
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
