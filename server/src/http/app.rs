use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use blindprint_core::Digest;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Dashboard, OwnPage};
use crate::{
    backend::MaterialStore,
    config::Setting,
    domain::{
        Buckets, Locks, OpenId, Places, Public, Rate, Service, ledger::Ledger, rights::Rights,
    },
};

/// What every handler can reach.
pub struct App {
    /// The rules.
    pub service: Arc<Service>,
    /// OAuth 2.0, `OpenID4VCI` and `OpenID4VP`.
    pub openid: Arc<OpenId>,
    /// What the service is to strangers.
    pub public: Public,
    /// The transparency log.
    pub ledger: Arc<Ledger>,
    /// Subjects' rights.
    pub rights: Arc<Rights>,
    /// What administrators see and do.
    pub dashboard: Dashboard,
    /// What subjects see and do.
    pub own_page: OwnPage,
    /// DIDs that are resolved for strangers, by one address.
    pub resolution_rate: Buckets<Address>,
    /// The same at this moment.
    pub resolutions: Arc<Places<Address>>,
    /// Public material.
    pub material: MaterialStore,
    /// Who operates the service.
    pub operators: Operators,
    /// Requests of one address.
    pub address_rate: Buckets<Address>,
    /// Tokens asked for from one address under one client's name, the right secret given or not.
    pub token_rate: Buckets<(Address, Digest)>,
    /// Proxies that may name the caller.
    pub trusted_proxies: Vec<IpAddr>,
    /// Idempotency keys in use at this moment.
    pub keys_in_use: Locks<(String, String)>,
    /// What `/metrics` prints.
    pub metrics: PrometheusHandle,
    /// The configuration in force, without secrets.
    pub settings: Vec<Setting>,
    /// Longest time from a request's first byte to its answer, in seconds.
    pub request_seconds: u32,
    /// Longest time to send a body, in seconds.
    pub body_seconds: u32,
}

impl App {
    /// The limit for addresses.
    pub fn address_rate(rate: Rate, remembered: usize) -> Buckets<Address> {
        Buckets::new(rate, remembered)
    }
}

/// Tokens that one client gets from one address. Each is good for minutes.
pub const TOKEN_RATE: Rate = Rate {
    per_minute: 60,
    burst: 60,
};

/// Where requests come from, as far as one household or host goes: an IPv4 address or an IPv6 /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address(IpAddr);

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let network = v6.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Bearer tokens, kept as digests only. Comparing digests tells nothing about the token by its time.
pub struct Operators {
    operator: Digest,
    enrolment: Vec<Digest>,
}

/// What a bearer token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Everything that operators do.
    Operate,
    /// Enrolling without an invitation.
    Enrol,
}

impl Operators {
    /// One operator token, and keys that may enrol only.
    pub fn new(operator: &SecretString, enrolment: &[SecretString]) -> Self {
        Self {
            operator: token_digest(operator.expose_secret()),
            enrolment: enrolment
                .iter()
                .map(|key| token_digest(key.expose_secret()))
                .collect(),
        }
    }

    /// What this token is good for.
    pub fn right(&self, token: &str) -> Option<Right> {
        let digest = token_digest(token);
        // Both are always compared, so that time does not tell one kind from the other.
        let operates = digest == self.operator;
        let enrols = self.enrolment.iter().filter(|key| **key == digest).count() > 0;
        match (operates, enrols) {
            (true, _) => Some(Right::Operate),
            (false, true) => Some(Right::Enrol),
            (false, false) => None,
        }
    }
}

fn token_digest(token: &str) -> Digest {
    Digest::of("blindprint/bearer-token/v1", token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_caller() {
        let address = |text: &str| Address::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1:2:3"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
    }

    #[test]
    fn enrolment_keys_do_not_operate() {
        let operators = Operators::new(
            &SecretString::from("operator"),
            &[SecretString::from("enroller")],
        );
        assert_eq!(operators.right("operator"), Some(Right::Operate));
        assert_eq!(operators.right("enroller"), Some(Right::Enrol));
        assert_eq!(operators.right(""), None);
    }
}
