use std::{collections::BTreeSet, os::unix::ffi::OsStringExt as _};

use secrecy::ExposeSecret as _;

use super::*;

const SAMPLE: &str = include_str!("../../blindprint.sample.toml");

#[allow(clippy::result_large_err, reason = "the size is figment's")]
fn parse(text: &str) -> figment::Result<Config> {
    Figment::from(Serialized::defaults(Config::default()))
        .merge(Toml::string(text))
        .extract()
}

fn load(file: &str, set: &[&str]) -> Result<Loaded> {
    load_in(&[], file, set)
}

fn load_in(variables: &[(&str, OsString)], file: &str, set: &[&str]) -> Result<Loaded> {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("c.toml");
    std::fs::write(&path, file).unwrap();
    let overrides = Overrides {
        data: Some(root.path().to_owned()),
        config: Some(path),
        set: set.iter().map(|text| (*text).to_owned()).collect(),
    };
    let variables = variables.iter();
    Config::load_from(
        &overrides,
        variables.map(|(name, value)| (OsString::from(name), value.clone())),
    )
}

/// The sample with its examples switched on.
fn uncommented() -> String {
    SAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(example) if !example.starts_with(' ') => example,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn keys(prefix: &str, table: &toml::Table, into: &mut BTreeSet<String>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => keys(&format!("{key}."), inner, into),
            _ => {
                into.insert(format!("{prefix}{key}"));
            }
        }
    }
}

#[test]
fn the_sample_says_the_defaults() {
    let sample = serde_json::to_value(parse(SAMPLE).unwrap()).unwrap();
    let defaults = serde_json::to_value(Config::default()).unwrap();
    assert_eq!(sample, defaults);
}

#[test]
fn the_sample_names_every_key() {
    let examples = uncommented();
    parse(&examples).unwrap();
    let mut named = BTreeSet::new();
    keys("", &toml::from_str(&examples).unwrap(), &mut named);
    let serde_json::Value::Object(config) = serde_json::to_value(Config::default()).unwrap() else {
        panic!("the configuration is an object");
    };
    let mut known: BTreeSet<String> = ["operator.token", "operator.enrolment_keys"]
        .map(str::to_owned)
        .into();
    for (section, value) in config {
        match value {
            serde_json::Value::Object(inner) => {
                known.extend(inner.keys().map(|key| format!("{section}.{key}")));
            }
            _ => {
                known.insert(section);
            }
        }
    }
    assert_eq!(named, known);
}

#[test]
fn unknown_keys_are_errors_wherever_they_come_from() {
    assert!(load("[limits]\nsubject_burts = 1", &[]).is_err());
    assert!(load("", &["limits.nonsense=1"]).is_err());
    assert!(load("", &["nonsense"]).is_err());
}

#[test]
fn the_command_line_wins() {
    let loaded = load(
        "[listen]\nhttps = \"127.0.0.1:1\"\nrequest_seconds = 7",
        &["listen.https=127.0.0.1:2", "listen.http_enabled=false"],
    )
    .unwrap();
    assert_eq!(loaded.config.listen.https.port(), 2);
    assert_eq!(loaded.config.listen.request_seconds, 7);
    assert!(!loaded.config.listen.http_enabled);
}

#[test]
fn the_environment_wins_over_the_file_and_loses_to_the_command_line() {
    let file = "[limits]\nsubject_burst = 1\naddress_burst = 1\n[log]\nfilter = \"info\"";
    let loaded = load_in(
        &[
            ("BLINDPRINT_LIMITS__SUBJECT_BURST", "2".into()),
            ("BLINDPRINT_LIMITS__ADDRESS_BURST", "2".into()),
            ("BLINDPRINT_LOG__FILTER", "débogage".into()),
            ("BLINDPRINT_CACHE", "of another program".into()),
            ("UNRELATED__KEY", "1".into()),
        ],
        file,
        &["limits.address_burst=3"],
    )
    .unwrap();
    let config = &loaded.config;
    assert_eq!(config.limits.subject_burst, 2);
    assert_eq!(config.limits.address_burst, 3);
    assert_eq!(config.log.filter, "débogage");
    let explained = loaded.explain();
    assert!(
        explained.contains("limits.subject_burst = 2  # environment"),
        "{explained}"
    );
}

#[test]
fn variables_that_cannot_be_read_are_errors_that_name_them() {
    for (name, value) in [
        ("BLINDPRINT_LOG__FILTER", "\"é\\n\"".into()),
        ("BLINDPRINT_LOG__FILTER", OsString::from_vec(vec![0xff])),
        ("BLINDPRINT_LIMITS__NONSENSE", "1".into()),
        ("BLINDPRINT___FILTER", "1".into()),
    ] {
        let Err(Error::Setup(message)) = load_in(&[(name, value)], "", &[]) else {
            panic!("{name} was taken");
        };
        let key = name.rsplit("__").next().unwrap().to_lowercase();
        assert!(message.to_lowercase().contains(&key), "{message}");
    }
}

#[test]
fn what_types_cannot_tell_is_checked() {
    for bad in [
        "listen.http=0.0.0.0:8080",
        "tls.key_file=/k",
        "enclave.socket=/e",
        "matcher.sockets=[\"/m\"]",
        "matcher.count=0",
        "enclave.matchers_needed=2",
        "enclave.matchers_needed=0",
        "enclave.witness_seconds=3",
        "enclave.witness=\"witness.example+82bca4dd+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea\"",
        "enclave.witness=\"witness.example\"",
        "transparency.witnesses=[{ vkey = \"witness.example\", url = \"https://witness.example\" }]",
        "matcher.count=65",
        "matcher.workers=0",
        "matcher.workers=1025",
        "matcher.queue=0",
        "limits.comparisons=0",
        "limits.comparisons=9223372036854775807",
        "limits.batch_size=0",
        "limits.batch_size=17",
        "limits.subject_burst=0",
        "service.public_url=ftp://x",
        "data=\"é\\n\"",
        "rights.automatic=[\"review\"]",
        "rights.cooling_off_hours=673",
        "rights.events_hours=0",
        "retention.idle_enrolments_days=366",
    ] {
        assert!(matches!(load("", &[bad]), Err(Error::Setup(_))), "{bad}");
    }
    assert!(load("", &["enclave.socket=/e", "matcher.sockets=[\"/m\"]"]).is_ok());
    let needed = |number: &str| load("[matcher]\ncount = 9", &[number]);
    assert!(needed("enclave.matchers_needed=8").is_ok());
    assert!(needed("enclave.matchers_needed=9").is_err());
}

#[test]
fn explaining_tells_sources_and_no_secrets() {
    let secret = "0123456789abcdef0123456789abcdef";
    let file = format!("[operator]\ntoken = \"{secret}\"\n[matcher]\ncount = 3");
    let text = load(&file, &["limits.comparisons=5"]).unwrap().explain();
    assert!(!text.contains(secret), "{text}");
    assert!(text.contains("operator.token = (secret)"), "{text}");
    let line = |key: &str| {
        text.lines()
            .find(|line| line.starts_with(key))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("limits.comparisons = 5").contains("command line"),
        "{text}"
    );
    assert!(line("matcher.count = 3").contains("c.toml"), "{text}");
}

#[test]
fn secrets_come_from_files_and_must_be_long() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("token");
    std::fs::write(&file, "0123456789abcdef0123456789abcdef\n").unwrap();
    let section = OperatorSection {
        token_file: Some(file.clone()),
        ..Default::default()
    };
    let token = section.token().unwrap().unwrap();
    assert_eq!(token.expose_secret(), "0123456789abcdef0123456789abcdef");
    std::fs::write(&file, "short").unwrap();
    assert!(section.token().is_err());
    let missing = OperatorSection {
        token_file: Some(root.path().join("none")),
        ..Default::default()
    };
    assert!(missing.token().is_err());
}

#[test]
fn a_mistyped_secret_is_not_printed() {
    let key = "enrolment-key-enrolment-key-enrolment";
    for set in ["operator.enrolment_keys", "operator.token.inner"] {
        let Err(error) = load("", &[&format!("{set}={key}")]) else {
            panic!("{set}")
        };
        let text = error.to_string();
        assert!(text.contains("operator") && !text.contains(key), "{text}");
    }
}
