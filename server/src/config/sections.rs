//! The tables of the configuration file, one struct each, with their defaults.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use blindprint_core::ServiceId;
use blindprint_egress::Allowed;
use blindprint_log::WitnessVerifier;
use blindprint_resolver::Network;
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Error, Result, domain::IssuerMethod};

/// `[service]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSection {
    /// The origin that wallets address. Default: `https://localhost:` and the HTTPS port.
    pub public_url: Option<ServiceId>,
    /// Whether anybody may enrol without an invitation.
    pub open_enrolment: bool,
}

/// `[listen]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListenSection {
    /// HTTPS. Port 0 takes a free one.
    pub https: SocketAddr,
    /// Plain HTTP, on a loopback address only: a secure context for browsers that refuse the
    /// local certificate.
    pub http: SocketAddr,
    /// Whether plain HTTP is served at all.
    pub http_enabled: bool,
    /// Longest time from a request's first byte to its answer, in seconds.
    pub request_seconds: u32,
    /// How long a shutdown waits for requests under way, in seconds.
    pub shutdown_seconds: u32,
    /// Proxies whose `X-Forwarded-For` names the caller.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for ListenSection {
    fn default() -> Self {
        Self {
            https: SocketAddr::from((Ipv4Addr::LOCALHOST, 8443)),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            http_enabled: true,
            request_seconds: 60,
            shutdown_seconds: 20,
            trusted_proxies: Vec::new(),
        }
    }
}

/// `[tls]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSection {
    /// Names in the certificate besides `localhost`, `127.0.0.1`, `::1` and the public URL's host. A
    /// new one needs `ca.pem` to be trusted anew.
    pub names: Vec<String>,
    /// A certificate chain of the operator's own, in PEM, in place of the local CA's.
    pub certificate_file: Option<PathBuf>,
    /// Its private key, in PEM.
    pub key_file: Option<PathBuf>,
}

/// `[operator]`
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperatorSection {
    /// Bearer token of operators. Default: one is drawn into `operator-token` in the data folder.
    #[serde(skip_serializing)]
    pub token: Option<SecretString>,
    /// A file with that token, in place of `token`.
    pub token_file: Option<PathBuf>,
    /// Bearer tokens that may enrol without an invitation and do nothing else.
    #[serde(skip_serializing)]
    pub enrolment_keys: Vec<SecretString>,
    /// A file with such tokens, one a line, in place of `enrolment_keys`.
    pub enrolment_keys_file: Option<PathBuf>,
}

/// `[enclave]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnclaveSection {
    /// The socket of an enclave that runs elsewhere. Default: one is started.
    pub socket: Option<PathBuf>,
    /// The binary to start. Default: `blindprint-enclave` beside this program.
    pub binary: Option<PathBuf>,
    /// Matchers that must agree on a verdict, 1 to 8. Default: the enclave's own, 1.
    pub matchers_needed: Option<u32>,
    /// Whether the enclave evaluates every probe again by itself.
    pub recompute: bool,
    /// The simulated hardware's root certificate, for the trust file of an enclave that runs elsewhere.
    pub simulated_root: Option<PathBuf>,
    /// The witness of the log, by its key, that must have countersigned lately for the enclave to serve.
    pub witness: Option<WitnessVerifier>,
    /// How long the enclave serves once it has asked for a countersignature, in seconds; 4 to 86,400.
    pub witness_seconds: u32,
    /// Whether it may begin with an older state than the hardware has seen, and replay the log.
    pub restore: bool,
}

impl Default for EnclaveSection {
    fn default() -> Self {
        Self {
            socket: None,
            binary: None,
            matchers_needed: None,
            recompute: false,
            simulated_root: None,
            witness: None,
            witness_seconds: 300,
            restore: false,
        }
    }
}

/// `[matcher]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatcherSection {
    /// Sockets of matchers that run elsewhere. Default: `count` are started.
    pub sockets: Vec<PathBuf>,
    /// The binary to start. Default: `blindprint-matcher` beside this program.
    pub binary: Option<PathBuf>,
    /// How many to start, 1 to 64.
    pub count: u32,
    /// Evaluations at once in each, 1 to 1024. Default: the processor's cores, shared out.
    pub workers: Option<u32>,
    /// Evaluations that may wait in each, 1 to 4096. Default: the matcher's own.
    pub queue: Option<u32>,
}

impl Default for MatcherSection {
    fn default() -> Self {
        Self {
            sockets: Vec::new(),
            binary: None,
            count: 1,
            workers: None,
            queue: None,
        }
    }
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSection {
    /// Requests a minute from one address (IPv6: one /64).
    pub address_per_minute: u32,
    /// Requests at once from one address.
    pub address_burst: u32,
    /// Authenticated requests a minute of one subject.
    pub subject_per_minute: u32,
    /// Authenticated requests at once of one subject.
    pub subject_burst: u32,
    /// Connections open at once, of which one address holds a quarter at most.
    pub connections: usize,
    /// Addresses and subjects remembered at most.
    pub remembered: usize,
    /// Proof verifications and comparisons under way at once, over all callers; 1 to 65,536.
    pub comparisons: usize,
    /// Copies of a credential that a wallet receives at once, each for a key of its own; 1 to 16.
    pub batch_size: u32,
    /// Longest time to send a body, in seconds.
    pub body_seconds: u32,
    /// How long an idempotency key is remembered, in seconds.
    pub idempotency_seconds: u32,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            address_per_minute: 1200,
            address_burst: 200,
            subject_per_minute: 120,
            subject_burst: 40,
            connections: 512,
            remembered: 65_536,
            comparisons: 32,
            batch_size: 16,
            body_seconds: 10,
            idempotency_seconds: 86_400,
        }
    }
}

/// `[credentials]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CredentialsSection {
    /// The DID that issues: `web` or `webvh`.
    pub issuer_method: IssuerMethod,
    /// The oldest verdict on which an authentication credential is issued, in seconds; at most 600.
    pub verdict_seconds: u32,
    /// How long a fetched status list may be relied on, in seconds.
    pub status_ttl_seconds: u32,
}

impl Default for CredentialsSection {
    fn default() -> Self {
        Self {
            issuer_method: IssuerMethod::Web,
            verdict_seconds: 300,
            status_ttl_seconds: 60,
        }
    }
}

/// `[egress]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EgressSection {
    /// Longest time for one connection, in seconds.
    pub connect_seconds: u32,
    /// Longest time for a whole fetch, in seconds.
    pub total_seconds: u32,
    /// Longest answer, in bytes.
    pub max_bytes: usize,
    /// Addresses that would be refused because they are private: networks, and hosts with a port.
    pub allow: Vec<Allowed>,
    /// An HTTP proxy for all fetches.
    pub proxy: Option<Url>,
    /// Certificates in PEM to trust beside the system's.
    pub ca_bundle: Option<PathBuf>,
}

impl Default for EgressSection {
    fn default() -> Self {
        Self {
            connect_seconds: 5,
            total_seconds: 10,
            max_bytes: 1 << 20,
            allow: Vec::new(),
            proxy: None,
            ca_bundle: None,
        }
    }
}

impl EgressSection {
    /// The same for the client that fetches.
    pub fn client(&self) -> Result<blindprint_egress::Config> {
        let ca_bundle = self.ca_bundle.as_ref().map(|file| {
            std::fs::read(file)
                .map_err(|error| Error::Setup(format!("{}: {error}", file.display())))
        });
        Ok(blindprint_egress::Config {
            connect_timeout: Duration::from_secs(u64::from(self.connect_seconds)),
            total_timeout: Duration::from_secs(u64::from(self.total_seconds)),
            max_body: self.max_bytes,
            allow: self.allow.clone(),
            proxy: self.proxy.clone(),
            ca_bundle: ca_bundle.transpose()?,
            ..blindprint_egress::Config::default()
        })
    }
}

/// `[resolver]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResolverSection {
    /// How long a fetched DID document is kept, in seconds.
    pub cache_seconds: u32,
    /// How long a failure is remembered, in seconds.
    pub negative_seconds: u32,
    /// Documents kept at most, in bytes.
    pub cache_bytes: u64,
    /// Resolutions for strangers at once.
    pub at_once: usize,
    /// Resolutions a minute for one address.
    pub address_per_minute: u32,
    /// Resolutions at once, after a pause, for one address.
    pub address_burst: u32,
    /// The chains on which did:ethr is resolved.
    pub networks: Vec<Network>,
}

impl Default for ResolverSection {
    fn default() -> Self {
        Self {
            cache_seconds: 300,
            negative_seconds: 10,
            cache_bytes: 64 << 20,
            at_once: 16,
            address_per_minute: 120,
            address_burst: 30,
            networks: Vec::new(),
        }
    }
}

impl ResolverSection {
    /// The same for the resolver.
    pub fn resolver(&self) -> blindprint_resolver::Config {
        blindprint_resolver::Config {
            ttl: self.cache_seconds,
            negative_ttl: self.negative_seconds,
            cache_bytes: self.cache_bytes,
            networks: self.networks.clone(),
            ..blindprint_resolver::Config::default()
        }
    }
}

/// `[transparency]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransparencySection {
    /// Who countersigns the log's checkpoints.
    pub witnesses: Vec<Witness>,
}

/// A witness of the log, by its C2SP tlog-witness protocol.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Its key, as C2SP writes one: `name+id+key`.
    pub vkey: WitnessVerifier,
    /// Where it takes checkpoints, without `/add-checkpoint`.
    pub url: Url,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged, in the syntax of tracing's `EnvFilter`.
    pub filter: String,
}

impl Default for LogSection {
    fn default() -> Self {
        Self {
            format: LogFormat::Auto,
            filter: "info,sqlx=warn".to_owned(),
        }
    }
}

impl OperatorSection {
    /// The configured operator token, if one is.
    pub fn token(&self) -> Result<Option<SecretString>> {
        let token = match &self.token_file {
            Some(file) => Some(SecretString::from(read_secret(file)?.trim())),
            None => self.token.clone(),
        };
        if token
            .as_ref()
            .is_some_and(|token| token.expose_secret().len() < 32)
        {
            return Err(Error::Setup(
                "operator.token must have at least 32 characters".to_owned(),
            ));
        }
        Ok(token)
    }

    /// The configured enrolment keys.
    pub fn enrolment_keys(&self) -> Result<Vec<SecretString>> {
        let keys: Vec<SecretString> = match &self.enrolment_keys_file {
            Some(file) => read_secret(file)?
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(SecretString::from)
                .collect(),
            None => self.enrolment_keys.clone(),
        };
        if keys.iter().any(|key| key.expose_secret().len() < 32) {
            return Err(Error::Setup(
                "each of operator.enrolment_keys must have at least 32 characters".to_owned(),
            ));
        }
        Ok(keys)
    }
}

fn read_secret(path: &Path) -> Result<Zeroizing<String>> {
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| Error::Setup(format!("{}: {error}", path.display())))
}
