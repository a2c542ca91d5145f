//! Verifying what issuers send.

use std::sync::Arc;

use blindprint_credentials::{
    Contexts, CredentialChecks, Deployment, UnverifiedCredential, VerifiedCredential, Verifier,
    VerifyError,
};
use serde_json::Value;

use crate::{Result, Wallet};

/// A verifier that knows the vocabulary of this wallet's service and of one issuer more.
pub(super) struct Believer(Verifier);

impl Wallet {
    pub(super) fn believer(&self, issuer: &str) -> Result<Believer> {
        Ok(Believer(Verifier::new(
            Arc::new(self.resolver()?),
            Arc::new(self.egress()?),
            Arc::clone(&self.surroundings.clock),
            self.contexts(issuer),
        )))
    }

    /// Own contexts have one text, wherever a deployment of Blindprint serves them.
    pub(super) fn contexts(&self, issuer: &str) -> Contexts {
        let contexts = Contexts::standard().with(&Deployment::new(&self.state.service));
        match issuer.parse() {
            Ok(other) if other != self.state.service => contexts.with(&Deployment::new(&other)),
            _ => contexts,
        }
    }
}

impl Believer {
    pub(super) async fn credential(
        &self,
        credential: Value,
        checks: &CredentialChecks,
    ) -> Result<VerifiedCredential, VerifyError> {
        let credential = UnverifiedCredential::from_value(credential)?;
        self.0.credential(credential, checks).await
    }
}
