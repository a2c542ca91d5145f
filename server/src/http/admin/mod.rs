//! The dashboard under `/admin`. Every route stands in [`routes::table`] with what it asks for, and
//! [`gate`] checks it before the handler runs: nothing is served here that does not say for whom.

mod account;
mod administrators;
mod audit;
mod gate;
mod join;
mod pages;
mod prove;
mod routes;
mod seat;
mod sign_in;

use blindprint_core::problem::ProblemCode;

use crate::{
    domain::{Buckets, Rate, admin::Admin},
    http::{Address, Problem},
};

pub(super) use routes::routes;
#[cfg(test)]
pub(super) use routes::{Access, table};

/// What the dashboard's handlers reach.
pub struct Dashboard {
    /// The rules.
    pub rules: Admin,
    /// Ceremonies that one address begins without being signed in.
    pub ceremony_rate: Buckets<Address>,
    /// `host:port` of plain HTTP on this machine: there cookies cannot be `Secure`.
    pub plain_host: Option<String>,
}

/// Attempts to sign in or to join from one address.
const CEREMONIES: Rate = Rate {
    per_minute: 20,
    burst: 20,
};

impl Dashboard {
    /// The dashboard over its rules.
    pub fn new(rules: Admin, plain_host: Option<String>, remembered: usize) -> Self {
        Self {
            rules,
            ceremony_rate: Buckets::new(CEREMONIES, remembered),
            plain_host,
        }
    }
}

/// A ceremony that cannot be finished. Why is nobody's business but the log's.
fn over() -> Problem {
    Problem::new(ProblemCode::Refused)
}

/// A name that is none.
fn unnamed() -> Problem {
    Problem::because(
        ProblemCode::MalformedRequest,
        "a name has 1 to 80 bytes and no control characters",
    )
}
