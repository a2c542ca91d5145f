//! Status lists: one bit or few for each of many credentials, so that fetching a list does not say
//! whose status is asked for.

mod bitstring;
mod token;

pub use bitstring::{BitstringStatusList, StatusEntry, StatusPurpose};
pub use token::{TokenStatus, TokenStatusEntry, TokenStatusList};
