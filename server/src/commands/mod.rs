//! The operator's larger commands, one file each.

mod admin;
mod relying_party;
mod retention;

pub(crate) use admin::Admin;
pub(crate) use relying_party::RelyingParty;
pub(crate) use retention::Retention;
