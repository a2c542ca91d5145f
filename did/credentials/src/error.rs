use blindprint_did::DidError;

/// Why a credential, presentation or status list is refused.
///
/// What it quotes comes from the document: show it to whoever sent that, keep it out of logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Larger or deeper than anything that is issued here.
    #[error("the document is too large or too deep")]
    TooLarge,
    /// Not JSON, or not what the data model asks for at this place.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// A JSON-LD context that is not embedded; contexts are never fetched.
    #[error("unknown context {0}")]
    UnknownContext(String),
    /// A term or type that no context defines, which a signature over RDF would not cover.
    #[error("undefined term {0}")]
    UndefinedTerm(String),
    /// JSON-LD processing failed or would drop something.
    #[error("not expandable as JSON-LD: {0}")]
    JsonLd(String),
    /// Canonicalising its blank nodes takes too long (RDFC-1.0 section 7.1, poison graphs).
    #[error("the RDF graph is too complex to canonicalise")]
    TooComplex,

    /// There is no proof.
    #[error("there is no proof")]
    NoProof,
    /// There is more than one proof.
    #[error("there must be exactly one proof")]
    SeveralProofs,
    /// A proof type, cryptosuite or JOSE algorithm that is not accepted here.
    #[error("unknown suite or algorithm {0}")]
    UnknownSuite(String),
    /// The proof's members are not those of a Data Integrity proof or JOSE header.
    #[error("malformed proof: {0}")]
    MalformedProof(&'static str),
    /// A JOSE `typ` of something else.
    #[error("the token is of another type")]
    WrongType,
    /// Made for another purpose.
    #[error("the proof serves another purpose")]
    WrongPurpose,
    /// The signature does not fit.
    #[error("the signature does not verify")]
    Signature,
    /// The proof or token says it was made later than now.
    #[error("the proof is from the future")]
    ProofFromTheFuture,
    /// The proof or token expired, or is older than the verifier allows.
    #[error("the proof has expired")]
    ProofExpired,
    /// The key does not belong to the issuer.
    #[error("the key's controller is not the issuer")]
    NotTheIssuersKey,
    /// The key does not belong to the holder.
    #[error("the key's controller is not the holder")]
    NotTheHoldersKey,
    /// Two places name different issuers.
    #[error("`iss` and `issuer` differ")]
    IssuerMismatch,
    /// The verification method cannot be used.
    #[error("the verification method: {0}")]
    Key(#[from] KeyError),
    /// The key's type does not fit the suite or algorithm.
    #[error("the key's type does not fit the algorithm")]
    WrongKeyType,

    /// `validFrom` or `nbf` lies ahead.
    #[error("not yet valid")]
    NotYetValid,
    /// `validUntil` or `exp` has passed.
    #[error("expired")]
    Expired,
    /// It does not satisfy the schema it names.
    #[error("against its schema: {0}")]
    Schema(String),

    /// Revoked by its issuer (Token Status List: `INVALID`).
    #[error("revoked")]
    Revoked,
    /// Suspended by its issuer.
    #[error("suspended")]
    Suspended,
    /// The status list cannot be had now; ask again later.
    #[error("the status list is unavailable: {0}")]
    StatusUnavailable(#[from] FetchError),
    /// The list was fetched and is not believed.
    #[error("the status list does not verify: {0}")]
    StatusListInvalid(Box<VerifyError>),
    /// The status list is of another issuer, subject or purpose.
    #[error("the status list is another one: {0}")]
    WrongStatusList(&'static str),
    /// Fewer entries than give a crowd to hide in.
    #[error("the status list has fewer than 131,072 entries")]
    StatusListTooShort,
    /// It decompresses to more than any list holds.
    #[error("the status list is too long")]
    StatusListTooLong,
    /// The index lies outside the list.
    #[error("the status index lies outside the list")]
    StatusIndex,
    /// A status of a kind or purpose that is not understood here.
    #[error("unknown status {0}")]
    UnknownStatus(String),

    /// The presentation answers another challenge or nonce.
    #[error("another challenge")]
    WrongChallenge,
    /// The presentation was made for another verifier.
    #[error("another domain or audience")]
    WrongDomain,
    /// The presentation's holder is not the subject of a credential in it.
    #[error("the holder is not the credential's subject")]
    NotTheSubject,
    /// No key-binding JWT where one is asked for.
    #[error("key binding is missing")]
    NoKeyBinding,
    /// The key-binding JWT is not by the key in `cnf`.
    #[error("key binding by another key")]
    KeyBinding,
    /// The key-binding JWT covers other disclosures.
    #[error("key binding over other disclosures")]
    SdHash,
    /// A disclosure is malformed, repeated, unreferenced or names a reserved claim.
    #[error("disclosure: {0}")]
    Disclosure(&'static str),
}

impl VerifyError {
    /// A stable name for programs, in `snake_case`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed(_) => "malformed",
            Self::UnknownContext(_) => "unknown_context",
            Self::UndefinedTerm(_) => "undefined_term",
            Self::JsonLd(_) => "json_ld",
            Self::TooComplex => "too_complex",
            Self::NoProof => "no_proof",
            Self::SeveralProofs => "several_proofs",
            Self::UnknownSuite(_) => "unknown_suite",
            Self::MalformedProof(_) => "malformed_proof",
            Self::WrongType => "wrong_type",
            Self::WrongPurpose => "wrong_purpose",
            Self::Signature => "invalid_signature",
            Self::ProofFromTheFuture => "proof_from_the_future",
            Self::ProofExpired => "proof_expired",
            Self::NotTheIssuersKey => "not_the_issuers_key",
            Self::NotTheHoldersKey => "not_the_holders_key",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::Key(KeyError::NotFound) => "key_not_found",
            Self::Key(KeyError::Relationship) => "key_not_for_this_purpose",
            Self::Key(KeyError::Unsupported) => "key_unsupported",
            Self::Key(KeyError::Deactivated) => "did_deactivated",
            Self::Key(KeyError::Unavailable) => "key_unavailable",
            Self::WrongKeyType => "wrong_key_type",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Schema(_) => "schema",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::StatusUnavailable(_) => "status_unavailable",
            Self::StatusListInvalid(_) => "status_list_invalid",
            Self::WrongStatusList(_) => "wrong_status_list",
            Self::StatusListTooShort => "status_list_too_short",
            Self::StatusListTooLong => "status_list_too_long",
            Self::StatusIndex => "status_index",
            Self::UnknownStatus(_) => "unknown_status",
            Self::WrongChallenge => "wrong_challenge",
            Self::WrongDomain => "wrong_domain",
            Self::NotTheSubject => "not_the_subject",
            Self::NoKeyBinding => "no_key_binding",
            Self::KeyBinding => "key_binding",
            Self::SdHash => "sd_hash",
            Self::Disclosure(_) => "disclosure",
        }
    }

    /// Whether asking again later may end otherwise: nothing is known against the document.
    pub const fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Key(KeyError::Unavailable) | Self::StatusUnavailable(_)
        )
    }
}

/// Why there is no key for a verification method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The DID does not exist, or its document holds no such method.
    #[error("not found")]
    NotFound,
    /// The document has the key, but not under the relationship asked for.
    #[error("not listed for this purpose")]
    Relationship,
    /// A DID method, document or key type that is not understood here.
    #[error("not supported")]
    Unsupported,
    /// The DID was deactivated.
    #[error("its DID was deactivated")]
    Deactivated,
    /// It could not be resolved now.
    #[error("cannot be resolved now")]
    Unavailable,
}

/// The status list could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There is no such list.
    #[error("not found")]
    NotFound,
    /// The address may not be fetched from here.
    #[error("its address is refused")]
    Refused,
    /// It could not be fetched now.
    #[error("cannot be fetched now")]
    Unavailable,
}

/// Why nothing is issued or presented.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// What would be signed would not verify: correct it.
    #[error("it would not verify: {0}")]
    Invalid(#[from] VerifyError),
    /// This key cannot sign this: choose a key of the other type.
    #[error("the key's type does not fit the suite")]
    KeyType,
    /// The key or statement is not fit for signing.
    #[error(transparent)]
    Did(#[from] DidError),
}

/// What is wrong with a JWT, in the terms of this crate.
pub fn of_token(error: DidError) -> VerifyError {
    match error {
        DidError::TooLong => VerifyError::TooLarge,
        DidError::Payload => VerifyError::Malformed("the token's claims are not one JSON object"),
        DidError::Type => VerifyError::WrongType,
        DidError::Signature => VerifyError::Signature,
        _ => VerifyError::MalformedProof("the token's header"),
    }
}
