//! did:ethr.

use serde::Deserialize;
use url::Url;

/// A chain on which did:ethr is resolved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The chain's number (EIP-155): `did:ethr:0x539:0x…` is on chain 1337; on chain 1 the number
    /// may be left out.
    pub chain_id: u64,
    /// A name for it in DIDs: `did:ethr:sepolia:0x…`.
    #[serde(default)]
    pub name: Option<String>,
    /// Where its JSON-RPC is.
    pub rpc: Url,
    /// The address of its ERC-1056 registry, `0x` and 40 hexadecimal digits.
    pub registry: String,
}
