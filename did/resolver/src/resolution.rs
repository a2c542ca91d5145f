use serde::{Deserialize, Serialize};

use crate::{Did, Document, ResolutionError, webvh::Witnesses};

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

impl Resolution {
    pub(crate) fn new(document: Document, document_metadata: DocumentMetadata) -> Self {
        Self {
            document,
            document_metadata,
            resolution_metadata: ResolutionMetadata {
                content_type: MEDIA_TYPES[0].to_owned(),
            },
        }
    }
}

/// DID document metadata (DID Resolution section 4.3). Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentMetadata {
    /// When the DID was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When the DID was last updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// did:webvh: when this version was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_time: Option<String>,
    /// did:webvh: the number of this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_number: Option<u64>,
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
    /// did:webvh: how long the log may be cached, in seconds. Written as text: metadata holds no
    /// numbers.
    #[serde(with = "seconds", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
    /// did:webvh: URLs of those who keep copies of the log.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watchers: Vec<String>,
    /// did:webvh: who must approve updates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<WitnessMetadata>,
}

/// The witnesses of a did:webvh, as metadata has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessMetadata {
    /// How many must approve, as text.
    pub threshold: String,
    /// Who they are.
    pub witnesses: Vec<WitnessId>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessId {
    /// A did:key.
    pub id: String,
}

impl From<&Witnesses> for WitnessMetadata {
    fn from(witnesses: &Witnesses) -> Self {
        let id = |key: &String| WitnessId {
            id: format!("did:key:{key}"),
        };
        Self {
            threshold: witnesses.threshold.to_string(),
            witnesses: witnesses.keys.iter().map(id).collect(),
        }
    }
}

/// A number as text.
mod seconds {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "what serde calls"
    )]
    pub(super) fn serialize<S: Serializer>(
        ttl: &Option<u32>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match ttl {
            Some(ttl) => serializer.collect_str(ttl),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u32>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

/// DID resolution metadata (DID Resolution section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolutionMetadata {
    /// The media type of the document.
    pub content_type: String,
}

/// The media types of a document, the one that is preferred first.
const MEDIA_TYPES: [&str; 5] = [
    "application/did",
    "application/did+ld+json",
    "application/did+json",
    "application/ld+json",
    "application/json",
];

impl Options {
    /// Fails if more than one version is asked for.
    pub(crate) fn check(&self) -> Result<(), ResolutionError> {
        let versions = [
            self.version_id.is_some(),
            self.version_time.is_some(),
            self.version_number.is_some(),
        ];
        if versions.into_iter().filter(|given| *given).count() > 1 {
            return Err(ResolutionError::InvalidOptions("more than one version"));
        }
        Ok(())
    }

    /// Fails if a version is asked for.
    pub(crate) fn no_versions(&self, why: &'static str) -> Result<(), ResolutionError> {
        let versions = self.version_id.is_some()
            || self.version_time.is_some()
            || self.version_number.is_some();
        if versions {
            return Err(ResolutionError::FeatureNotSupported(why));
        }
        Ok(())
    }

    /// The first of the accepted media types that a document has.
    pub(crate) fn media_type(&self) -> Result<&'static str, ResolutionError> {
        let Some(accept) = &self.accept else {
            return Ok(MEDIA_TYPES[0]);
        };
        let known = |range: &str| {
            let range = range.split(';').next().unwrap_or_default().trim();
            if matches!(range, "*/*" | "application/*") {
                return Some(MEDIA_TYPES[0]);
            }
            let same = |known: &&&str| known.eq_ignore_ascii_case(range);
            MEDIA_TYPES.iter().find(same).copied()
        };
        accept
            .split(',')
            .find_map(known)
            .ok_or(ResolutionError::RepresentationNotSupported)
    }
}
