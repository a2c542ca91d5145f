use serde::{Deserialize, Serialize};

use crate::{Did, Document};

/// DID resolution options (DID Resolution section 4.1, and did:webvh's `versionNumber`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    /// The media type that is wanted; none or `*/*` for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept: Option<String>,
    /// This version of the document (did:webvh, did:ethr).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The version that was valid at this time, RFC 3339 (did:webvh, did:ethr).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_time: Option<String>,
    /// The version with this number, from 1 (did:webvh).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_number: Option<u64>,
    /// Answer from what was fetched now.
    pub no_cache: bool,
}

/// A resolved DID. Serialized it is a resolution result (DID Resolution section 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// The document. For a deactivated DID what is left of it; use no key of it.
    #[serde(rename = "didDocument")]
    pub document: Document,
    /// About the document.
    #[serde(rename = "didDocumentMetadata")]
    pub document_metadata: DocumentMetadata,
    /// About this resolution.
    #[serde(rename = "didResolutionMetadata")]
    pub resolution_metadata: ResolutionMetadata,
}

/// DID document metadata (DID Resolution section 4.3). Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentMetadata {
    /// When the DID was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When this version was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// When the next version was made, if this is not the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_update: Option<String>,
    /// The DID was given up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deactivated: bool,
    /// This version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The next version, if this is not the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_version_id: Option<String>,
    /// Other DIDs that the method says are the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equivalent_id: Vec<Did>,
    /// The one of those to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical_id: Option<Did>,
    /// did:webvh: the self-certifying identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scid: Option<String>,
    /// did:webvh: whether the DID may move to another host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portable: Option<bool>,
    /// did:webvh: how long the log may be cached, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
}

/// DID resolution metadata (DID Resolution section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolutionMetadata {
    /// The media type of the document.
    pub content_type: String,
}

impl ResolutionMetadata {
    /// Of a document as this crate returns them.
    pub(crate) fn did() -> Self {
        Self {
            content_type: "application/did".to_owned(),
        }
    }
}
