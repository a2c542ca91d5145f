//! The contract on its chain.

use std::time::Duration;

use alloy::{
    network::{Ethereum, EthereumWallet, ReceiptResponse as _},
    primitives::{Address, B256},
    providers::{DynProvider, PendingTransactionBuilder, Provider as _, ProviderBuilder},
    rpc::client::RpcClient,
    signers::local::PrivateKeySigner,
    sol,
    transports::utils::guess_local_url,
};
use blindprint_egress::Egress;
use url::Url;

use crate::{AnchorError, transport::Node};
use CheckpointAnchor::{Anchored as Event, CheckpointAnchorInstance};

sol!(
    #[sol(rpc)]
    CheckpointAnchor,
    "contracts/CheckpointAnchor.json"
);

/// Most gas that a deployment may take; it takes about 220,000.
const DEPLOYMENT_GAS: u64 = 1_000_000;
/// Most gas that writing a checkpoint may take; it takes 40,000 to 75,000.
const ANCHOR_GAS: u64 = 200_000;
/// How long a transaction may stay unmined before the next attempt replaces it.
const PATIENCE: Duration = Duration::from_mins(5);
/// Longest history that is read. A log that is anchored hourly reaches it after eleven years.
const MAX_HISTORY: usize = 100_000;

/// A chain, by a node that is trusted to tell what it holds.
pub(crate) struct Chain {
    provider: DynProvider,
    id: u64,
}

/// Who pays, and how much at most.
pub(crate) struct Payer {
    pub(crate) key: PrivateKeySigner,
    /// Wei for one unit of gas, tip included.
    pub(crate) max_fee: Option<u128>,
    /// Blocks, the one with the transaction included.
    pub(crate) confirmations: u64,
}

/// A chain on which somebody pays.
pub(crate) struct PaidChain {
    chain: Chain,
    payer: Address,
    max_fee: Option<u128>,
    confirmations: u64,
}

/// A checkpoint as the contract holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchored {
    pub(crate) size: u64,
    pub(crate) root: [u8; 32],
    pub(crate) block: u64,
}

impl Chain {
    /// Connects, and makes sure that the node is of chain `id` ([EIP-155](https://eips.ethereum.org/EIPS/eip-155)).
    pub(crate) async fn connect(egress: Egress, rpc: Url, id: u64) -> Result<Self, AnchorError> {
        let client = client(egress, rpc);
        let provider = ProviderBuilder::default().connect_client(client).erased();
        Self { provider, id }.checked().await
    }

    async fn checked(self) -> Result<Self, AnchorError> {
        let found = self.provider.get_chain_id().await;
        let found = found.map_err(AnchorError::chain)?;
        if found == self.id {
            Ok(self)
        } else {
            Err(AnchorError::Invalid(format!(
                "the node is of chain {found}, not {}",
                self.id
            )))
        }
    }

    fn contract(&self, address: Address) -> CheckpointAnchorInstance<&DynProvider> {
        CheckpointAnchor::new(address, &self.provider)
    }

    /// Makes sure that this contract is at the address.
    pub(crate) async fn expect(&self, contract: Address) -> Result<(), AnchorError> {
        let code = self.provider.get_code_at(contract).await;
        if code.map_err(AnchorError::chain)?.is_empty() {
            return Err(AnchorError::Invalid(format!("no contract at {contract}")));
        }
        Ok(())
    }

    /// The last checkpoint of the log with this SHA-256 of its origin.
    pub(crate) async fn latest(
        &self,
        contract: Address,
        origin: B256,
    ) -> Result<Option<Anchored>, AnchorError> {
        let contract = self.contract(contract);
        let last = contract.latest(origin).call().await;
        let last = last.map_err(AnchorError::chain)?;
        Ok((last.size > 0).then_some(Anchored {
            size: last.size,
            root: last.root.0,
            block: last.blockNumber,
        }))
    }

    /// All checkpoints of that log, the last first, found from block to block.
    pub(crate) async fn history(
        &self,
        contract: Address,
        origin: B256,
    ) -> Result<Vec<Anchored>, AnchorError> {
        let broken = |why: &str| AnchorError::Unavailable {
            from: "the chain",
            why: why.to_owned(),
        };
        let mut history = Vec::new();
        let Some(latest) = self.latest(contract, origin).await? else {
            return Ok(history);
        };
        let mut next = latest.block;
        while next != 0 {
            let events = self.events(contract, origin, next).await?;
            let Some((_, first)) = events.first() else {
                return Err(broken("an event that another one points to is missing"));
            };
            let (block, earlier) = (next, first.previousBlock);
            // More than one may be in a block; each points to where the one before it is.
            for (_, event) in events.iter().rev() {
                history.push(Anchored {
                    size: event.size,
                    root: event.root.0,
                    block,
                });
            }
            if earlier >= block || history.len() > MAX_HISTORY {
                return Err(broken("the history has no beginning"));
            }
            next = earlier;
        }
        let falls = history.windows(2).all(|pair| pair[0].size > pair[1].size);
        if history.first() != Some(&latest) || !falls {
            return Err(broken("the events contradict the contract's state"));
        }
        Ok(history)
    }

    /// The events of one block, in their order.
    async fn events(
        &self,
        contract: Address,
        origin: B256,
        block: u64,
    ) -> Result<Vec<(u64, Event)>, AnchorError> {
        let found = self
            .contract(contract)
            .Anchored_filter()
            .topic1(origin)
            .from_block(block)
            .to_block(block)
            .query()
            .await;
        let mut events: Vec<(u64, Event)> = found
            .map_err(AnchorError::chain)?
            .into_iter()
            .filter(|(event, log)| {
                log.address() == contract
                    && log.block_number == Some(block)
                    && event.originHash == origin
                    && !log.removed
            })
            .map(|(event, log)| (log.log_index.unwrap_or_default(), event))
            .collect();
        events.sort_by_key(|(index, _)| *index);
        Ok(events)
    }
}

impl PaidChain {
    /// As [`Chain::connect`], with somebody who pays.
    pub(crate) async fn connect(
        egress: Egress,
        rpc: Url,
        id: u64,
        payer: Payer,
    ) -> Result<Self, AnchorError> {
        let client = client(egress, rpc);
        let address = payer.key.address();
        let provider = ProviderBuilder::default()
            .wallet(EthereumWallet::new(payer.key))
            .connect_client(client)
            .erased();
        Ok(Self {
            chain: Chain { provider, id }.checked().await?,
            payer: address,
            max_fee: payer.max_fee,
            confirmations: payer.confirmations,
        })
    }

    pub(crate) const fn chain(&self) -> &Chain {
        &self.chain
    }

    pub(crate) const fn payer(&self) -> Address {
        self.payer
    }

    /// Makes sure that the contract is there and accepts the payer's checkpoints.
    pub(crate) async fn expect_own(&self, contract: Address) -> Result<(), AnchorError> {
        self.chain.expect(contract).await?;
        let owner = self.chain.contract(contract).owner().call().await;
        let owner = owner.map_err(AnchorError::chain)?;
        if owner == self.payer {
            Ok(())
        } else {
            Err(AnchorError::NotOwner(owner))
        }
    }

    /// Deploys a contract that belongs to the payer, and gives its address.
    pub(crate) async fn deploy(&self) -> Result<Address, AnchorError> {
        let (provider, me) = (&self.chain.provider, self.payer);
        let call = CheckpointAnchor::deploy_builder(provider).from(me);
        let gas = bounded(call.estimate_gas().await, DEPLOYMENT_GAS)?;
        let (nonce, fee, tip) = self.terms().await?;
        let sent = call
            .chain_id(self.chain.id)
            .nonce(nonce)
            .gas(gas)
            .max_fee_per_gas(fee)
            .max_priority_fee_per_gas(tip)
            .send()
            .await;
        self.mined(sent.map_err(AnchorError::chain)?).await?;
        Ok(me.create(nonce))
    }

    /// Writes a checkpoint and waits until it is mined. A transaction that was sent before and is
    /// still waiting is replaced: there is never more than one.
    pub(crate) async fn anchor(
        &self,
        contract: Address,
        origin: B256,
        size: u64,
        root: [u8; 32],
    ) -> Result<B256, AnchorError> {
        let contract = self.chain.contract(contract);
        let call = contract.anchor(origin, size, root.into()).from(self.payer);
        let gas = bounded(call.estimate_gas().await, ANCHOR_GAS)?;
        let (nonce, fee, tip) = self.terms().await?;
        let sent = call
            .chain_id(self.chain.id)
            .nonce(nonce)
            .gas(gas)
            .max_fee_per_gas(fee)
            .max_priority_fee_per_gas(tip)
            .send()
            .await;
        self.mined(sent.map_err(AnchorError::chain)?).await
    }

    /// Nonce, fee and tip, in wei for one unit of gas.
    async fn terms(&self) -> Result<(u64, u128, u128), AnchorError> {
        let provider = &self.chain.provider;
        let nonce = provider.get_transaction_count(self.payer).await;
        let nonce = nonce.map_err(AnchorError::chain)?;
        let fees = provider.estimate_eip1559_fees().await;
        let fees = fees.map_err(AnchorError::chain)?;
        match self.max_fee {
            Some(allowed) if fees.max_fee_per_gas > allowed => Err(AnchorError::Expensive {
                asked: fees.max_fee_per_gas,
                allowed,
            }),
            _ => Ok((nonce, fees.max_fee_per_gas, fees.max_priority_fee_per_gas)),
        }
    }

    async fn mined(&self, sent: PendingTransactionBuilder<Ethereum>) -> Result<B256, AnchorError> {
        let receipt = sent
            .with_required_confirmations(self.confirmations)
            .with_timeout(Some(PATIENCE))
            .get_receipt()
            .await
            .map_err(AnchorError::chain)?;
        if receipt.status() {
            Ok(receipt.transaction_hash())
        } else {
            Err(AnchorError::Unavailable {
                from: "the chain",
                why: format!("transaction {} was reverted", receipt.transaction_hash()),
            })
        }
    }
}

fn client(egress: Egress, rpc: Url) -> RpcClient {
    // Decides how often it asks whether something is mined.
    let local = guess_local_url(rpc.as_str());
    RpcClient::new(Node::new(egress, rpc), local)
}

/// A quarter more than the estimate, which may grow by a storage slot until the block is made.
fn bounded(estimate: Result<u64, alloy::contract::Error>, most: u64) -> Result<u64, AnchorError> {
    let gas = estimate.map_err(AnchorError::chain)?;
    let gas = gas.saturating_add(gas / 4);
    if gas > most {
        return Err(AnchorError::Invalid(format!(
            "the node wants {gas} gas where {most} are plenty"
        )));
    }
    Ok(gas)
}

#[cfg(test)]
mod tests;
