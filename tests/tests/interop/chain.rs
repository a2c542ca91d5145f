//! did:ethr on a real chain, against ethr-did-resolver.

use std::sync::Arc;

use blindprint_core::SystemClock;
use blindprint_egress::Egress;
use blindprint_resolver::{Config, DidUrl, Network, Options, Resolver};
use blindprint_tests::block_on;
use serde_json::Value;

use crate::{Node, Running};

/// Members whose order says nothing.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "@context")
            .map(|(name, value)| (name.clone(), sorted(value)))
            .collect(),
        other => other.clone(),
    }
}

fn resolver(chain: &Running) -> Resolver {
    let rpc: &str = chain.json["rpc"].as_str().unwrap();
    let network = Network {
        chain_id: chain.json["chain"].as_u64().unwrap(),
        name: Some("local".to_owned()),
        rpc: rpc.parse().unwrap(),
        registry: chain.json["registry"].as_str().unwrap().to_owned(),
    };
    let allowed = rpc.strip_prefix("http://").unwrap().parse().unwrap();
    let egress = Egress::new(&blindprint_egress::Config {
        allow: vec![allowed],
        ..blindprint_egress::Config::default()
    });
    let config = Config {
        networks: vec![network],
        ..Config::default()
    };
    Resolver::new(config, egress.unwrap(), Arc::new(SystemClock))
}

#[test]
fn every_state_of_the_registry_resolves_alike() {
    let chain = Node::program("ethr").start();
    let resolver = resolver(&chain);
    let cases = chain.json["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let name = &case["name"];
        let url = case["did"].as_str().unwrap();
        let (did, version) = url.split_once("?versionId=").unwrap_or((url, ""));
        let did: DidUrl = did.parse().unwrap();
        let options = Options {
            version_id: Some(version.to_owned()).filter(|version| !version.is_empty()),
            ..Options::default()
        };
        let ours = block_on(resolver.resolve(did.did(), &options)).unwrap();
        let theirs = &case["result"];
        let metadata = &theirs["didDocumentMetadata"];
        let deactivated = metadata["deactivated"] == true;
        assert_eq!(ours.document_metadata.deactivated, deactivated, "{name}");
        let version = ours.document_metadata.version_id.as_deref();
        assert_eq!(version, metadata["versionId"].as_str(), "{name}");
        let next = ours.document_metadata.next_version_id.as_deref();
        assert_eq!(next, metadata["nextVersionId"].as_str(), "{name}");
        if !deactivated {
            let ours = sorted(&ours.document.to_value());
            assert_eq!(ours, sorted(&theirs["didDocument"]), "{name}");
        }
    }
}
