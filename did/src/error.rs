/// Why a key, a DID or a signed statement is refused. It holds nothing of what was refused, so it
/// is safe to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DidError {
    /// Ask the subject for a did:key or did:jwk: other methods need a resolver.
    #[error("the DID's method does not carry its key")]
    Method,
    /// Not a key of a type that signs here, not in canonical form, or a weak key.
    #[error("not the canonical form of an Ed25519 or P-256 public key")]
    Key,
    /// The protected header is not exactly `alg`, `typ` and `kid`, or `alg` does not fit the key.
    #[error("the JWS header is not one of a statement")]
    Header,
    /// It is a statement of another kind.
    #[error("the JWS is of another type")]
    Type,
    /// Not signed by the key that it names.
    #[error("the signature does not verify")]
    Signature,
    /// Signed by another key than the one expected.
    #[error("the statement is signed by another key")]
    Signer,
    /// Signed, but not a statement of this type.
    #[error("the payload is not a statement of this type")]
    Payload,
    /// The statement does not fit into a [`blindprint_core::Jws`], or a token is longer than its
    /// reader allows.
    #[error("too long to sign or to read")]
    TooLong,
}
