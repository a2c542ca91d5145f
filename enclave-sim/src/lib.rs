//! The enclave as a process of its own, simulated: it holds the secret keys, keeps its registry
//! sealed on a disk it does not trust, and answers over a socket.
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use blindprint_core::{SystemClock, SystemEntropy};
//! use blindprint_enclave::{Config, Enclave, UnixSocket, serve};
//!
//! let config = Config {
//!     data: "data/enclave".into(),
//!     hardware: "data/hardware".into(),
//!     nvram: "data/hardware/nvram".into(),
//!     service: "https://example.org".parse()?,
//!     matchers: 1,
//!     accepted_matchers: vec![],
//!     recompute: false,
//!     log: None,
//!     restore: false,
//! };
//! let enclave = Enclave::start(&config, Arc::new(SystemClock), Arc::new(SystemEntropy), &|stage| {
//!     eprintln!("generating: {stage}");
//! })?;
//! serve(&Arc::new(enclave), &UnixSocket::bind(Path::new("data/enclave.sock"))?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is permitted is decided in [`blindprint_protocol::policy`]; here is what surrounds it: keys,
//! sealing, the counter against rollback, attestation and transport. It must never resolve names,
//! speak HTTP, log what it is sent, or decrypt anything but verdicts.

mod enclave;
mod epoch;
mod error;
mod file;
mod hardware;
mod seal;
mod serve;
mod transport;
mod vault;

pub use enclave::{Config, Enclave, Stopped, install_keys};
pub use error::EnclaveError;
pub use hardware::{MonotonicCounter, NvramFile};
pub use seal::SealError;
pub use serve::{MAX_CONNECTIONS, serve};
pub use transport::{Transport, UnixSocket};
