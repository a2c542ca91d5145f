//! The subject's own page under `/me`: how the protection works, for everybody; and, for whoever signs in
//! with their wallet, what is kept of them, who used it, and every right they have. Every route stands in
//! [`routes::table`] with what it asks for, and [`gate`] checks it before the handler runs.

pub(super) mod accept;
mod browsers;
mod consents;
mod entries;
mod erasure;
mod gate;
mod notices;
mod overview;
mod receipts;
mod rights;
mod routes;
mod sign_in;
mod uses;
mod visitor;
mod welcome;

use crate::{
    domain::{Buckets, Rate, sign_in::SignIns},
    http::Address,
};

pub(super) use routes::routes;
#[cfg(test)]
pub(super) use routes::{Access, table};

/// What the page's handlers reach.
pub struct OwnPage {
    /// Who is signed in.
    pub rules: SignIns,
    /// Links that one address asks for.
    pub link_rate: Buckets<Address>,
}

/// Links for one address. Each is good for five minutes.
const LINKS: Rate = Rate {
    per_minute: 20,
    burst: 20,
};

impl OwnPage {
    /// The page over its rules.
    pub fn new(rules: SignIns, remembered: usize) -> Self {
        Self {
            rules,
            link_rate: Buckets::new(LINKS, remembered),
        }
    }
}
