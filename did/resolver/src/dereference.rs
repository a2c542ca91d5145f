use blindprint_core::UnixTime;
use blindprint_did::PublicKey;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::Url;

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
    let options = with_query(url, options)?;
    let resolution = resolver.resolve(url.did(), &options).await?;
    let service = url.parameter("service");
    if url.path().is_empty() && service.is_none() {
        return match url.fragment() {
            None => Ok(Dereferenced::Document(Box::new(resolution))),
            Some(fragment) => part(&resolution, fragment),
        };
    }
    let endpoint = endpoint(&resolution, url, service.as_deref())?;
    Ok(Dereferenced::Url(endpoint, resolution.document_metadata))
}

pub(crate) async fn key_for(
    resolver: &Resolver,
    url: &DidUrl,
    relationship: Relationship,
) -> Result<ResolvedKey, ResolutionError> {
    if url.fragment().is_none() || !url.path().is_empty() || url.query().is_some() {
        return Err(ResolutionError::InvalidDidUrl);
    }
    let Resolution {
        document,
        document_metadata,
        ..
    } = resolver.resolve(url.did(), &Options::default()).await?;
    if document_metadata.deactivated {
        return Err(ResolutionError::Deactivated);
    }
    let method = document.method(url).ok_or(ResolutionError::NotFound)?;
    if !document.permits(url, relationship) {
        return Err(ResolutionError::Relationship);
    }
    if is_over(method, resolver.now()) {
        return Err(ResolutionError::Key);
    }
    Ok(ResolvedKey {
        id: url.clone(),
        controller: method.controller.clone(),
        did: url.did().clone(),
        key: method.key().ok_or(ResolutionError::Key)?,
        method: method.clone(),
    })
}

/// Whether the method has expired or was revoked (Controlled Identifiers section 2.2): then nothing
/// of it may be verified any more, whenever it was signed.
fn is_over(method: &VerificationMethod, now: UnixTime) -> bool {
    ["expires", "revoked"].iter().any(|name| {
        method.material.get(*name).is_some_and(|time| {
            let time = time
                .as_str()
                .and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok());
            time.is_none_or(|time| time.unix_timestamp() <= now.0)
        })
    })
}

/// The options, with what the URL's query says about the version.
fn with_query(url: &DidUrl, options: &Options) -> Result<Options, ResolutionError> {
    let mut options = options.clone();
    let number = url
        .parameter("versionNumber")
        .map(|number| number.parse())
        .transpose()
        .map_err(|_| ResolutionError::InvalidOptions("versionNumber is not a number"))?;
    let (id, time) = (url.parameter("versionId"), url.parameter("versionTime"));
    if id.is_some() || time.is_some() || number.is_some() {
        options.version_id = id;
        options.version_time = time;
        options.version_number = number;
    }
    Ok(options)
}

/// A key or a service by its fragment.
fn part(resolution: &Resolution, fragment: &str) -> Result<Dereferenced, ResolutionError> {
    let document = &resolution.document;
    let metadata = resolution.document_metadata.clone();
    let name = document.id.with_fragment(fragment)?;
    if let Some(method) = document.method(&name) {
        return Ok(Dereferenced::Method(method.clone(), metadata));
    }
    match document.service(&name.to_string()) {
        Some(service) => Ok(Dereferenced::Service(service.clone(), metadata)),
        None => Err(ResolutionError::NotFound),
    }
}

/// Where a service is, and `relativeRef` or the path at it. A path alone is one below the service
/// `#files`, which did:webvh has even if it is not written ("DID URL Path Resolution").
fn endpoint(
    resolution: &Resolution,
    url: &DidUrl,
    service: Option<&str>,
) -> Result<String, ResolutionError> {
    let document = &resolution.document;
    let (name, relative) = match service {
        Some(name) if url.path().is_empty() => (name.to_owned(), url.parameter("relativeRef")),
        Some(_) => return Err(ResolutionError::InvalidDidUrl),
        None => ("files".to_owned(), Some(url.path().to_owned())),
    };
    let found = document.service(&format!("{}#{name}", document.id));
    let mut base = match found.map(|service| &service.service_endpoint) {
        Some(Value::String(endpoint)) => Url::parse(endpoint)
            .map_err(|_| ResolutionError::InvalidDidDocument("a service is not at a URL"))?,
        Some(_) => {
            return Err(ResolutionError::FeatureNotSupported(
                "services with several endpoints",
            ));
        }
        None if name == "files" && document.id.method() == "webvh" => {
            crate::method::webvh::files(&document.id)?
        }
        None => return Err(ResolutionError::NotFound),
    };
    if service.is_none() && !base.path().ends_with('/') {
        let folder = format!("{}/", base.path());
        base.set_path(&folder);
    }
    let mut target = match relative {
        // A path stays below the service; a reference is relative as URLs are (RFC 3986).
        Some(path) if service.is_none() => base.join(path.trim_start_matches('/')),
        Some(reference) => base.join(&reference),
        None => Ok(base.clone()),
    }
    .map_err(|_| ResolutionError::InvalidDidUrl)?;
    let outside = service.is_none() && !target.path().starts_with(base.path());
    if outside || target.origin() != base.origin() {
        return Err(ResolutionError::InvalidDidUrl);
    }
    if url.fragment().is_some() {
        target.set_fragment(url.fragment());
    }
    Ok(target.to_string())
}
