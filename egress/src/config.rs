use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::EgressError;

/// What a fetch may take and where it may go.
#[derive(Debug, Clone)]
pub struct Config {
    /// For one connection, TLS included. 5 s by default.
    pub connect_timeout: Duration,
    /// For the whole fetch, redirects and body included. 10 s by default.
    pub total_timeout: Duration,
    /// Longest body in bytes. 1 MiB by default.
    pub max_body: usize,
    /// Redirects followed at most. 3 by default.
    pub max_redirects: usize,
    /// Addresses that would be refused but for this list. Empty by default.
    pub allow: Vec<Allowed>,
    /// An HTTP proxy that all fetches go through, those to [`Allowed::Host`]s excepted.
    pub proxy: Option<Url>,
    /// Certificates in PEM that are trusted beside the system's.
    pub ca_bundle: Option<Vec<u8>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(10),
            max_body: 1 << 20,
            max_redirects: 3,
            allow: Vec::new(),
            proxy: None,
            ca_bundle: None,
        }
    }
}

/// An exception from what is refused: `10.1.0.0/16`, or `registry.internal:8545`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Allowed {
    /// Every port of the addresses in this network, over https (over http on loopback).
    Network(IpNet),
    /// This port of this host, over http or https, whatever its address, and without the proxy.
    Host {
        /// A name in lower case, or an address (IPv6 without brackets).
        host: String,
        /// The port.
        port: u16,
    },
}

impl FromStr for Allowed {
    type Err = EgressError;

    fn from_str(text: &str) -> Result<Self, EgressError> {
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        let invalid = EgressError::Config("an allowed address is CIDR, an IP address or host:port");
        // The URL parser normalises the host as it does for the URLs that are compared with it.
        let url = Url::parse(&format!("none://{text}")).map_err(|_| invalid.clone())?;
        let (Some(host), Some(port)) = (url.host_str(), url.port()) else {
            return Err(invalid);
        };
        // Nothing that is written is passed over.
        if url.path().len() > 1 || text.contains(['@', '?', '#']) {
            return Err(invalid);
        }
        Ok(Self::Host {
            host: host.trim_matches(['[', ']']).to_ascii_lowercase(),
            port,
        })
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => write!(f, "{network}"),
            Self::Host { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Host { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl TryFrom<String> for Allowed {
    type Error = EgressError;

    fn try_from(text: String) -> Result<Self, EgressError> {
        text.parse()
    }
}

impl From<Allowed> for String {
    fn from(allowed: Allowed) -> Self {
        allowed.to_string()
    }
}
