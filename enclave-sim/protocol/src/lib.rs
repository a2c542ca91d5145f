//! What is said to the enclave and the matcher, and how it travels: messages and frames.
//!
//! Sans-IO: nothing here opens a socket, reads a clock or draws randomness.

pub mod attestation;
pub mod frame;
pub mod message;
pub mod policy;
