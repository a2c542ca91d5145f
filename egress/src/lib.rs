//! The one client for fetches to addresses that others choose: DID documents, status lists,
//! request objects, JSON-RPC.
//!
//! ```no_run
//! # async fn example() -> Result<(), blindprint_egress::EgressError> {
//! use blindprint_egress::{Config, Egress, Request};
//!
//! let egress = Egress::new(&Config::default())?;
//! let request = Request::get("https://example.org/.well-known/did.json").accept("application/did");
//! let document = egress.fetch(&request).await?.success()?;
//! assert!(document.body.len() <= Config::default().max_body);
//! # Ok(()) }
//! ```
//!
//! Whoever names an address could name one behind our own firewall. So every URL, the first and
//! each redirect, is checked: https, no credentials, and a host that is not private, local or
//! reserved (see [`Config::allow`]). A name is resolved once and only the addresses that passed are
//! connected to, so that a second answer of the DNS changes nothing. With a proxy the proxy resolves:
//! then literal addresses and local names are refused here, and the proxy must refuse the rest.
//!
//! Time and size are bounded for the whole fetch. Nothing is decompressed, so a small answer stays
//! small. It sends no cookies, no referrer, and credentials only to the origin they were given for.

mod address;
mod client;
mod config;
mod error;
mod request;

pub use client::Egress;
pub use config::{Allowed, Config};
pub use error::EgressError;
pub use request::{Request, Response};
