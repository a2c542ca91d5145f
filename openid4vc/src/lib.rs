//! Credentials from issuer to wallet by OID4VCI 1.0 ([`vci`]), from wallet to verifier by OID4VP 1.0
//! ([`vp`]), and what these stand on: DPoP ([`dpop`], RFC 9449) and JWE ([`jwe`], RFC 7516).
//!
//! ```
//! use blindprint_openid4vc::vci::{Offer, OfferLink};
//!
//! let link = "openid-credential-offer://?credential_offer=%7B%22credential_issuer%22%3A%22https%3A%2F%2F\
//!     id.example.org%22%2C%22credential_configuration_ids%22%3A%5B%22enrolment_ldp_vc%22%5D%7D";
//! let OfferLink::Value(offer) = OfferLink::parse(link)? else { panic!("an offer by value") };
//! assert_eq!(offer.credential_issuer, "https://id.example.org");
//! # Ok::<(), blindprint_openid4vc::Error>(())
//! ```
//!
//! Issuer, verifier, authorization server and wallet share it. It sends nothing, stores nothing and
//! asks no clock: what was used once, and who is believed, is decided by its callers. It must never
//! accept what it has not bounded, and never say in an error what it was given.

mod claims;
pub mod dpop;
mod error;
mod form;
mod format;
mod json;
pub mod jwe;
pub mod qr;
pub mod vci;
pub mod vp;

pub use claims::{ClaimsPath, Step};
pub use error::{Code, Error, ErrorBody, Result};
pub use format::Format;

/// How far ahead another's clock may be, in seconds.
const SKEW: i64 = 60;

/// The address to connect to that `text` is. Whether plain http is for this machine only is decided by
/// whoever connects.
///
/// People are shown the text before they agree to anything, so it has to be a URI as it stands (RFC 3986
/// section 2): what a URL's parser silently drops or mends could drive a terminal.
fn http_url(text: &str) -> Option<url::Url> {
    let url = url::Url::parse(text).ok()?;
    let fits = is_plain(text)
        && !text.contains('\\')
        && matches!(url.scheme(), "https" | "http")
        && url.host_str().is_some();
    fits.then_some(url)
}

/// Whether a name or address is made of visible ASCII alone.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
