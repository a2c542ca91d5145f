//! The processes behind the service, as clients: the enclave and the matchers.

mod connection;
mod enclave;
mod material;
mod matchers;

pub use connection::Unanswered;
pub use enclave::{Enclave, EnclaveHealth};
pub use material::{Material, MaterialStore};
pub use matchers::{Comparable, Matchers};
