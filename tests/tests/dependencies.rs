//! Arrows point down, and secrets stay where they belong: read from `cargo metadata`.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Which workspace packages each package may use (normal dependencies).
const ALLOWED: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("template", &["core"]),
    ("did", &["core"]),
    ("log", &["core", "did"]),
    ("reader", &["egress", "log"]),
    ("witness", &["core", "log", "reader"]),
    ("anchor", &["egress", "log", "reader"]),
    ("consent", &["core"]),
    ("protocol", &["core", "did", "log"]),
    ("nsm", &["core", "did", "protocol"]),
    ("matcher", &["core", "did", "nsm", "protocol", "template"]),
    ("keys", &["core", "matcher", "template"]),
    (
        "enclave-sim",
        &[
            "core", "did", "keys", "log", "matcher", "nsm", "protocol", "template",
        ],
    ),
    ("egress", &[]),
    ("resolver", &["core", "did", "egress"]),
    ("credentials", &["core", "did", "egress", "resolver"]),
    ("openid4vc", &["core", "did"]),
    (
        "server",
        &[
            "consent",
            "core",
            "credentials",
            "did",
            "egress",
            "log",
            "openid4vc",
            "protocol",
            "resolver",
        ],
    ),
    ("face", &["core"]),
    (
        "wallet",
        &[
            "consent",
            "core",
            "credentials",
            "did",
            "egress",
            "face",
            "log",
            "openid4vc",
            "protocol",
            "resolver",
            "template",
        ],
    ),
    (
        "demo",
        &["core", "did", "face", "protocol", "template", "wallet"],
    ),
    (
        "bench",
        &[
            "core",
            "credentials",
            "did",
            "egress",
            "face",
            "keys",
            "log",
            "matcher",
            "protocol",
            "resolver",
            "template",
        ],
    ),
    ("tests", &["core", "did", "face", "wallet"]),
    ("fuzz", &[]),
];

/// What must not be reachable from a package, however indirectly.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "enclave-sim",
        &[
            "blindprint-credentials",
            "blindprint-resolver",
            "json-ld",
            "axum",
            "hyper",
            "reqwest",
            "sqlx",
            "rustls",
            "hickory-resolver",
            "h2",
        ],
    ),
    (
        "matcher",
        &[
            "blindprint-credentials",
            "blindprint-keys",
            "blindprint-resolver",
            "axum",
            "hyper",
            "reqwest",
            "sqlx",
        ],
    ),
    (
        "server",
        &[
            "blindprint-keys",
            "blindprint-enclave-sim",
            "blindprint-matcher",
            "tfhe",
        ],
    ),
    (
        "wallet",
        &[
            "blindprint-keys",
            "blindprint-enclave-sim",
            "blindprint-matcher",
        ],
    ),
    ("protocol", &["tokio", "tfhe", "hyper"]),
    ("core", &["tokio", "hyper", "tfhe"]),
    ("openid4vc", &["tokio", "hyper", "reqwest", "sqlx"]),
];

struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// Normal dependencies on this platform, by package name.
    fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked"])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let names: BTreeMap<&str, &str> = metadata["packages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|package| {
                (
                    package["id"].as_str().unwrap(),
                    package["name"].as_str().unwrap(),
                )
            })
            .collect();
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in metadata["resolve"]["nodes"].as_array().unwrap() {
            let edges = graph
                .entry(names[node["id"].as_str().unwrap()].to_owned())
                .or_default();
            for dependency in node["deps"].as_array().unwrap() {
                let normal = dependency["dep_kinds"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|kind| {
                        kind["kind"].is_null()
                            && !kind["target"]
                                .as_str()
                                .is_some_and(|target| target.contains("wasm32"))
                    });
                if normal {
                    edges.insert(names[dependency["pkg"].as_str().unwrap()].to_owned());
                }
            }
        }
        Self(graph)
    }

    fn reachable(&self, from: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![from];
        while let Some(package) = open.pop() {
            for next in self.0.get(package).into_iter().flatten() {
                if found.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        found
    }
}

#[test]
fn arrows_point_down() {
    let graph = Graph::read();
    for (package, allowed) in ALLOWED {
        let package = format!("blindprint-{package}");
        let allowed: BTreeSet<String> = allowed
            .iter()
            .map(|name| format!("blindprint-{name}"))
            .collect();
        let used: BTreeSet<String> = graph.0[&package]
            .iter()
            .filter(|name| name.starts_with("blindprint-"))
            .cloned()
            .collect();
        let extra: Vec<_> = used.difference(&allowed).collect();
        assert!(extra.is_empty(), "{package} must not use {extra:?}");
    }
    let listed = ALLOWED.len();
    let present = graph
        .0
        .keys()
        .filter(|name| name.starts_with("blindprint-"))
        .count();
    assert_eq!(
        present, listed,
        "every workspace package has a row in ALLOWED"
    );
}

#[test]
fn secrets_and_networks_stay_apart() {
    let graph = Graph::read();
    for (package, forbidden) in FORBIDDEN {
        let reachable = graph.reachable(&format!("blindprint-{package}"));
        for name in *forbidden {
            assert!(
                !reachable.contains(name),
                "blindprint-{package} reaches {name}"
            );
        }
    }
}

#[test]
fn the_anchor_alone_can_pay_on_a_chain() {
    let graph = Graph::read();
    let payers: Vec<_> = graph
        .0
        .keys()
        .filter(|name| name.starts_with("blindprint-"))
        .filter(|name| graph.reachable(name).contains("alloy"))
        .collect();
    assert_eq!(payers, ["blindprint-anchor"]);
}

#[test]
fn biometrics_are_decrypted_by_nobody() {
    // The only function that applies a secret key is SecretKeys::open, and it takes verdicts.
    let source = include_str!("../../enclave-sim/keys/src/secret.rs");
    assert!(!source.contains("StoredTemplate") && !source.contains("Submission"));
    assert_eq!(source.matches("pub fn open").count(), 1);
}
