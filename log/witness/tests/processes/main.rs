//! `blindprint-witness` as processes, with logs that are served over HTTP.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kills;
mod monitoring;
mod program;
mod served;

pub(crate) use program::{Serving, post, run};
pub(crate) use served::{Served, Story};
