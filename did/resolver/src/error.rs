use blindprint_egress::EgressError;

/// Why a DID, a DID URL or a key was not found: the errors of DID Resolution (section 10) and, for
/// keys, of Controlled Identifiers (section 3.5). Safe to log and to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolutionError {
    /// Correct the DID.
    #[error("not a valid DID")]
    InvalidDid,
    /// Correct the DID URL.
    #[error("not a valid DID URL")]
    InvalidDidUrl,
    /// Correct the resolution options.
    #[error("invalid options: {0}")]
    InvalidOptions(&'static str),
    /// There is no such DID, version, method or service.
    #[error("not found")]
    NotFound,
    /// Accept `application/did`.
    #[error("the representation is not supported")]
    RepresentationNotSupported,
    /// The DID's controller has to repair its document or log.
    #[error("invalid DID document: {0}")]
    InvalidDidDocument(&'static str),
    /// Use a DID of another method.
    #[error("the DID method is not supported")]
    MethodNotSupported,
    /// Ask for less: the method, or this implementation, does not know that feature.
    #[error("not supported: {0}")]
    FeatureNotSupported(&'static str),
    /// Nothing that is permitted answered. Whether to retry, [`EgressError`] tells.
    #[error(transparent)]
    Fetch(#[from] EgressError),
    /// A fault of this service or its configuration.
    #[error("internal error: {0}")]
    Internal(&'static str),
    /// The DID was given up by its controller: its keys may do nothing any more.
    #[error("the DID is deactivated")]
    Deactivated,
    /// The document does not list the key for this use.
    #[error("the key is not one for this use")]
    Relationship,
    /// The key is of a kind that is not supported here, is malformed, has expired or was revoked.
    #[error("the key cannot be used")]
    Key,
}

impl ResolutionError {
    /// The problem type of the specifications.
    pub const fn type_uri(&self) -> &'static str {
        match self {
            Self::InvalidDid => "https://www.w3.org/ns/did#INVALID_DID",
            Self::InvalidDidUrl => "https://www.w3.org/ns/did#INVALID_DID_URL",
            Self::InvalidOptions(_) => "https://www.w3.org/ns/did#INVALID_OPTIONS",
            Self::NotFound | Self::Deactivated => "https://www.w3.org/ns/did#NOT_FOUND",
            Self::RepresentationNotSupported => {
                "https://www.w3.org/ns/did#REPRESENTATION_NOT_SUPPORTED"
            }
            Self::InvalidDidDocument(_) => "https://www.w3.org/ns/did#INVALID_DID_DOCUMENT",
            Self::MethodNotSupported => "https://www.w3.org/ns/did#METHOD_NOT_SUPPORTED",
            Self::FeatureNotSupported(_) => "https://www.w3.org/ns/did#FEATURE_NOT_SUPPORTED",
            Self::Fetch(_) | Self::Internal(_) => "https://www.w3.org/ns/did#INTERNAL_ERROR",
            Self::Relationship => {
                "https://w3id.org/security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"
            }
            Self::Key => "https://w3id.org/security#INVALID_VERIFICATION_METHOD",
        }
    }

    /// The HTTP status of DID Resolution's HTTP binding (section 12.1).
    pub const fn status(&self) -> u16 {
        match self {
            Self::InvalidDid | Self::InvalidDidUrl | Self::InvalidOptions(_) => 400,
            Self::NotFound => 404,
            Self::RepresentationNotSupported => 406,
            Self::Deactivated => 410,
            Self::Relationship | Self::Key => 422,
            Self::InvalidDidDocument(_) | Self::Fetch(_) | Self::Internal(_) => 500,
            Self::MethodNotSupported | Self::FeatureNotSupported(_) => 501,
        }
    }

    /// A few words for `title`, without detail.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::InvalidDid => "Invalid DID",
            Self::InvalidDidUrl => "Invalid DID URL",
            Self::InvalidOptions(_) => "Invalid options",
            Self::NotFound => "Not found",
            Self::Deactivated => "Deactivated",
            Self::RepresentationNotSupported => "Representation not supported",
            Self::InvalidDidDocument(_) => "Invalid DID document",
            Self::MethodNotSupported => "Method not supported",
            Self::FeatureNotSupported(_) => "Feature not supported",
            Self::Fetch(_) | Self::Internal(_) => "Internal error",
            Self::Relationship => "Invalid relationship for verification method",
            Self::Key => "Invalid verification method",
        }
    }
}
