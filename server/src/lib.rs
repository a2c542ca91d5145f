//! The REST service. Wallets enrol and authenticate against it; it keeps encrypted templates,
//! consents and verdicts, starts the enclave and the matchers, and carries messages between them.
//!
//! ```no_run
//! use blindprint_server::{config::{Config, Overrides}, serve};
//! # async fn start() -> Result<(), blindprint_server::Error> {
//! let loaded = Config::load(&Overrides::default())?;
//! serve::run(loaded, |found| Ok(println!("{found}")), std::future::pending()).await
//! # }
//! ```
//!
//! It must never hold a TFHE secret key, an encoding key or a plaintext code, and links nothing that
//! could. What it is trusted with is availability and the privacy of who asks what; correctness of
//! verdicts rests on signatures that it cannot make.

pub mod backend;
pub mod config;
pub mod domain;
mod error;
pub mod folder;
pub mod http;
pub mod process;
pub mod serve;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod trust;

pub use error::{Error, Result};
