//! DPoP proofs beside a request (RFC 9449). Each carries a nonce of this service's, so that none can be
//! made ahead of time.

use axum::http::{HeaderMap, HeaderName};
use blindprint_openid4vc::{
    Code,
    dpop::{self, Request, Unspent},
};

use super::error::ProtocolError;
use crate::http::App;

const PROOF: &str = "dpop";
/// Carries the nonce for the next proof.
pub(super) const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The proof in the headers, if there is one, verified but not spent. `path` is where the request went.
pub(super) fn proof(
    headers: &HeaderMap,
    path: &str,
    access_token: Option<&str>,
    app: &App,
) -> Result<Option<Unspent>, ProtocolError> {
    let refused = |reason| ProtocolError::new(Code::InvalidDpopProof, reason);
    let mut values = headers.get_all(PROOF).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let (Ok(value), None) = (value.to_str(), values.next()) else {
        return Err(refused(
            "there is more than one DPoP proof, or none that is text",
        ));
    };
    let request = Request {
        method: "POST",
        url: &format!("{}{path}", app.openid.id()),
        access_token,
    };
    let proof = dpop::verify(value, &request, app.openid.clock().now())?;
    if app.openid.has_fresh_nonce(&proof) {
        Ok(Some(proof))
    } else {
        let error = ProtocolError::new(
            Code::UseDpopNonce,
            "make the DPoP proof with the nonce in DPoP-Nonce",
        );
        Err(error.with_header(NONCE, &app.openid.dpop_nonce()))
    }
}
