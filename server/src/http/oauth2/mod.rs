//! OAuth 2.0 for machine clients and for wallets that redeem an offer.

pub(super) mod body;
pub(super) mod client;
mod dpop;
pub(super) mod error;
pub(super) mod metadata;
pub(super) mod token;
pub(super) mod wallet;
