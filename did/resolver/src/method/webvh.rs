//! did:webvh.
