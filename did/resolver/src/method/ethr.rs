//! did:ethr (<https://github.com/decentralized-identity/ethr-did-resolver/blob/master/doc/did-method-spec.md>):
//! an Ethereum account, and what an ERC-1056 registry on its chain says about it.

mod document;
mod history;
mod rpc;

use std::str::FromStr as _;

use alloy_primitives::Address;
use k256::elliptic_curve::sec1::ToSec1Point as _;
use serde::{Deserialize, Serialize};
use url::Url;

use self::{history::History, rpc::Rpc};
use crate::{
    Did, DocumentMetadata, Options, Resolution, ResolutionError, instant, resolver::Inner,
};

/// A chain on which did:ethr is resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The chain's number (EIP-155): `did:ethr:0x539:0x…` is on chain 1337. Chain 1 is also
    /// `mainnet`, and the one without a name.
    pub chain_id: u64,
    /// Another name for it in DIDs: `did:ethr:sepolia:0x…`.
    #[serde(default)]
    pub name: Option<String>,
    /// Where its JSON-RPC is. The node must know the logs of all blocks.
    pub rpc: Url,
    /// The address of its ERC-1056 registry, `0x` and 40 hexadecimal digits.
    pub registry: String,
}

impl Network {
    /// Whether DIDs call it this.
    fn is(&self, name: &str) -> bool {
        let number = name
            .strip_prefix("0x")
            .and_then(|hex| u64::from_str_radix(hex, 16).ok());
        number == Some(self.chain_id)
            || self.name.as_deref() == Some(name)
            || (self.chain_id == 1 && name == "mainnet")
    }
}

/// An address, in one case or with the right mixed case (EIP-55).
pub(crate) fn address(text: &str) -> Option<Address> {
    let digits = text.strip_prefix("0x")?;
    let mixed = digits.bytes().any(|b| b.is_ascii_lowercase())
        && digits.bytes().any(|b| b.is_ascii_uppercase());
    if mixed {
        Address::parse_checksummed(text, None).ok()
    } else {
        Address::from_str(text).ok()
    }
}

/// The account that a DID names, and its public key if it is named by that.
struct Account<'a> {
    network: &'a str,
    address: Address,
    /// Compressed, in hexadecimal.
    public_key: Option<&'a str>,
}

impl<'a> Account<'a> {
    fn of(did: &'a Did) -> Result<Self, ResolutionError> {
        let id = did.method_specific_id();
        let (network, account) = id.rsplit_once(':').unwrap_or(("mainnet", id));
        let digits = account
            .strip_prefix("0x")
            .ok_or(ResolutionError::InvalidDid)?;
        let found = if digits.len() == 66 {
            derive(digits).map(|address| (address, Some(digits)))
        } else {
            address(account).map(|address| (address, None))
        };
        let (address, public_key) = found.ok_or(ResolutionError::InvalidDid)?;
        Ok(Self {
            network,
            address,
            public_key,
        })
    }
}

/// A compressed secp256k1 key (SEC 1 section 2.3.3: it begins with 2 or 3).
pub(crate) fn secp256k1(compressed: &[u8]) -> Option<k256::PublicKey> {
    let form = compressed.len() == 33 && matches!(compressed[0], 2 | 3);
    form.then(|| k256::PublicKey::from_sec1_bytes(compressed).ok())?
}

/// The address of a compressed secp256k1 key.
fn derive(digits: &str) -> Option<Address> {
    let compressed = hex::decode(digits).ok()?;
    let key = secp256k1(&compressed)?;
    let point = key.to_sec1_point(false);
    // SEC 1: an uncompressed point begins with 4.
    Some(Address::from_raw_public_key(point.as_bytes().get(1..)?))
}

impl Inner {
    /// The document as the registry has it now, or had it in the block that `versionId` names.
    pub(crate) async fn resolve_ethr(
        &self,
        did: &Did,
        options: &Options,
    ) -> Result<Resolution, ResolutionError> {
        let account = Account::of(did)?;
        if options.version_time.is_some() || options.version_number.is_some() {
            return Err(ResolutionError::FeatureNotSupported(
                "versions of a did:ethr by time or number",
            ));
        }
        let version = options
            .version_id
            .as_deref()
            .map(str::parse::<u64>)
            .transpose()
            .map_err(|_| {
                ResolutionError::InvalidOptions("versionId is not the number of a block")
            })?;
        let networks = &self.config.networks;
        let network = networks
            .iter()
            .find(|network| network.is(account.network))
            .ok_or(ResolutionError::FeatureNotSupported(
                "did:ethr on this network",
            ))?;

        let rpc = Rpc::new(&self.egress, network)?;
        rpc.check_chain().await?;
        let now = match version {
            None => self.clock.now(),
            Some(block) => rpc.time_of(block).await?.ok_or(ResolutionError::NotFound)?,
        };
        let history = History::read(&rpc, account.address).await?;
        let view = history.at(version);
        let document = document::build(did, &account, network.chain_id, view.events, now)?;
        let mut metadata = DocumentMetadata {
            deactivated: view.deactivated(),
            ..DocumentMetadata::default()
        };
        if let Some(block) = view.last {
            metadata.version_id = Some(block.to_string());
            metadata.updated = rpc.time_of(block).await?.and_then(instant::format);
        }
        if let Some(block) = view.next {
            metadata.next_version_id = Some(block.to_string());
            metadata.next_update = rpc.time_of(block).await?.and_then(instant::format);
        }
        Ok(Resolution::new(document, metadata))
    }
}

#[cfg(test)]
mod tests;
