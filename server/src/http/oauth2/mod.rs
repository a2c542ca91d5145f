//! OAuth 2.0 for machine clients and for wallets that redeem an offer.

pub(super) mod client;
