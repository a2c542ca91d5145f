//! `OpenID` for Verifiable Credential Issuance 1.0: wallets receive credentials.

pub(super) mod credential;
pub(super) mod metadata;
pub(super) mod nonce;
pub(super) mod notification;
