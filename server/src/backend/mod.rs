//! The processes behind the service, as clients: the enclave and the matchers.

mod connection;
mod enclave;
mod matchers;
mod material;

pub use connection::Unanswered;
pub use enclave::{Enclave, EnclaveHealth};
pub use matchers::{Comparable, MatcherHealth, Matchers};
pub use material::{Material, MaterialStore};
