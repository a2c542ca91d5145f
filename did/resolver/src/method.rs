//! The methods. Each knows how a DID of it becomes a document.

pub(crate) mod ethr;
pub(crate) mod jwk;
pub(crate) mod key;
pub(crate) mod pkh;
pub(crate) mod web;
pub(crate) mod webvh;
