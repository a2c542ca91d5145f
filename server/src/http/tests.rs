//! The router in process, over a real database, with no enclave behind it: what is refused before
//! the enclave is asked, and what happens while it does not answer.

mod admission;
mod authorization;
mod fixture;
mod limits;
mod pages;
mod wallets;

pub(super) use fixture::Fixture;
