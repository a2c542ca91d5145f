//! The router in process, over a real database, with no enclave behind it: what is refused before
//! the enclave is asked, and what happens while it does not answer.

mod admin;
mod admission;
mod authorization;
mod consents;
mod credentials;
mod dids;
mod fixture;
mod identifiers;
mod limits;
mod log;
mod me;
mod openid;
mod pages;
mod rights;
mod vc_api;
mod vocabulary;
mod wallets;

pub(super) use fixture::Fixture;
