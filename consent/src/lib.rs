//! What people are told before they decide, and the record of what they decided: notices in plain
//! language, and consent records after ISO/IEC TS 27560 in the terms of the W3C Data Privacy
//! Vocabulary (DPV).
//!
//! ```
//! use blindprint_consent::{Language, Library, record::{self, Fields}};
//! use blindprint_core::{ConsentId, SystemEntropy, UnixTime, consent::Decision, statement::Purpose};
//!
//! let service = "https://id.example".parse()?;
//! let controller = blindprint_consent::controller_of(&service);
//! let library = Library::embedded();
//! let source = library.in_force(UnixTime(1_800_000_000))
//!     .find(|source| source.purpose() == Purpose::Authentication && source.language() == Language::En)
//!     .ok_or("no notice")?;
//! let notice = source.publish(&service, &controller, None)?;
//! let fields = Fields {
//!     id: ConsentId::random(&SystemEntropy),
//!     subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK".parse()?,
//!     service,
//!     decision: Decision::Given,
//!     given: UnixTime(1_800_000_000),
//!     expires: UnixTime(1_800_086_400),
//! };
//! let record = record::render(&fields, &notice.summary, &controller)?;
//! assert_eq!(record["@type"], "dpv:ConsentRecord");
//! assert_eq!(record::parse(&record)?.fields, fields);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Wallet and service make a record independently of the same facts and compare: neither can write
//! into it what the other has not seen. This crate reads a folder of notices and does no other I/O;
//! it never decides whether a consent holds, which is [`blindprint_core::consent`].

mod controller;
mod error;
mod language;
mod library;
mod notice;
pub mod processing;
pub mod record;

pub use controller::{check as check_controller, default as controller_of};
pub use error::Error;
pub use language::Language;
pub use library::Library;
pub use notice::{Notice, Source};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The JSON-LD context that records, receipts and the record of processing carry within themselves, so
/// that nobody has to fetch one.
pub const CONTEXT: &str = include_str!("../contexts/record-v1.jsonld");
/// JSON Schema (2020-12) of consent records.
pub const RECORD_SCHEMA: &str = include_str!("../schemas/record.json");
/// JSON Schema (2020-12) of consent receipts.
pub const RECEIPT_SCHEMA: &str = include_str!("../schemas/receipt.json");

/// The `@context` member.
fn context() -> serde_json::Value {
    let document: serde_json::Value =
        serde_json::from_str(CONTEXT).expect("the embedded context is JSON");
    document["@context"].clone()
}
