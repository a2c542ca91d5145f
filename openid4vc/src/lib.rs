//! OpenID for Verifiable Credential Issuance and Presentations: messages and rules, without I/O.
