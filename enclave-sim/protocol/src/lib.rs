//! What is said to the enclave and the matcher, how it travels, how each proves what it is, and what
//! the enclave permits.
//!
//! ```
//! use blindprint_protocol::{
//!     frame::{self, MAX_REQUEST},
//!     message::EnclaveRequest,
//! };
//!
//! let frame = frame::encode(&EnclaveRequest::Health, MAX_REQUEST)?;
//! let (length, body) = frame.split_first_chunk().expect("a frame begins with its length");
//! assert_eq!(frame::length(*length, MAX_REQUEST)?, body.len());
//! assert_eq!(frame::decode::<EnclaveRequest>(body)?, EnclaveRequest::Health);
//! # Ok::<(), frame::FrameError>(())
//! ```
//!
//! Sans-IO but for [`stream`], the sockets between the processes: nothing here takes the time of day,
//! draws randomness or writes a file. It must never hold a key of the encryption scheme; what opens
//! a verdict is its caller.

pub mod attestation;
mod cbor;
mod data_key;
pub mod frame;
pub mod message;
pub mod policy;
pub mod stream;

pub use data_key::DataKey;
