//! JSON-RPC through egress, so that this process too has one client, with bounded answers.

use std::task;

use alloy::{
    rpc::json_rpc::{RequestPacket, ResponsePacket},
    transports::{TransportError, TransportErrorKind, TransportFut},
};
use blindprint_egress::{Egress, Request};
use tower::Service;
use url::Url;

/// Longest answer in bytes: a block with the hashes of its transactions is far below it.
const MAX_ANSWER: usize = 1 << 20;

/// A node, reached through egress.
#[derive(Clone)]
pub(crate) struct Node {
    egress: Egress,
    url: Url,
}

impl Node {
    pub(crate) const fn new(egress: Egress, url: Url) -> Self {
        Self { egress, url }
    }

    async fn ask(self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let body = serde_json::to_vec(&packet).map_err(TransportError::ser_err)?;
        let request = Request::post(self.url.as_str(), "application/json", body)
            .accept("application/json")
            .limit(MAX_ANSWER);
        let answer = self
            .egress
            .fetch(&request)
            .await
            .map_err(TransportErrorKind::custom)?;
        // Nodes say what is wrong in JSON under whatever status. What is no JSON may quote the
        // URL, and a node's URL may hold a key: it is not repeated.
        serde_json::from_slice(&answer.body)
            .map_err(|_| TransportErrorKind::http_error(answer.status, "no JSON-RPC".to_owned()))
    }
}

impl Service<RequestPacket> for Node {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<Result<(), TransportError>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        Box::pin(self.clone().ask(packet))
    }
}

#[cfg(test)]
mod tests;
