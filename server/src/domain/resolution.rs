//! How the service finds keys, documents and status lists: its own without a call to itself,
//! others' through the one client that fetches.

use std::sync::Arc;

use async_trait::async_trait;
use blindprint_core::ServiceId;
use blindprint_credentials::{FetchError, FetchedList, KeyError, Keys, Relationship, ResolvedKey};
use blindprint_egress::{Egress, EgressError};
use blindprint_resolver::{Local, LocalFile, ResolutionError, Resolver};
use url::Url;

use super::{CurrentIssuer, DidName, Hosting, StatusLists};
use crate::Result;

/// The DID documents and logs that this service publishes.
pub struct OwnFiles {
    service: ServiceId,
    issuer: Arc<CurrentIssuer>,
    hosting: Arc<Hosting>,
}

impl OwnFiles {
    /// Those below this service's URL.
    pub const fn new(
        service: ServiceId,
        issuer: Arc<CurrentIssuer>,
        hosting: Arc<Hosting>,
    ) -> Self {
        Self {
            service,
            issuer,
            hosting,
        }
    }

    async fn read(&self, path: &str) -> Result<Option<String>> {
        match path {
            "/.well-known/did.json" => {
                Ok(Some(self.issuer.now().document().to_value().to_string()))
            }
            "/.well-known/did.jsonl" => Ok(Some(self.issuer.now().log())),
            _ => {
                let Some((name, file)) = path
                    .strip_prefix("/dids/")
                    .and_then(|rest| rest.split_once('/'))
                else {
                    return Ok(None);
                };
                let Ok(name) = name.parse::<DidName>() else {
                    return Ok(None);
                };
                match file {
                    "did.json" => self.hosting.document(&name).await,
                    "did.jsonl" => self.hosting.log(&name).await,
                    _ => Ok(None),
                }
            }
        }
    }
}

#[async_trait]
impl Local for OwnFiles {
    async fn file(&self, url: &Url) -> LocalFile {
        let ours = Url::parse(self.service.as_str()).map(|own| own.origin());
        if ours != Ok(url.origin()) {
            return LocalFile::Elsewhere;
        }
        match self.read(url.path()).await {
            Ok(Some(text)) => LocalFile::Present(text.into_bytes()),
            Ok(None) => LocalFile::Absent,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a file of our own could not be read"
                );
                LocalFile::Absent
            }
        }
    }
}

/// Keys as DID documents list them.
pub struct ListedKeys(pub Resolver);

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
        let found = self
            .0
            .key_for(&url, relationship)
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

/// Status lists, ours and others'.
pub struct FoundLists {
    own: Arc<StatusLists>,
    egress: Egress,
}

impl FoundLists {
    /// Ours from `own`, others' through `egress`.
    pub const fn new(own: Arc<StatusLists>, egress: Egress) -> Self {
        Self { own, egress }
    }
}

#[async_trait]
impl blindprint_credentials::StatusLists for FoundLists {
    async fn fetch(&self, url: &str, accept: &str) -> Result<FetchedList, FetchError> {
        if let Some((id, form)) = self.own.at(url, accept) {
            let list = self.own.signed(id, form).await.map_err(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a status list of our own could not be read"
                );
                FetchError::Unavailable
            })?;
            let list = list.ok_or(FetchError::NotFound)?;
            return Ok(FetchedList {
                body: list.body.clone().into_bytes(),
                content_type: Some(form.media_type().to_owned()),
            });
        }
        let fetched = self.egress.get(url, accept).await;
        let response = fetched
            .and_then(blindprint_egress::Response::success)
            .map_err(|error| match error {
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
