//! One fuzz target for each decoder of bytes or text from outside, a module for each crate.
//!
//! Beyond not panicking: what decodes encodes to the same bytes (where the format is canonical) or
//! to what decodes to the same value, nothing longer than its limit decodes, nothing altered passes
//! for genuine, and neither memory nor time run away.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod attestation;
mod core;
mod credentials;
mod did;
mod egress;
mod enclave;
mod face;
mod jwt;
mod keys;
mod log;
mod matcher;
mod openid4vc;
mod protocol;
mod registry;
mod resolver;
mod server;
mod template;
mod wallet;

use serde::{Serialize, de::DeserializeOwned};

/// That JSON which decodes to a `T` encodes to what decodes to the same.
fn json<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(text: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(text) {
        let again = serde_json::to_vec(&value).unwrap();
        assert_eq!(serde_json::from_slice::<T>(&again).unwrap(), value);
    }
}
