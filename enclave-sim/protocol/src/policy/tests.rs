#![allow(clippy::unwrap_used)]

mod interleavings;
mod model;
mod refusals;
mod world;
