//! How the service finds documents and status lists: its own without a call to itself, others'
//! through the one client that fetches.

use std::sync::Arc;

use async_trait::async_trait;
use blindprint_core::{Clock, ServiceId};
use blindprint_credentials::{CachedLists, FetchError, FetchedList};
use blindprint_egress::Egress;
use blindprint_resolver::{Local, LocalFile};
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

/// Status lists, ours and others'.
pub struct FoundLists {
    own: Arc<StatusLists>,
    others: CachedLists,
}

impl FoundLists {
    /// Ours from `own`, others' through `egress`, kept for as long as they allow.
    pub fn new(own: Arc<StatusLists>, egress: Egress, clock: Arc<dyn Clock>) -> Self {
        Self {
            own,
            others: CachedLists::new(Arc::new(egress), clock),
        }
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
        self.others.fetch(url, accept).await
    }
}
