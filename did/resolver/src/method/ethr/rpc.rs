//! The four calls of Ethereum's JSON-RPC that are needed.

use alloy_primitives::{Address, B256, Bytes};
use blindprint_core::UnixTime;
use blindprint_egress::{Egress, Request};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::Network;
use crate::ResolutionError;

/// Longest answer in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// One chain's node, and the registry on it.
pub(super) struct Rpc<'a> {
    egress: &'a Egress,
    network: &'a Network,
    registry: Address,
}

/// A log of the registry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawLog {
    pub(super) address: Address,
    pub(super) topics: Vec<B256>,
    pub(super) data: Bytes,
    #[serde(default)]
    removed: bool,
}

#[derive(Deserialize)]
struct Block {
    timestamp: String,
}

#[derive(Deserialize)]
struct Answer {
    result: Option<Value>,
    error: Option<Value>,
}

impl<'a> Rpc<'a> {
    pub(super) fn new(egress: &'a Egress, network: &'a Network) -> Result<Self, ResolutionError> {
        let registry = super::address(&network.registry).ok_or(ResolutionError::Internal(
            "the registry's address in the configuration is not one",
        ))?;
        Ok(Self {
            egress,
            network,
            registry,
        })
    }

    /// Fails if the node is not of the configured chain: it would answer for other accounts.
    pub(super) async fn check_chain(&self) -> Result<(), ResolutionError> {
        let chain: String = self.call("eth_chainId", json!([])).await?;
        if quantity(&chain) == Some(self.network.chain_id) {
            Ok(())
        } else {
            Err(ResolutionError::Internal("the node is of another chain"))
        }
    }

    /// Calls a view of the registry.
    pub(super) async fn view(&self, call: Vec<u8>) -> Result<Bytes, ResolutionError> {
        let call = json!({ "to": self.registry, "data": Bytes::from(call) });
        self.call("eth_call", json!([call, "latest"])).await
    }

    /// The registry's logs about an account in one block, in their order.
    pub(super) async fn logs(
        &self,
        account: Address,
        block: u64,
    ) -> Result<Vec<RawLog>, ResolutionError> {
        let block = format!("{block:#x}");
        let filter = json!({
            "address": self.registry,
            "topics": [null, account.into_word()],
            "fromBlock": block,
            "toBlock": block,
        });
        let logs: Vec<RawLog> = self.call("eth_getLogs", json!([filter])).await?;
        Ok(logs
            .into_iter()
            .filter(|log| log.address == self.registry && !log.removed)
            .collect())
    }

    /// When a block was made; `None` if there is none.
    pub(super) async fn time_of(&self, block: u64) -> Result<Option<UnixTime>, ResolutionError> {
        let params = json!([format!("{block:#x}"), false]);
        let block: Option<Block> = self.call("eth_getBlockByNumber", params).await?;
        block
            .map(|block| {
                let seconds = quantity(&block.timestamp).and_then(|time| time.try_into().ok());
                seconds.map(UnixTime).ok_or(UNREADABLE)
            })
            .transpose()
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, ResolutionError> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = Request::post_json(self.network.rpc.as_str(), &body)
            .accept("application/json")
            .limit(MAX_ANSWER);
        let response = self.egress.fetch(&request).await?.success()?;
        let answer: Answer = serde_json::from_slice(&response.body).map_err(|_| UNREADABLE)?;
        if answer.error.is_some() {
            return Err(ResolutionError::Internal("the node refused a call"));
        }
        serde_json::from_value(answer.result.unwrap_or_default()).map_err(|_| UNREADABLE)
    }
}

const UNREADABLE: ResolutionError = ResolutionError::Internal("the node's answer is malformed");

/// A number as JSON-RPC writes it.
fn quantity(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}
