//! Requests about rights.

use std::time::Duration;

use blindprint_core::{
    Jws, Nonce, RightsRequestId,
    problem::ProblemCode,
    wire::{ErasureProof, OpenRightsRequest, RightsRequestView, RightsRequests},
};
use serde_json::Value;

use super::{Call, Client, Signer};
use crate::{Error, Result};

/// Longest export, in bytes.
const EXPORT_LIMIT: usize = 256 << 20;
/// Longest time that one takes.
const EXPORT_TIME: Duration = Duration::from_mins(10);

impl Client {
    /// `POST /v1/rights-requests`
    pub async fn open_rights_request(
        &self,
        signer: Signer<'_>,
        id: RightsRequestId,
        request: Jws,
        erasure: Option<Jws>,
    ) -> Result<RightsRequestView> {
        let call = Call::post("/v1/rights-requests")
            .json(&OpenRightsRequest { request, erasure })
            .signed(signer)
            .idempotent(id.0);
        self.send(&call).await?.json()
    }

    /// `GET /v1/rights-requests`
    pub async fn rights_requests(&self, signer: Signer<'_>) -> Result<Vec<RightsRequestView>> {
        let call = Call::get("/v1/rights-requests").signed(signer);
        let answer: RightsRequests = self.send(&call).await?.json()?;
        Ok(answer.requests)
    }

    /// `POST /v1/rights-requests/{id}/cancellation`
    pub async fn cancel_rights_request(
        &self,
        signer: Signer<'_>,
        id: RightsRequestId,
    ) -> Result<RightsRequestView> {
        let call = Call::post(format!("/v1/rights-requests/{id}/cancellation"))
            .signed(signer)
            .idempotent(self.entropy.uuid());
        self.send(&call).await?.json()
    }

    /// `GET /v1/rights-requests/{id}/export`: a ZIP.
    pub async fn export(
        &self,
        signer: Signer<'_>,
        id: RightsRequestId,
        language: &str,
    ) -> Result<Vec<u8>> {
        let call = Call::get(format!(
            "/v1/rights-requests/{id}/export?language={language}"
        ))
        .up_to(EXPORT_LIMIT, EXPORT_TIME)
        .signed(signer);
        Ok(self.send(&call).await?.body)
    }

    /// `GET /v1/erasure-certificates/{claim}`: not yet verified; `None` while there is none.
    pub async fn erasure_certificate(&self, claim: &Nonce) -> Result<Option<ErasureProof>> {
        let call = Call::get(format!("/v1/erasure-certificates/{claim}"));
        match self.send(&call).await {
            Ok(answer) => answer.json().map(Some),
            Err(refused) if refused.is(ProblemCode::NotFound) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// `GET /.well-known/did.json`
    pub async fn did_document(&self) -> Result<Value> {
        let answer = self.send(&Call::get("/.well-known/did.json")).await?;
        serde_json::from_slice(&answer.body)
            .map_err(|_| Error::ServiceFailed("its DID document is not JSON".to_owned()))
    }
}
