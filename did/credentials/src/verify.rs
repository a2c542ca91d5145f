//! The one place of strict verification.

mod input;
mod outcome;
mod sd_jwt;
mod secured;
mod status;

use std::sync::Arc;

use async_trait::async_trait;
use blindprint_core::{Clock, UnixTime};
use blindprint_did::PublicKey;
pub use input::{UnverifiedCredential, UnverifiedPresentation};
pub use outcome::{
    Check, CredentialChecks, Format, PresentationChecks, VerifiedCredential, VerifiedPresentation,
};
use secured::Secured;
#[cfg(test)]
pub(crate) use secured::verify_token;
use serde_json::Value;

use crate::{
    Contexts, Credential, FetchError, KeyError, Presentation, VerifyError, graph::Graph, schema,
};

/// What a key is listed for in its DID document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relationship {
    /// Making claims: issuers.
    AssertionMethod,
    /// Proving presence: holders.
    Authentication,
}

impl Relationship {
    /// The member of the DID document, and the `proofPurpose`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssertionMethod => "assertionMethod",
            Self::Authentication => "authentication",
        }
    }
}

/// A key as its DID document gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedKey {
    /// Whose key the document says it is.
    pub controller: String,
    /// The key.
    pub key: PublicKey,
}

/// Where keys come from.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The key under the DID URL `method`, if its DID's present document lists it under
    /// `relationship`.
    async fn key_for(
        &self,
        method: &str,
        relationship: Relationship,
    ) -> Result<ResolvedKey, KeyError>;
}

/// A status list as it was served.
#[derive(Debug, Clone)]
pub struct FetchedList {
    /// The body, at most [`crate::Document::MAX_LEN`] or so bytes more than a list needs.
    pub body: Vec<u8>,
    /// The response's media type, without parameters.
    pub content_type: Option<String>,
}

/// Where status lists come from.
#[async_trait]
pub trait StatusLists: Send + Sync {
    /// The list at `url`, asked for as `accept`.
    async fn fetch(&self, url: &str, accept: &str) -> Result<FetchedList, FetchError>;
}

/// Verifies credentials and presentations.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<dyn Keys>,
    status_lists: Arc<dyn StatusLists>,
    clock: Arc<dyn Clock>,
    contexts: Contexts,
}

impl Verifier {
    /// How far clocks may differ, in seconds.
    pub const LEEWAY: i64 = 60;

    /// A verifier that knows these contexts, and Blindprint's schemas beside them.
    pub fn new(
        keys: Arc<dyn Keys>,
        status_lists: Arc<dyn StatusLists>,
        clock: Arc<dyn Clock>,
        contexts: Contexts,
    ) -> Self {
        Self {
            keys,
            status_lists,
            clock,
            contexts,
        }
    }

    /// Verifies a credential. An SD-JWT with key binding is a presentation.
    pub async fn credential(
        &self,
        credential: UnverifiedCredential,
        checks: &CredentialChecks,
    ) -> Result<VerifiedCredential, VerifyError> {
        let secured = match credential {
            UnverifiedCredential::SdJwt(token) => {
                if token.key_binding().is_some() {
                    return Err(VerifyError::Malformed("key binding on a mere credential"));
                }
                return self.sd_jwt(&token, checks).await;
            }
            UnverifiedCredential::DataIntegrity(document) => {
                Secured::data_integrity(&self.contexts, document)?
            }
            UnverifiedCredential::Jwt(token) => Secured::credential_jwt(&self.contexts, &token)?,
        };
        let (credential, format, mut done) = self.issued(secured).await?;
        done.extend(schema::check(&self.contexts, &credential)?);
        if checks.status {
            self.bitstring_status(&credential, &mut done).await?;
        } else {
            done.push(Check::StatusUnchecked);
        }
        Ok(VerifiedCredential {
            format,
            issuer: credential.issuer().to_owned(),
            types: credential.types().to_vec(),
            holder: credential.subject_id().map(str::to_owned),
            holder_key: None,
            valid_until: credential.valid_until(),
            claims: credential.into_document().into_members(),
            checks: done,
        })
    }

    /// Verifies a presentation and every credential in it.
    pub async fn presentation(
        &self,
        presentation: UnverifiedPresentation,
        checks: &PresentationChecks,
    ) -> Result<VerifiedPresentation, VerifyError> {
        let secured = match presentation {
            UnverifiedPresentation::SdJwt(token) => {
                return self.sd_jwt_presentation(&token, checks).await;
            }
            UnverifiedPresentation::Json(document)
                if checks.unsigned && !document.members().contains_key("proof") =>
            {
                Graph::of(&self.contexts, document.members())?;
                let presentation = Presentation::parse(document)?;
                let credentials = self.presented(&presentation, None, checks).await?;
                return Ok(VerifiedPresentation {
                    format: Format::Unsigned,
                    holder: None,
                    credentials,
                    checks: vec![Check::Contexts],
                });
            }
            UnverifiedPresentation::Json(document) => {
                Secured::data_integrity(&self.contexts, document)?
            }
            UnverifiedPresentation::Jwt(token) => {
                Secured::presentation_jwt(&self.contexts, &token)?
            }
        };
        let made = secured.made.ok_or(VerifyError::MalformedProof(
            "it does not say when it was made",
        ))?;
        self.recent(made, checks.max_age)?;
        let mut done = vec![Check::Contexts];
        bound(
            checks,
            secured.challenge.as_deref(),
            &secured.domains,
            &mut done,
        )?;
        let presentation = Presentation::parse(secured.document.clone())?;
        let holder = match (presentation.holder(), secured.controller()) {
            (Some(holder), controller) if holder != controller => {
                return Err(VerifyError::NotTheHoldersKey);
            }
            (_, controller) => controller.to_owned(),
        };
        if secured
            .issuer
            .as_ref()
            .is_some_and(|issuer| *issuer != holder)
        {
            return Err(VerifyError::NotTheHoldersKey);
        }
        let format = secured.format;
        let key = self
            .authentic(secured, Relationship::Authentication, &mut done)
            .await?;
        let credentials = self
            .presented(&presentation, Some((&holder, &key)), checks)
            .await?;
        if checks.holder_binding {
            done.push(Check::HolderBinding);
        }
        Ok(VerifiedPresentation {
            format,
            holder: Some(holder),
            credentials,
            checks: done,
        })
    }

    /// A credential that its issuer signed and that holds now, whatever it says.
    async fn issued(
        &self,
        secured: Secured,
    ) -> Result<(Credential, Format, Vec<Check>), VerifyError> {
        let credential = Credential::parse(secured.document.clone())?;
        if secured.controller() != credential.issuer() {
            return Err(VerifyError::NotTheIssuersKey);
        }
        if secured
            .issuer
            .as_ref()
            .is_some_and(|issuer| issuer != credential.issuer())
        {
            return Err(VerifyError::IssuerMismatch);
        }
        let mut done = vec![Check::Contexts];
        let format = secured.format;
        self.authentic(secured, Relationship::AssertionMethod, &mut done)
            .await?;
        self.holds(credential.valid_from(), credential.valid_until())?;
        done.push(Check::Validity);
        Ok((credential, format, done))
    }

    /// The key that made the proof, if its controller lists it for this purpose.
    async fn authentic(
        &self,
        secured: Secured,
        relationship: Relationship,
        done: &mut Vec<Check>,
    ) -> Result<PublicKey, VerifyError> {
        if let Some(purpose) = &secured.purpose
            && purpose != relationship.as_str()
        {
            return Err(VerifyError::WrongPurpose);
        }
        let now = self.clock.now();
        if secured
            .made
            .is_some_and(|made| made > now.plus(Self::LEEWAY))
        {
            return Err(VerifyError::ProofFromTheFuture);
        }
        if secured
            .not_before
            .is_some_and(|from| from > now.plus(Self::LEEWAY))
        {
            return Err(VerifyError::NotYetValid);
        }
        if secured.expires.is_some_and(|expires| expires <= now) {
            return Err(VerifyError::ProofExpired);
        }
        let resolved = self.keys.key_for(&secured.method, relationship).await?;
        if resolved.controller != secured.controller() {
            return Err(match relationship {
                Relationship::AssertionMethod => VerifyError::NotTheIssuersKey,
                Relationship::Authentication => VerifyError::NotTheHoldersKey,
            });
        }
        let method = secured.method.clone();
        secured.verify(&resolved.key)?;
        done.push(Check::Proof { method });
        Ok(resolved.key)
    }

    /// Every credential in a presentation, bound to its holder if that is asked for.
    async fn presented(
        &self,
        presentation: &Presentation,
        holder: Option<(&str, &PublicKey)>,
        checks: &PresentationChecks,
    ) -> Result<Vec<VerifiedCredential>, VerifyError> {
        let mut credentials = Vec::new();
        for member in presentation.credentials() {
            let credential = UnverifiedCredential::from_value(Value::Object(member.clone()))?;
            let verified = self.credential(credential, &checks.credentials).await?;
            if checks.holder_binding {
                let (holder, key) = holder.ok_or(VerifyError::NotTheSubject)?;
                let is_holder = match verified.format {
                    Format::SdJwt => verified.holder_key.as_ref() == Some(key),
                    _ => verified.holder.as_deref() == Some(holder),
                };
                if !is_holder {
                    return Err(VerifyError::NotTheSubject);
                }
            }
            credentials.push(verified);
        }
        Ok(credentials)
    }

    fn holds(&self, from: Option<UnixTime>, until: Option<UnixTime>) -> Result<(), VerifyError> {
        let now = self.clock.now();
        if from.is_some_and(|from| from > now.plus(Self::LEEWAY)) {
            return Err(VerifyError::NotYetValid);
        }
        if until.is_some_and(|until| until <= now) {
            return Err(VerifyError::Expired);
        }
        Ok(())
    }

    fn recent(&self, made: UnixTime, max_age: i64) -> Result<(), VerifyError> {
        let now = self.clock.now();
        if made > now.plus(Self::LEEWAY) {
            return Err(VerifyError::ProofFromTheFuture);
        }
        if now.since(made) > max_age {
            return Err(VerifyError::ProofExpired);
        }
        Ok(())
    }
}

/// Whether a proof answers the request that it should.
fn bound(
    checks: &PresentationChecks,
    challenge: Option<&str>,
    domains: &[String],
    done: &mut Vec<Check>,
) -> Result<(), VerifyError> {
    if let Some(wanted) = &checks.challenge {
        if challenge != Some(wanted) {
            return Err(VerifyError::WrongChallenge);
        }
        done.push(Check::Challenge);
    }
    if let Some(wanted) = &checks.domain {
        if !domains.contains(wanted) {
            return Err(VerifyError::WrongDomain);
        }
        done.push(Check::Domain);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
