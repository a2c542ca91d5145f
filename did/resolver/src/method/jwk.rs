//! did:jwk.
