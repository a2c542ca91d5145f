//! `OpenID` for Verifiable Presentations 1.0: what wallets fetch and answer.

pub(super) mod request;
pub(super) mod respond;
