//! Credentials: on what they stand, and how they are issued.
//!
//! Whoever wants one names what it stands on: a live enrolment, a fresh positive verdict, a live
//! consent. That is looked at when an offer is made, and again in the transaction that records the
//! issuance, so that what was erased in between gives no credential, and what is erased afterwards
//! takes its credentials with it.

mod facts;
mod general;
mod verifications;

use std::sync::Arc;

use blindprint_core::{Clock, Entropy, ServiceId, SubjectId, problem::ProblemCode};
use blindprint_credentials::{
    Claims, Contexts, Credential, CredentialBuilder, Deployment, IssueError, Signer, Suite,
    Verifier, sd_jwt::SdJwtClaims,
};
use blindprint_did::{KeyType, PublicKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    CurrentIssuer, Issuer, StatusLists,
    issued::{CredentialFormat, CredentialKind, Issuance, IssuanceId, Reference, StatusEntry},
};
use crate::{Error, Result, backend::Enclave, store::Store};
use facts::Validity;

pub use general::{Change, General, Securing};
pub use verifications::Verifications;

/// Copies of one credential in one batch at most.
pub const MOST_COPIES: usize = 16;

/// A key that a wallet has proved to hold, to which one copy of a credential is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderKey {
    /// The key.
    pub key: PublicKey,
}

/// What a credential stands on, seen to be there when this was made. It is looked at again when the
/// credential is issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    subject: SubjectId,
    reference: Reference,
}

impl Basis {
    /// Whose.
    pub const fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// Which of theirs.
    pub const fn reference(&self) -> &Reference {
        &self.reference
    }

    /// What a credential on it says.
    pub const fn kind(&self) -> CredentialKind {
        self.reference.kind()
    }
}

/// One batch, issued.
#[derive(Debug, Clone, PartialEq)]
pub struct Issued {
    /// Its name.
    pub issuance: IssuanceId,
    /// One credential a holder's key, in their order: an object, or a text for JOSE and SD-JWT.
    pub credentials: Vec<Value>,
}

/// What the operator decided about credentials.
#[derive(Debug, Clone)]
pub struct CredentialTerms {
    /// The service.
    pub service: ServiceId,
    /// The oldest verdict on which an authentication credential is issued, in seconds.
    pub verdict_seconds: u32,
}

/// The parts that credentials need.
pub struct CredentialParts {
    /// Memory.
    pub store: Arc<dyn Store>,
    /// Its terms go into credentials.
    pub enclave: Arc<Enclave>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who issues.
    pub issuer: Arc<CurrentIssuer>,
    /// Where the status of credentials is told.
    pub lists: Arc<StatusLists>,
    /// What believes others' credentials.
    pub verifier: Verifier,
}

/// The issuer of credentials.
pub struct Credentials {
    terms: CredentialTerms,
    parts: CredentialParts,
    deployment: Deployment,
    contexts: Contexts,
    verifications: Verifications,
}

impl Credentials {
    /// An issuer on these terms.
    pub fn new(terms: CredentialTerms, parts: CredentialParts) -> Self {
        let deployment = Deployment::new(&terms.service);
        Self {
            contexts: Contexts::standard().with(&deployment),
            verifications: Verifications::new(parts.verifier.clone()),
            deployment,
            terms,
            parts,
        }
    }

    /// Who issues.
    pub fn issuer(&self) -> &CurrentIssuer {
        &self.parts.issuer
    }

    /// Where the status of credentials is told.
    pub fn lists(&self) -> &StatusLists {
        &self.parts.lists
    }

    /// What believes others' credentials, and our own.
    pub const fn verifications(&self) -> &Verifications {
        &self.verifications
    }

    /// Where vocabulary is published.
    pub const fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What a credential of `subject` would stand on. [`ProblemCode::NoBasis`] if it does not
    /// exist, is somebody else's, or is over.
    pub async fn basis(&self, subject: &SubjectId, reference: Reference) -> Result<Basis> {
        let basis = Basis {
            subject: subject.clone(),
            reference,
        };
        self.facts(&basis).await?;
        Ok(basis)
    }

    /// Issues one copy for each key, at most [`MOST_COPIES`]. Basis and indices are recorded before
    /// anything is signed; copies that never reach their holder have cost an index each.
    pub async fn issue(
        &self,
        basis: &Basis,
        format: CredentialFormat,
        holders: &[HolderKey],
    ) -> Result<Issued> {
        if !(1..=MOST_COPIES).contains(&holders.len()) {
            return Err(Error::because(
                ProblemCode::MalformedRequest,
                "between 1 and 16 copies are issued at once",
            ));
        }
        let facts = self.facts(basis).await?;
        let claims = self.claims(&facts).await?;
        let now = self.parts.clock.now();
        let issuer = self.parts.issuer.now();
        let issuance = Issuance {
            id: IssuanceId::random(&*self.parts.entropy),
            ground: facts.ground(),
            issuer: issuer.method(),
            entries: Some((format.list(), holders.len())),
            issued: now,
        };
        let entries = self
            .parts
            .store
            .record_issuance(&issuance, &*self.parts.entropy)
            .await?
            .ok_or(Error::Refused(ProblemCode::NoBasis))?;
        let validity = facts.validity(now);
        let credentials: Result<Vec<Value>, IssueError> = holders
            .iter()
            .zip(entries)
            .map(|(holder, entry)| self.copy(&issuer, &claims, validity, format, (holder, entry)))
            .collect();
        let credentials =
            credentials.map_err(|error| Error::broken("signing a credential")(error.into()))?;
        let copies = credentials.len() as u64;
        metrics::counter!("blindprint_credentials_issued_total", "kind" => basis.kind().as_str())
            .increment(copies);
        Ok(Issued {
            issuance: issuance.id,
            credentials,
        })
    }

    /// One copy.
    fn copy(
        &self,
        issuer: &Issuer,
        claims: &Claims,
        validity: Validity,
        format: CredentialFormat,
        (holder, entry): (&HolderKey, StatusEntry),
    ) -> Result<Value, IssueError> {
        let did = issuer.did().as_str();
        let key = issuer.credential_key(match format {
            CredentialFormat::SdJwtEs256 => KeyType::P256,
            _ => KeyType::Ed25519,
        });
        let (jose, multikey) = (issuer.jose_method(key), issuer.multikey_method(key));
        let signer = |method| Signer::new(key, method, &self.contexts);
        let credential = || {
            let entries = self.parts.lists.bitstring_entries(entry);
            let builder = Credential::builder(&self.deployment, did, claims)
                .held_by(holder.key.uri().as_str())
                .valid_from(validity.from)
                .valid_until(validity.until);
            let told = entries.iter().fold(builder, CredentialBuilder::status);
            told.build()
        };
        Ok(match format {
            CredentialFormat::LdpVcJcs => {
                signer(&multikey)?.credential(credential()?, Suite::EddsaJcs2022, validity.from)?
            }
            CredentialFormat::LdpVcRdfc => {
                signer(&multikey)?.credential(credential()?, Suite::EddsaRdfc2022, validity.from)?
            }
            CredentialFormat::JwtVc => signer(&jose)?.credential_jwt(&credential()?)?.into(),
            CredentialFormat::SdJwtEdDsa | CredentialFormat::SdJwtEs256 => {
                let status = self.parts.lists.token_entry(entry);
                let of = SdJwtClaims::of(&self.deployment, did, claims, validity.from)?;
                let claims = SdJwtClaims {
                    expires: Some(validity.until),
                    holder: Some(&holder.key),
                    status: Some(&status),
                    ..of
                };
                let token = signer(&jose)?.sd_jwt(&claims, &*self.parts.entropy)?;
                token.to_text().into()
            }
        })
    }
}
