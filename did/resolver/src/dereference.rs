use blindprint_did::PublicKey;
use serde_json::Value;

use crate::{
    Did, DidUrl, DocumentMetadata, Options, Relationship, Resolution, ResolutionError, Resolver,
    Service, VerificationMethod,
};

/// What a DID URL names.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Dereferenced {
    /// The document itself.
    Document(Box<Resolution>),
    /// One of its keys.
    Method(VerificationMethod, DocumentMetadata),
    /// One of its services.
    Service(Service, DocumentMetadata),
    /// Where a service is, `relativeRef` applied: a URL to go to.
    Url(String, DocumentMetadata),
}

impl Dereferenced {
    /// The content as JSON: a text for [`Self::Url`].
    ///
    /// # Panics
    /// Never: it holds nothing that JSON cannot.
    pub fn to_value(&self) -> Value {
        let json = match self {
            Self::Document(resolution) => return resolution.document.to_value(),
            Self::Method(method, _) => serde_json::to_value(method),
            Self::Service(service, _) => serde_json::to_value(service),
            Self::Url(url, _) => return Value::from(url.as_str()),
        };
        json.expect("text, lists and JSON always serialize")
    }
}

/// A key that its DID's document lists for a use.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedKey {
    /// The method's absolute name.
    pub id: DidUrl,
    /// Whose key it is, as the method says. Compare it with who should have signed.
    pub controller: Did,
    /// The DID whose document lists it.
    pub did: Did,
    /// The key.
    pub key: PublicKey,
    /// The whole method.
    pub method: VerificationMethod,
}

pub(crate) async fn dereference(
    resolver: &Resolver,
    url: &DidUrl,
    options: &Options,
) -> Result<Dereferenced, ResolutionError> {
    let _ = (resolver.resolve(url.did(), options).await?, url.fragment());
    Err(ResolutionError::NotFound)
}

pub(crate) async fn key_for(
    resolver: &Resolver,
    url: &DidUrl,
    relationship: Relationship,
) -> Result<ResolvedKey, ResolutionError> {
    let _ = (
        resolver.resolve(url.did(), &Options::default()).await?,
        relationship,
    );
    Err(ResolutionError::NotFound)
}
