//! What an ERC-1056 registry recorded about an account, walked backwards from `changed()`.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall as _, SolEvent as _, sol};

use super::rpc::{RawLog, Rpc};
use crate::ResolutionError;

/// Blocks with changes that are followed at most: each costs a call.
const MAX_BLOCKS: usize = 256;
/// Events of one account at most.
const MAX_EVENTS: usize = 4096;

sol! {
    #[derive(Debug)]
    event DIDOwnerChanged(address indexed identity, address owner, uint256 previousChange);
    #[derive(Debug)]
    event DIDDelegateChanged(
        address indexed identity,
        bytes32 delegateType,
        address delegate,
        uint256 validTo,
        uint256 previousChange
    );
    #[derive(Debug)]
    event DIDAttributeChanged(
        address indexed identity,
        bytes32 name,
        bytes value,
        uint256 validTo,
        uint256 previousChange
    );

    function changed(address identity) external view returns (uint256);
}

/// All changes, the oldest first.
pub(super) struct History(Vec<Recorded>);

/// A change, and the block that it is in.
pub(super) struct Recorded {
    pub(super) block: u64,
    pub(super) event: Event,
}

/// A change of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// Another account controls it; the null account if nobody does any more.
    Owner(Address),
    /// Another account may act for it until a time.
    Delegate {
        purpose: String,
        delegate: Address,
        valid_to: U256,
    },
    /// Something holds of it until a time.
    Attribute {
        name: String,
        value: Bytes,
        valid_to: U256,
    },
}

/// The changes up to a version.
pub(super) struct View<'a> {
    pub(super) events: &'a [Recorded],
    /// The block of the last change.
    pub(super) last: Option<u64>,
    /// The block of the first change that is left out.
    pub(super) next: Option<u64>,
}

impl View<'_> {
    /// Whether the account was given to nobody.
    pub(super) fn deactivated(&self) -> bool {
        let given_up = |recorded: &Recorded| recorded.event == Event::Owner(Address::ZERO);
        self.events.iter().any(given_up)
    }
}

impl History {
    pub(super) async fn read(rpc: &Rpc<'_>, account: Address) -> Result<Self, ResolutionError> {
        let malformed = ResolutionError::Internal("the node's answer is malformed");
        let answer = rpc
            .view(changedCall { identity: account }.abi_encode())
            .await?;
        let changed = changedCall::abi_decode_returns(&answer).map_err(|_| malformed.clone())?;
        let mut block = u64::try_from(changed).map_err(|_| malformed.clone())?;
        let mut newest_first = Vec::new();
        for _ in 0..MAX_BLOCKS {
            if block == 0 {
                newest_first.reverse();
                return Ok(Self(newest_first));
            }
            let logs = rpc.logs(account, block).await?;
            if logs.is_empty() {
                return Err(ResolutionError::Internal(
                    "the node does not have the logs of all blocks",
                ));
            }
            // Later changes in a block point to the block itself, the first one to an earlier one.
            let mut previous = 0;
            for log in logs.iter().rev() {
                let (event, pointer) = decode(log).ok_or_else(|| malformed.clone())?;
                let pointer = u64::try_from(pointer).map_err(|_| malformed.clone())?;
                if pointer < block {
                    previous = pointer;
                }
                if let Some(event) = event {
                    newest_first.push(Recorded { block, event });
                }
            }
            if newest_first.len() > MAX_EVENTS {
                break;
            }
            block = previous;
        }
        Err(ResolutionError::FeatureNotSupported(
            "did:ethr with so long a history",
        ))
    }

    /// The changes up to and with this block; all without one.
    pub(super) fn at(&self, version: Option<u64>) -> View<'_> {
        let newest = version.unwrap_or(u64::MAX);
        let count = self.0.partition_point(|recorded| recorded.block <= newest);
        let (events, later) = self.0.split_at(count);
        View {
            events,
            last: events.last().map(|recorded| recorded.block),
            next: later.first().map(|recorded| recorded.block),
        }
    }
}

/// The change that a log is, if it is one of a DID (its name is text), and the block of the change
/// before. `None` if it is no log of a registry.
fn decode(log: &RawLog) -> Option<(Option<Event>, U256)> {
    let topics = || log.topics.iter().copied();
    let kind = *log.topics.first()?;
    if kind == DIDOwnerChanged::SIGNATURE_HASH {
        let log = DIDOwnerChanged::decode_raw_log_validate(topics(), &log.data).ok()?;
        Some((Some(Event::Owner(log.owner)), log.previousChange))
    } else if kind == DIDDelegateChanged::SIGNATURE_HASH {
        let log = DIDDelegateChanged::decode_raw_log_validate(topics(), &log.data).ok()?;
        let event = text(log.delegateType).map(|purpose| Event::Delegate {
            purpose,
            delegate: log.delegate,
            valid_to: log.validTo,
        });
        Some((event, log.previousChange))
    } else if kind == DIDAttributeChanged::SIGNATURE_HASH {
        let log = DIDAttributeChanged::decode_raw_log_validate(topics(), &log.data).ok()?;
        let event = text(log.name).map(|name| Event::Attribute {
            name,
            value: log.value,
            valid_to: log.validTo,
        });
        Some((event, log.previousChange))
    } else {
        None
    }
}

/// A short text padded with zero bytes.
fn text(word: B256) -> Option<String> {
    let text = std::str::from_utf8(word.as_slice()).ok()?;
    Some(text.trim_end_matches('\0').to_owned())
}
