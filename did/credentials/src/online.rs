//! Keys as DID documents list them, and status lists as they are served.

use async_trait::async_trait;
use blindprint_egress::{Egress, EgressError};
use blindprint_resolver::{ResolutionError, Resolver};

use crate::{FetchError, FetchedList, KeyError, Keys, Relationship, ResolvedKey, StatusLists};

#[async_trait]
impl Keys for Resolver {
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
        let found = Box::pin(Self::key_for(self, &url, relationship))
            .await
            .map_err(|error| key_error(&error))?;
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

const fn key_error(error: &ResolutionError) -> KeyError {
    match error {
        ResolutionError::InvalidDid
        | ResolutionError::InvalidDidUrl
        | ResolutionError::NotFound => KeyError::NotFound,
        ResolutionError::Relationship => KeyError::Relationship,
        ResolutionError::Deactivated => KeyError::Deactivated,
        ResolutionError::Fetch(_) | ResolutionError::Internal(_) => KeyError::Unavailable,
        _ => KeyError::Unsupported,
    }
}

#[async_trait]
impl StatusLists for Egress {
    async fn fetch(&self, url: &str, accept: &str) -> Result<FetchedList, FetchError> {
        let response = self.get(url, accept).await.map_err(|error| match error {
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
