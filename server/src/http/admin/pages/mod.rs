//! The dashboard's pages: what stands in the service's memory, as lists, charts and stories, and what an
//! administrator does about it. One file a page; `routes.rs` says who may see which.

pub(super) mod clients;
pub(super) mod configuration;
pub(super) mod consents;
pub(super) mod credential;
pub(super) mod credentials;
pub(super) mod invitations;
pub(super) mod jobs;
mod lists;
pub(super) mod log;
pub(super) mod new_request;
pub(super) mod notices;
pub(super) mod overview;
pub(super) mod parties;
pub(super) mod request;
pub(super) mod requests;
pub(super) mod subject;
pub(super) mod subjects;
