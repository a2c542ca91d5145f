//! Which addresses strangers may make us call.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

use crate::{Allowed, EgressError};

/// Not globally reachable (IANA IPv4 special-purpose registry, RFC 6890), or, the last one, the
/// platform service of a cloud at a public address.
const REFUSED_V4: &[([u8; 4], u8)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
    ([168, 63, 129, 16], 32),
];

/// Parts of the global unicast space (`2000::/3`) that are not globally reachable: IETF protocol
/// assignments with Teredo, documentation, 6to4.
const REFUSED_V6: &[([u16; 8], u8)] = &[
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// The operator's exceptions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    networks: Vec<IpNet>,
    hosts: Vec<(String, u16)>,
}

/// How a URL that passed may be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// To whatever address its name has: the operator named it.
    Named,
    /// Only to addresses that pass [`Policy::permits`].
    Checked,
}

impl Policy {
    pub(crate) fn new(allow: &[Allowed]) -> Self {
        let mut policy = Self::default();
        for allowed in allow {
            match allowed {
                Allowed::Network(network) => policy.networks.push(*network),
                Allowed::Host { host, port } => policy.hosts.push((host.clone(), *port)),
            }
        }
        policy
    }

    /// Whether an address may be connected to.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        let address = embedded(address);
        is_global(address) || self.networks.iter().any(|net| net.contains(&address))
    }

    /// Checks everything that the URL itself tells. Names are checked when they are resolved, or
    /// by the proxy, for which `proxied` refuses names that mean the proxy's own surroundings.
    pub(crate) fn check(&self, url: &Url, proxied: bool) -> Result<Route, EgressError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::Refused("the URL holds credentials"));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(EgressError::Refused("the URL has no host"));
        };
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(EgressError::Refused("the URL is not https")),
        };
        let text = match &host {
            Host::Domain(name) => (*name).to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        if self.hosts.contains(&(text, port)) {
            return Ok(Route::Named);
        }
        let (permitted, loopback) = match host {
            Host::Ipv4(address) => (self.permits(address.into()), address.is_loopback()),
            Host::Ipv6(address) => (self.permits(address.into()), address.is_loopback()),
            Host::Domain(name) => {
                let loopback = is_localhost(name);
                (
                    if loopback {
                        self.permits(Ipv4Addr::LOCALHOST.into())
                            || self.permits(Ipv6Addr::LOCALHOST.into())
                    } else {
                        !(proxied && is_local_name(name))
                    },
                    loopback,
                )
            }
        };
        if !permitted {
            return Err(EgressError::Refused(
                "the address is private, local or reserved",
            ));
        }
        if https || loopback {
            Ok(Route::Checked)
        } else {
            Err(EgressError::Refused("the URL is not https"))
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291), or behind NAT64 (RFC 6052).
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let octets = v6.octets();
    let (prefix, v4) = octets.split_at(12);
    let mapped = prefix == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
    let nat64 = prefix == [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
    match <[u8; 4]>::try_from(v4) {
        Ok(v4) if mapped || nat64 => Ipv4Addr::from(v4).into(),
        _ => address,
    }
}

fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !REFUSED_V4
            .iter()
            .any(|&(net, len)| Ipv4Net::new_assert(net.into(), len).contains(&v4)),
        IpAddr::V6(v6) => {
            v6.segments()[0] >> 13 == 1
                && !REFUSED_V6
                    .iter()
                    .any(|&(net, len)| Ipv6Net::new_assert(net.into(), len).contains(&v6))
        }
    }
}

/// RFC 6761 section 6.3.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Names that have no meaning in the public DNS: single labels (with a proxy, a host beside it),
/// `.local` (RFC 6762), `.internal` (reserved for private use, and cloud metadata).
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    !name.contains('.')
        || [".local", ".internal", ".home.arpa", ".lan"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests;
