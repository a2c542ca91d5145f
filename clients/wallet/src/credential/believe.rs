//! Verifying what issuers send.

use std::sync::Arc;

use async_trait::async_trait;
use blindprint_credentials::{
    Contexts, CredentialChecks, Deployment, FetchError, FetchedList, KeyError, Keys, Relationship,
    ResolvedKey, StatusLists, UnverifiedCredential, VerifiedCredential, Verifier, VerifyError,
};
use blindprint_egress::{Egress, EgressError};
use blindprint_resolver::{ResolutionError, Resolver};
use serde_json::Value;

use crate::{Result, Wallet};

/// A verifier that knows the vocabulary of this wallet's service and of one issuer more.
pub(super) struct Believer(Verifier);

impl Wallet {
    pub(super) fn believer(&self, issuer: &str) -> Result<Believer> {
        Ok(Believer(Verifier::new(
            Arc::new(ListedKeys(self.resolver()?)),
            Arc::new(FetchedLists(self.egress()?)),
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

pub(super) struct ListedKeys(pub(super) Resolver);

#[async_trait]
impl Keys for ListedKeys {
    async fn key_for(
        &self,
        method: &str,
        relationship: Relationship,
    ) -> Result<ResolvedKey, KeyError> {
        let url = method.parse().map_err(|_| KeyError::NotFound)?;
        let relationship = match relationship {
            Relationship::AssertionMethod => blindprint_resolver::Relationship::AssertionMethod,
            Relationship::Authentication => blindprint_resolver::Relationship::Authentication,
        };
        let found = Box::pin(self.0.key_for(&url, relationship)).await;
        let found = found.map_err(|error| match error {
            ResolutionError::InvalidDid
            | ResolutionError::InvalidDidUrl
            | ResolutionError::NotFound => KeyError::NotFound,
            ResolutionError::Relationship => KeyError::Relationship,
            ResolutionError::Deactivated => KeyError::Deactivated,
            ResolutionError::Fetch(_) | ResolutionError::Internal(_) => KeyError::Unavailable,
            _ => KeyError::Unsupported,
        })?;
        // A document may list a key that it says is somebody else's; that somebody has not said so.
        if found.controller != found.did {
            return Err(KeyError::Unsupported);
        }
        Ok(ResolvedKey {
            controller: found.controller.to_string(),
            key: found.key,
        })
    }
}

pub(super) struct FetchedLists(pub(super) Egress);

#[async_trait]
impl StatusLists for FetchedLists {
    async fn fetch(&self, url: &str, accept: &str) -> Result<FetchedList, FetchError> {
        let response = self.0.get(url, accept).await.map_err(|error| match error {
            EgressError::Status(404 | 410) => FetchError::NotFound,
            EgressError::Refused(_) => FetchError::Refused,
            _ => FetchError::Unavailable,
        })?;
        Ok(FetchedList {
            content_type: response.content_type,
            body: response.body,
        })
    }
}
