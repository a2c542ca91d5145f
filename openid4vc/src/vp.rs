//! From wallet to verifier: OID4VP 1.0 (`openid-4-verifiable-presentations-1_0`), with response modes
//! `direct_post` and `direct_post.jwt`.

pub mod dcql;
mod invocation;
mod request;
mod response;

pub use invocation::{Invocation, RequestUriMethod, RequestUriPost};
pub use request::{
    AuthorizationRequest, ClientId, ClientMetadata, Expected, ResponseMode, SELF_ISSUED,
    UnverifiedRequest,
};
pub use response::{AuthorizationResponse, DirectPost, DirectPostAnswer, Presentation, VpToken};
