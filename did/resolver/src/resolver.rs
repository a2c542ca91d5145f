use std::sync::Arc;

use blindprint_core::{Clock, UnixTime};
use blindprint_egress::{Egress, EgressError, Request};
use url::Url;

use crate::{
    Dereferenced, Did, DidUrl, Document, DocumentMetadata, Local, LocalFile, Network, Options,
    Relationship, Resolution, ResolutionError, ResolvedKey,
    cache::{Cache, Key},
    method,
};

/// How much is kept, for how long, and which chains are known.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long an answer is kept, in seconds. 300 by default.
    pub ttl: u32,
    /// How long a failure is kept, in seconds. 10 by default.
    pub negative_ttl: u32,
    /// Documents kept at most, in bytes of their JSON. 64 MiB by default.
    pub cache_bytes: u64,
    /// Longest DID document in bytes. 256 KiB by default.
    pub max_document: usize,
    /// Longest did:webvh log in bytes. 1 MiB by default.
    pub max_log: usize,
    /// The chains on which did:ethr is resolved. None by default.
    pub networks: Vec<Network>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ttl: 300,
            negative_ttl: 10,
            cache_bytes: 64 << 20,
            max_document: 256 << 10,
            max_log: 1 << 20,
            networks: Vec::new(),
        }
    }
}

/// Resolves DIDs. Cloning it shares its cache and connections.
#[derive(Clone)]
pub struct Resolver(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) egress: Egress,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) local: Option<Arc<dyn Local>>,
    cache: Cache,
}

impl Resolver {
    /// A resolver that fetches everything.
    pub fn new(config: Config, egress: Egress, clock: Arc<dyn Clock>) -> Self {
        Self::build(config, egress, clock, None)
    }

    /// A resolver that asks `local` before it fetches.
    pub fn with_local(
        config: Config,
        egress: Egress,
        clock: Arc<dyn Clock>,
        local: Arc<dyn Local>,
    ) -> Self {
        Self::build(config, egress, clock, Some(local))
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.0.clock.now()
    }

    fn build(
        config: Config,
        egress: Egress,
        clock: Arc<dyn Clock>,
        local: Option<Arc<dyn Local>>,
    ) -> Self {
        let cache = Cache::new(
            Arc::clone(&clock),
            config.cache_bytes,
            config.ttl,
            config.negative_ttl,
        );
        Self(Arc::new(Inner {
            config,
            egress,
            clock,
            local,
            cache,
        }))
    }

    /// Resolves a DID. A deactivated DID resolves: see
    /// [`crate::DocumentMetadata::deactivated`].
    pub async fn resolve(
        &self,
        did: &Did,
        options: &Options,
    ) -> Result<Resolution, ResolutionError> {
        self.0.resolve(did, options).await
    }

    /// Resolves a DID and finds what the URL names in its document: with a fragment a key or a
    /// service, with `service` (and `relativeRef`) a URL, otherwise the document. `versionId`,
    /// `versionTime` and `versionNumber` in the query take precedence over the options.
    pub async fn dereference(
        &self,
        url: &DidUrl,
        options: &Options,
    ) -> Result<Dereferenced, ResolutionError> {
        crate::dereference::dereference(self, url, options).await
    }

    /// The key of this name, if the present document of its DID lists it for this use.
    pub async fn key_for(
        &self,
        url: &DidUrl,
        relationship: Relationship,
    ) -> Result<ResolvedKey, ResolutionError> {
        crate::dereference::key_for(self, url, relationship).await
    }
}

impl Inner {
    async fn resolve(&self, did: &Did, options: &Options) -> Result<Resolution, ResolutionError> {
        options.check()?;
        let content_type = options.media_type()?;
        let mut resolution = self.find(did, options).await?;
        content_type.clone_into(&mut resolution.resolution_metadata.content_type);
        Ok(resolution)
    }

    async fn find(&self, did: &Did, options: &Options) -> Result<Resolution, ResolutionError> {
        let none = "the DID's method has no versions";
        match did.method() {
            "key" => {
                options.no_versions(none)?;
                Ok(unversioned(method::key::resolve(did)?))
            }
            "jwk" => {
                options.no_versions(none)?;
                Ok(unversioned(method::jwk::resolve(did)?))
            }
            "pkh" => {
                options.no_versions(none)?;
                Ok(unversioned(method::pkh::resolve(did)?))
            }
            "web" => {
                options.no_versions(none)?;
                let url = method::web::file(did)?;
                if let Some(file) = self.local_file(&url).await? {
                    return Ok(unversioned(Document::parse(&file, did)?));
                }
                let make = async {
                    let file = self.fetch(&url, method::web::ACCEPT, self.config.max_document);
                    Ok(unversioned(Document::parse(&file.await?, did)?))
                };
                self.cached(did, options, make).await
            }
            "webvh" => {
                let url = method::webvh::file(did, "did.jsonl")?;
                if let Some(log) = self.local_file(&url).await? {
                    return self.resolve_webvh(did, options, &log).await;
                }
                let make = async {
                    let log = self.fetch(&url, method::webvh::ACCEPT, self.config.max_log);
                    self.resolve_webvh(did, options, &log.await?).await
                };
                self.cached(did, options, make).await
            }
            "ethr" => {
                self.cached(did, options, self.resolve_ethr(did, options))
                    .await
            }
            _ => Err(ResolutionError::MethodNotSupported),
        }
    }

    async fn cached(
        &self,
        did: &Did,
        options: &Options,
        make: impl Future<Output = Result<Resolution, ResolutionError>>,
    ) -> Result<Resolution, ResolutionError> {
        let key = Key::new(did, options);
        let found = self
            .cache
            .answer(key, options.no_cache, Box::pin(make))
            .await?;
        Ok(Resolution::clone(&found))
    }

    /// A file of our own host; `None` if it is another's.
    pub(crate) async fn local_file(&self, url: &Url) -> Result<Option<Vec<u8>>, ResolutionError> {
        let Some(local) = &self.local else {
            return Ok(None);
        };
        match local.file(url).await {
            LocalFile::Elsewhere => Ok(None),
            LocalFile::Absent => Err(ResolutionError::NotFound),
            LocalFile::Present(file) => Ok(Some(file)),
        }
    }

    /// A file of another host.
    pub(crate) async fn fetch(
        &self,
        url: &Url,
        accept: &str,
        limit: usize,
    ) -> Result<Vec<u8>, ResolutionError> {
        let request = Request::get(url.as_str()).accept(accept).limit(limit);
        match self.egress.fetch(&request).await?.success() {
            Ok(response) => Ok(response.body),
            Err(EgressError::Status(404 | 410)) => Err(ResolutionError::NotFound),
            Err(error) => Err(error.into()),
        }
    }
}

/// A document of a method that knows nothing but the present.
fn unversioned(document: Document) -> Resolution {
    Resolution::new(document, DocumentMetadata::default())
}
