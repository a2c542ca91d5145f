//! What an operator can set. Nothing has to be set: every key has a default that serves on
//! loopback from one data folder.
//!
//! Sources, later ones win: defaults, `blindprint.toml` (the file named by `--config` or
//! `BLINDPRINT_CONFIG`, else the one in the data folder), environment (`BLINDPRINT_LIMITS__BODY_SECONDS=5`
//! for `limits.body_seconds`), command line. An unknown key is an error.

mod admin;
mod controller;
mod rights;
mod sections;

use std::{ffi::OsString, fmt, ops::RangeInclusive, path::PathBuf};

use blindprint_protocol::policy::{MAX_ADMITTED, MAX_MATCHERS};
use figment::{
    Figment,
    error::Kind,
    providers::{Format as _, Serialized, Toml},
    value::{Dict, Map, Value},
};
use serde::{Deserialize, Serialize};

pub use admin::AdminSection;
pub use controller::ControllerSection;
pub use rights::{RetentionSection, RightsSection};
pub use sections::{
    CredentialsSection, EgressSection, EnclaveSection, LimitsSection, ListenSection, LogFormat,
    LogSection, MatcherSection, OperatorSection, ResolverSection, ServiceSection, TlsSection,
    TransparencySection, Witness,
};

use crate::{Error, Result};

/// What `blindprint-matcher` takes for `--workers`.
const MAX_WORKERS: u32 = 1024;
/// What `blindprint-matcher` takes for `--queue`.
const MAX_QUEUE: u32 = 4096;
/// What fits into one answer.
const MAX_BATCH: u32 = 16;
/// An authentication credential speaks of a person who was just there.
const MAX_VERDICT_AGE: u32 = 600;
const ENVIRONMENT: &str = "environment";
const COMMAND_LINE: &str = "command line";
/// Values that are never shown.
const SECRETS: [&str; 2] = ["operator.token", "operator.enrolment_keys"];
/// Far more than any queue of matchers holds.
const MAX_COMPARISONS: usize = 65_536;

/// What `blindprint-enclave` takes for `--witness-period`.
const WITNESS_SECONDS: RangeInclusive<u32> = 4..=86_400;

/// The whole configuration.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where everything is kept that must survive a restart.
    pub data: PathBuf,
    /// Who this service is.
    pub service: ServiceSection,
    /// Where it listens.
    pub listen: ListenSection,
    /// The certificate.
    pub tls: TlsSection,
    /// Who operates it.
    pub operator: OperatorSection,
    /// Who is responsible, and what people are told.
    pub controller: ControllerSection,
    /// The enclave process.
    pub enclave: EnclaveSection,
    /// The matcher processes.
    pub matcher: MatcherSection,
    /// What is issued.
    pub credentials: CredentialsSection,
    /// What is fetched from addresses that others choose.
    pub egress: EgressSection,
    /// How DIDs are resolved.
    pub resolver: ResolverSection,
    /// Who watches its log.
    pub transparency: TransparencySection,
    /// How subjects' rights are carried out.
    pub rights: RightsSection,
    /// How long things are kept.
    pub retention: RetentionSection,
    /// How administrators sign in.
    pub admin: AdminSection,
    /// What one caller may ask for.
    pub limits: LimitsSection,
    /// What is logged.
    pub log: LogSection,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("blindprint-data"),
            service: ServiceSection::default(),
            listen: ListenSection::default(),
            tls: TlsSection::default(),
            operator: OperatorSection::default(),
            controller: ControllerSection::default(),
            enclave: EnclaveSection::default(),
            matcher: MatcherSection::default(),
            credentials: CredentialsSection::default(),
            egress: EgressSection::default(),
            resolver: ResolverSection::default(),
            transparency: TransparencySection::default(),
            rights: RightsSection::default(),
            retention: RetentionSection::default(),
            admin: AdminSection::default(),
            limits: LimitsSection::default(),
            log: LogSection::default(),
        }
    }
}

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Overrides {
    /// Data folder
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// Configuration file
    #[arg(long, value_name = "FILE", env = "BLINDPRINT_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// Any key of the configuration, e.g. `--set listen.https=127.0.0.1:0`
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    pub set: Vec<String>,
}

impl Overrides {
    fn values(&self) -> Result<Dict> {
        let mut values = Dict::new();
        if let Some(data) = &self.data {
            let data = data
                .to_str()
                .ok_or_else(|| Error::Setup("--data: the path is not UTF-8".to_owned()))?;
            values.insert("data".to_owned(), Value::from(data));
        }
        for assignment in &self.set {
            let (key, value) = assignment
                .split_once('=')
                .ok_or_else(|| Error::Setup(format!("--set {assignment}: expected KEY=VALUE")))?;
            values = assign(values, key, value, &format!("--set {key}"))?;
        }
        Ok(values)
    }
}

/// `BLINDPRINT_DATA` and every variable with a section, like `BLINDPRINT_LOG__FORMAT`. Others of
/// that prefix belong to other programs.
fn environment(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Dict> {
    let mut values = Dict::new();
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        let Some(key) = name.strip_prefix("BLINDPRINT_") else {
            continue;
        };
        if key == "DATA" || key.contains("__") {
            let key = key.to_ascii_lowercase().replace("__", ".");
            let value = value
                .to_str()
                .ok_or_else(|| Error::Setup(format!("{name}: the value is not UTF-8")))?;
            values = assign(values, &key, value, name)?;
        }
    }
    Ok(values)
}

/// Adds one text to `values`: TOML where it parses, else text. Errors name it as `called`.
fn assign(values: Dict, key: &str, value: &str, called: &str) -> Result<Dict> {
    // figment's parser counts characters as bytes before a backslash: it panics or cuts.
    if !value.is_ascii() && value.contains('\\') {
        return Err(Error::Setup(format!(
            "{called}: write it without backslashes, or into the configuration file"
        )));
    }
    let value = value.parse().unwrap_or_else(|never| match never {});
    let nested = figment::util::nest(key, value);
    let nested = nested
        .into_dict()
        .ok_or_else(|| Error::Setup(format!("{called}: names no key")))?;
    Ok(merge(values, nested))
}

fn merge(mut into: Dict, from: Dict) -> Dict {
    for (key, value) in from {
        let merged = match (into.remove(&key), value) {
            (Some(Value::Dict(tag, old)), Value::Dict(_, new)) => Value::Dict(tag, merge(old, new)),
            (_, new) => new,
        };
        into.insert(key, merged);
    }
    into
}

/// The environment or the command line as a source of configuration.
struct Given {
    by: &'static str,
    values: Dict,
}

impl figment::Provider for Given {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named(self.by)
    }

    fn data(&self) -> figment::Result<Map<figment::Profile, Dict>> {
        Ok(figment::Profile::Default.collect(self.values.clone()))
    }
}

/// A configuration and where each value comes from.
pub struct Loaded {
    /// The values.
    pub config: Config,
    figment: Figment,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingSource {
    /// The program itself.
    Default,
    /// The configuration file.
    File(String),
    /// The environment.
    Environment,
    /// The command line.
    CommandLine,
}

/// One value of the configuration in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its key, with dots.
    pub key: String,
    /// The value as JSON; `None` for secrets.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: SettingSource,
}

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(file) => f.write_str(file),
            Self::Environment => f.write_str(ENVIRONMENT),
            Self::CommandLine => f.write_str(COMMAND_LINE),
        }
    }
}

impl Loaded {
    /// `key = value  # source`, one a line, with secrets redacted.
    pub fn explain(&self) -> String {
        let lines = self.settings().into_iter().map(|setting| {
            let value = setting.value.as_deref().unwrap_or("(secret)");
            format!("{} = {value}  # {}", setting.key, setting.source)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Every value with its source, by key, without secrets.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        if let Ok(root) = self.figment.extract::<Dict>() {
            self.settings_into("", &root, &mut settings);
        }
        settings
    }

    fn settings_into(&self, prefix: &str, dict: &Dict, into: &mut Vec<Setting>) {
        for (key, value) in dict {
            let key = if prefix.is_empty() {
                key.clone()
            } else {
                format!("{prefix}.{key}")
            };
            if let Value::Dict(_, inner) = value {
                self.settings_into(&key, inner, into);
                continue;
            }
            let secret = SECRETS.contains(&key.as_str());
            into.push(Setting {
                value: (!secret).then(|| serde_json::to_string(value).unwrap_or_default()),
                source: self.source(&key),
                key,
            });
        }
    }

    fn source(&self, key: &str) -> SettingSource {
        match self.figment.find_metadata(key) {
            Some(found) if found.name == ENVIRONMENT => SettingSource::Environment,
            Some(found) if found.name == COMMAND_LINE => SettingSource::CommandLine,
            // Values in the code are the defaults.
            Some(figment::Metadata {
                source: Some(source @ figment::Source::File(_)),
                ..
            }) => SettingSource::File(source.to_string()),
            _ => SettingSource::Default,
        }
    }
}

impl Config {
    /// Reads all sources and checks what types cannot.
    pub fn load(overrides: &Overrides) -> Result<Loaded> {
        Self::load_from(overrides, std::env::vars_os())
    }

    fn load_from(
        overrides: &Overrides,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Loaded> {
        let environment = Given {
            by: ENVIRONMENT,
            values: environment(variables)?,
        };
        let command_line = Given {
            by: COMMAND_LINE,
            values: overrides.values()?,
        };
        let defaults = Figment::from(Serialized::defaults(Self::default()));
        let outer = Figment::new().merge(environment).merge(command_line);
        let figment = match config_file(overrides, &defaults.clone().merge(&outer))? {
            Some(file) => defaults.merge(Toml::file_exact(file)).merge(&outer),
            None => defaults.merge(&outer),
        };
        let config: Self = figment
            .extract()
            .map_err(|error| Error::Setup(format!("configuration: {}", told(&error))))?;
        config.validate()?;
        Ok(Loaded { config, figment })
    }

    fn validate(&self) -> Result<()> {
        let refuse = |what: &str| Err(Error::Setup(format!("configuration: {what}")));
        if self.listen.http_enabled && !self.listen.http.ip().is_loopback() {
            return refuse(
                "listen.http must be a loopback address: without TLS nothing else is safe",
            );
        }
        if self.tls.certificate_file.is_some() != self.tls.key_file.is_some() {
            return refuse("tls.certificate_file and tls.key_file belong together");
        }
        if self.operator.token.is_some() && self.operator.token_file.is_some() {
            return refuse("set operator.token or operator.token_file, not both");
        }
        if !self.operator.enrolment_keys.is_empty() && self.operator.enrolment_keys_file.is_some() {
            return refuse("set operator.enrolment_keys or operator.enrolment_keys_file, not both");
        }
        if self.enclave.socket.is_some() && self.matcher.sockets.is_empty() {
            return refuse(
                "enclave.socket needs matcher.sockets: a matcher must share its enclave",
            );
        }
        if self.enclave.socket.is_none() && !self.matcher.sockets.is_empty() {
            return refuse(
                "matcher.sockets needs enclave.socket: a matcher must share its enclave",
            );
        }
        let matchers = if self.matcher.sockets.is_empty() {
            self.matcher.count as usize
        } else {
            self.matcher.sockets.len()
        };
        if !(1..=MAX_ADMITTED).contains(&matchers) {
            return refuse("there must be between 1 and 64 matchers");
        }
        let needed = self.enclave.matchers_needed.unwrap_or(1) as usize;
        if !(1..=matchers.min(MAX_MATCHERS)).contains(&needed) {
            return refuse(
                "enclave.matchers_needed must be between 1 and the number of matchers, at most 8",
            );
        }
        if let Some(witness) = &self.enclave.witness {
            let mut known = self.transparency.witnesses.iter();
            if !known.any(|known| known.vkey == *witness) {
                return refuse("enclave.witness must be one of transparency.witnesses");
            }
        }
        if !WITNESS_SECONDS.contains(&self.enclave.witness_seconds) {
            return refuse("enclave.witness_seconds must be 4 to 86400");
        }
        let within = |value: Option<u32>, most| value.is_none_or(|it| (1..=most).contains(&it));
        if !within(self.matcher.workers, MAX_WORKERS) || !within(self.matcher.queue, MAX_QUEUE) {
            return refuse("matcher.workers must be 1 to 1024 and matcher.queue 1 to 4096");
        }
        let sections = [
            self.rights.refused(),
            self.retention.refused(),
            self.admin.refused(),
        ];
        if let Some(what) = sections.into_iter().flatten().next() {
            return refuse(what);
        }
        let limits = &self.limits;
        let positive = [
            limits.address_per_minute,
            limits.address_burst,
            limits.subject_per_minute,
            limits.subject_burst,
            limits.body_seconds,
            limits.idempotency_seconds,
            self.listen.request_seconds,
            self.egress.connect_seconds,
            self.egress.total_seconds,
            self.resolver.address_per_minute,
            self.resolver.address_burst,
            self.credentials.status_ttl_seconds,
        ];
        if positive.contains(&0) || limits.remembered == 0 || limits.connections == 0 {
            return refuse("limits must be at least 1");
        }
        if self.egress.max_bytes == 0 || self.resolver.at_once == 0 {
            return refuse("egress.max_bytes and resolver.at_once must be at least 1");
        }
        if !(1..=MAX_VERDICT_AGE).contains(&self.credentials.verdict_seconds) {
            return refuse("credentials.verdict_seconds must be 1 to 600");
        }
        if !(1..=MAX_COMPARISONS).contains(&limits.comparisons) {
            return refuse("limits.comparisons must be 1 to 65536");
        }
        if !(1..=MAX_BATCH).contains(&limits.batch_size) {
            return refuse("limits.batch_size must be 1 to 16");
        }
        Ok(())
    }
}

/// What is wrong, without the value that was found where a secret belongs.
fn told(error: &figment::Error) -> String {
    let secret = error.path.first().is_some_and(|table| table == "operator");
    match &error.kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) if secret => {
            format!("{}: expected {expected}", error.path.join("."))
        }
        _ => error.to_string(),
    }
}

/// The file that is named, which must exist, or the one in the data folder, if there is one.
fn config_file(overrides: &Overrides, known: &Figment) -> Result<Option<PathBuf>> {
    if let Some(named) = &overrides.config {
        if !named.is_file() {
            return Err(Error::Setup(format!("{}: no such file", named.display())));
        }
        return Ok(Some(named.clone()));
    }
    let data: PathBuf = known
        .extract_inner("data")
        .map_err(|error| Error::Setup(format!("configuration: {error}")))?;
    let beside = data.join("blindprint.toml");
    Ok(beside.is_file().then_some(beside))
}

#[cfg(test)]
mod tests;
