use std::sync::Arc;

use blindprint_core::Clock;
use blindprint_egress::{Egress, EgressError, Request};
use url::Url;

use crate::{
    Dereferenced, Did, DidUrl, Local, LocalFile, Network, Options, Relationship, Resolution,
    ResolutionError, ResolvedKey, cache::Cache, cache::Key, method,
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
        let make = async { (Err(ResolutionError::MethodNotSupported), 0) };
        let answer = self
            .cache
            .answer(Key::new(did, options), options.no_cache, make)
            .await?;
        Ok(Resolution::clone(&answer))
    }
}
