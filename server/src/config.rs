//! What an operator can set. Nothing has to be set: every key has a default that serves on
//! loopback from one data folder.
//!
//! Sources, later ones win: defaults, `blindprint.toml` (the file named by `--config` or
//! `BLINDPRINT_CONFIG`, else the one in the data folder), environment (`BLINDPRINT_LIMITS__BODY_SECONDS=5`
//! for `limits.body_seconds`), command line. An unknown key is an error.

mod sections;

use std::path::PathBuf;

use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
    value::{Dict, Map, Value},
};
use serde::{Deserialize, Serialize};

pub use sections::{
    EnclaveSection, LimitsSection, ListenSection, LogFormat, LogSection, MatcherSection,
    OperatorSection, ServiceSection, TlsSection,
};

use crate::{Error, Result};

/// The whole configuration.
#[derive(Debug, Clone, Deserialize, Serialize)]
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
    /// The enclave process.
    pub enclave: EnclaveSection,
    /// The matcher processes.
    pub matcher: MatcherSection,
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
            enclave: EnclaveSection::default(),
            matcher: MatcherSection::default(),
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
            values.insert(
                "data".to_owned(),
                Value::from(data.to_string_lossy().as_ref()),
            );
        }
        for assignment in &self.set {
            let (key, value) = assignment
                .split_once('=')
                .ok_or_else(|| Error::Setup(format!("--set {assignment}: expected KEY=VALUE")))?;
            // figment's parser panics on a backslash behind a character of several bytes.
            if !value.is_ascii() && value.contains('\\') {
                return Err(Error::Setup(format!(
                    "--set {key}: write it without backslashes, or into the configuration file"
                )));
            }
            // The same syntax as in an environment variable: TOML where it parses, else text.
            let value = value.parse().unwrap_or_else(|never| match never {});
            let nested = figment::util::nest(key, value);
            values = merge(values, nested.into_dict().unwrap_or_default());
        }
        Ok(values)
    }
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

/// The command line as a source of configuration.
struct CommandLine(Dict);

impl figment::Provider for CommandLine {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named("command line")
    }

    fn data(&self) -> figment::Result<Map<figment::Profile, Dict>> {
        Ok(figment::Profile::Default.collect(self.0.clone()))
    }
}

/// A configuration and where each value comes from.
pub struct Loaded {
    /// The values.
    pub config: Config,
    figment: Figment,
}

impl Loaded {
    /// `key = value  # source`, one a line, with secrets redacted.
    pub fn explain(&self) -> String {
        let mut lines = Vec::new();
        if let Ok(root) = self.figment.extract::<Dict>() {
            self.explain_into("", &root, &mut lines);
        }
        lines.join("\n")
    }

    fn explain_into(&self, prefix: &str, dict: &Dict, lines: &mut Vec<String>) {
        for (key, value) in dict {
            let path = if prefix.is_empty() {
                key.clone()
            } else {
                format!("{prefix}.{key}")
            };
            if let Value::Dict(_, inner) = value {
                self.explain_into(&path, inner, lines);
                continue;
            }
            let metadata = self.figment.find_metadata(&path);
            let source = match metadata.map(|found| (&found.name, &found.source)) {
                // Values in the code are the defaults.
                None | Some((_, Some(figment::Source::Code(_)))) => "default".to_owned(),
                Some((name, Some(source))) => format!("{name}: {source}"),
                Some((name, None)) => name.to_string(),
            };
            let secret = matches!(path.as_str(), "operator.token" | "operator.enrolment_keys");
            let shown = if secret {
                "(secret)".to_owned()
            } else {
                serde_json::to_string(value).unwrap_or_default()
            };
            lines.push(format!("{path} = {shown}  # {source}"));
        }
    }
}

impl Config {
    /// Reads all sources and checks what types cannot.
    pub fn load(overrides: &Overrides) -> Result<Loaded> {
        let command_line = overrides.values()?;
        let defaults = Figment::from(Serialized::defaults(Self::default()));
        let outer = Figment::new()
            .merge(environment())
            .merge(CommandLine(command_line));
        let figment = match config_file(overrides, &defaults.clone().merge(&outer))? {
            Some(file) => defaults.merge(Toml::file_exact(file)).merge(&outer),
            None => defaults.merge(&outer),
        };
        let config: Self = figment
            .extract()
            .map_err(|error| Error::Setup(format!("configuration: {error}")))?;
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
        if self.matcher.sockets.is_empty() && self.matcher.count == 0 {
            return refuse("matcher.count must be at least 1");
        }
        let matchers = if self.matcher.sockets.is_empty() {
            self.matcher.count as usize
        } else {
            self.matcher.sockets.len()
        };
        let needed = self.enclave.matchers_needed.unwrap_or(1);
        if needed == 0 || needed as usize > matchers {
            return refuse("enclave.matchers_needed must be between 1 and the number of matchers");
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
        ];
        if positive.contains(&0) || limits.remembered == 0 || limits.comparisons == 0 {
            return refuse("limits must be at least 1");
        }
        Ok(())
    }
}

/// `BLINDPRINT_DATA` and every variable with a section, like `BLINDPRINT_LOG__FORMAT`. Others of
/// that prefix belong to other programs.
fn environment() -> Env {
    Env::prefixed("BLINDPRINT_")
        .filter(|key| key == "data" || key.as_str().contains("__"))
        .split("__")
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
