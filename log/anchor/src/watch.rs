//! Writes the log's checkpoint into the contract, again and again.

use std::time::Duration;

use alloy::primitives::{Address, B256};
use blindprint_log::{Frontier, WitnessVerifier};
use blindprint_reader::LogReader;

use crate::{AnchorError, chain::PaidChain, follow};

/// First wait after a failure; each further failure doubles it, up to the period.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// A log on its way into a contract.
pub(crate) struct Watch {
    chain: PaidChain,
    contract: Address,
    reader: LogReader,
    witnesses: Vec<WitnessVerifier>,
    /// Of what was last written in this run, so that only what is new is read.
    frontier: Frontier,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    /// The chain has the log's head already.
    Unchanged { size: u64 },
    /// It has been written.
    Written { size: u64, transaction: B256 },
}

impl Watch {
    /// Makes sure that the contract is the payer's.
    pub(crate) async fn begin(
        chain: PaidChain,
        contract: Address,
        reader: LogReader,
        witnesses: Vec<WitnessVerifier>,
    ) -> Result<Self, AnchorError> {
        chain.expect_own(contract).await?;
        Ok(Self {
            chain,
            contract,
            reader,
            witnesses,
            frontier: Frontier::default(),
        })
    }

    /// Writes the log's head if it has grown, after reading every entry that is new.
    pub(crate) async fn round(&mut self) -> Result<Round, AnchorError> {
        let origin = follow::origin_hash(self.reader.key());
        let head = follow::head(&self.reader, &self.witnesses).await?;
        let last = self.chain.chain().latest(self.contract, origin).await?;
        let size = last.map_or(0, |last| last.size);
        // Behind what was written here there is nothing but a chain that was reorganised.
        let from = if size < self.frontier.size() {
            Frontier::default()
        } else {
            self.frontier.clone()
        };
        let frontier = follow::extend(&self.reader, from, last.as_slice(), &head).await?;
        let head = head.checkpoint();
        if head.size() == size {
            self.frontier = frontier;
            return Ok(Round::Unchanged { size });
        }
        let root = *head.root().as_bytes();
        let written = self
            .chain
            .anchor(self.contract, origin, head.size(), root)
            .await?;
        self.frontier = frontier;
        Ok(Round::Written {
            size: head.size(),
            transaction: written,
        })
    }

    /// Goes on until the log misbehaves or something needs a person.
    pub(crate) async fn run(mut self, every: Duration) -> AnchorError {
        let mut failures = 0;
        loop {
            let wait = match self.round().await {
                Ok(round) => {
                    failures = 0;
                    tracing::info!(?round, "the chain has the log's head");
                    every
                }
                Err(error) if error.passes() => {
                    let wait = FIRST_WAIT.saturating_mul(1 << failures).min(every);
                    failures = (failures + 1).min(16);
                    tracing::warn!(%error, again_in = wait.as_secs(), "not written");
                    wait
                }
                Err(error) => return error,
            };
            tokio::time::sleep(wait).await;
        }
    }
}
