//! did:pkh.
