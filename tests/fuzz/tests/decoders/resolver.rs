//! DIDs, their documents, and the logs of did:webvh.

mod logs;

use std::{
    fmt::{Debug, Display},
    str::FromStr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{ManualClock, UnixTime};
use blindprint_did::{Jwk, KeyType};
use blindprint_egress::Egress;
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_resolver::{
    Config, Dereferenced, Did, DidUrl, Document, Local, LocalFile, Location, MethodRef, Options,
    Relationship, ResolutionError, Resolver,
};
use futures_util::FutureExt as _;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;

use super::did::{KEY_TYPES, key};

const NOW: UnixTime = UnixTime(1_790_000_000);
const DID: &str = "did:web:id.example";

/// Everybody's files: the same one everywhere.
#[derive(Default)]
struct Host(Mutex<Vec<u8>>);

#[async_trait]
impl Local for Host {
    async fn file(&self, _: &Url) -> LocalFile {
        LocalFile::Present(self.0.lock().unwrap().clone())
    }
}

fn resolver(host: &Arc<Host>) -> Resolver {
    Resolver::with_local(
        Config::default(),
        Egress::new(&blindprint_egress::Config::default()).unwrap(),
        Arc::new(ManualClock::at(NOW)),
        host.clone(),
    )
}

/// The outcome of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing to wait for")
}

/// That text which parses prints as itself, and that serde takes and refuses the same.
fn name<T>(text: &str, longest: usize)
where
    T: FromStr + Display + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let parsed = text.parse::<T>().ok();
    if let Some(parsed) = &parsed {
        assert_eq!(parsed.to_string(), text);
        assert!(text.len() <= longest);
    }
    assert_eq!(serde_json::from_value(json!(text)).ok(), parsed);
}

#[test]
fn names() {
    let seeds = [
        "did:web:example.org%3A8443:dids:alice",
        "did:webvh:QmWtQu5Vwi5n7oTz1NHKPtRJuBQmNneLXBGkQW9YBaGYk4:example.org",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK#z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "did:web:id.example/a/b%20c?service=files&relativeRef=%2Fd%3Fe&versionId=1-Qm#f",
        "did:pkh:eip155:1:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb",
    ];
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let text = &String::from_utf8_lossy(bytes);
        name::<Did>(text, 2048);
        name::<DidUrl>(text, 4096);
        if let Ok(did) = text.parse::<Did>() {
            let parts = format!("did:{}:{}", did.method(), did.method_specific_id());
            assert_eq!(parts, did.as_str());
            let url = text.parse::<DidUrl>().unwrap();
            assert_eq!(url, DidUrl::from(did));
        }
        if let Ok(url) = text.parse::<DidUrl>() {
            assert!(text.starts_with(url.did().as_str()));
            for parameter in ["service", "relativeRef", "versionId"] {
                assert!(url.parameter(parameter).is_none() || url.query().is_some());
            }
        }
    });
}

#[test]
fn locations() {
    let seeds = [
        "example.org",
        "localhost%3A8443:dids:alice",
        "xn--bcher-kva.example%3a443:a%20b:c.d",
        "EXAMPLE.org:%C3%BC:a%3Ab",
    ];
    for seed in seeds {
        assert!(seed.parse::<Location>().is_ok(), "{seed}");
    }
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(location) = text.parse::<Location>() else {
            return;
        };
        let written = location.to_string();
        assert_eq!(written.parse::<Location>().unwrap(), location);
        // Whoever reads the DID sees the host and port that are asked.
        let (Ok(file), Ok(files)) = (location.file("did.json"), location.files()) else {
            return;
        };
        let authority = text.split(':').next().unwrap().to_ascii_lowercase();
        let host = authority.split("%3a").next();
        assert_eq!(file.host_str(), host);
        assert_eq!(file.scheme(), "https");
        assert!(file.username().is_empty() && file.password().is_none());
        assert!(file.query().is_none() && file.fragment().is_none());
        let segments = text.split(':').count() - 1;
        let depth = file.path_segments().unwrap().count();
        assert_eq!(depth, segments.max(1) + 1, "{file}");
        assert!(file.path().ends_with("/did.json"));
        assert_eq!(Location::of(&files).unwrap().files().unwrap(), files);
        if let Ok(did) = location.did_web() {
            assert_eq!(did.method_specific_id(), written);
        }
    });
}

/// A document with keys in every form, and services.
fn document() -> Value {
    let [ed25519, p256] = KEY_TYPES.map(|key_type| key(key_type, 1).public());
    let method = |name: &str, kind: &str, member: &str, value: Value| json!({ "id": format!("{DID}#{name}"), "type": kind, "controller": DID, member: value });
    let jwk = serde_json::to_value(Jwk::from(&p256)).unwrap();
    json!({
        "@context": ["https://www.w3.org/ns/did/v1", { "a": null }],
        "id": DID,
        "alsoKnownAs": ["https://id.example"],
        "controller": DID,
        "verificationMethod": [
            method("a", "Multikey", "publicKeyMultibase", ed25519.multikey().into()),
            method("b", "JsonWebKey2020", "publicKeyJwk", jwk),
            { "id": "#c", "type": "Ed25519VerificationKey2018", "expires": "2030-01-01T00:00:00Z",
              "publicKeyBase58": "DggG1kT5JEFwTC6RJTsT6VQPgCz1qszCkX5Lv4nun98x" },
        ],
        "authentication": [format!("{DID}#a"), "#c"],
        "assertionMethod": [
            "#b", method("d", "P256Key2021", "publicKeyMultibase", p256.multikey().into()),
        ],
        "service": [
            { "id": "#files", "type": "relativeRef", "serviceEndpoint": "https://id.example/files/" },
            { "id": format!("{DID}#shop"), "type": ["LinkedDomains"], "priority": 1.5,
              "serviceEndpoint": ["https://shop.example", { "uri": "https://b.example" }] },
        ],
        "other": [1, null],
    })
}

#[test]
fn documents() {
    let did: Did = DID.parse().unwrap();
    let host = Arc::new(Host::default());
    let resolver = resolver(&host);
    let seed = document().to_string();
    let read = Document::parse(seed.as_bytes(), &did).unwrap();
    assert!(read.methods().all(|method| method.key().is_some()));
    fuzz!(
        Inputs::from([seed.into_bytes()]),
        Budget::SMALL,
        |bytes: &[u8]| {
            let read = Document::parse(bytes, &did);
            *host.0.lock().unwrap() = bytes.to_vec();
            let resolved = now(resolver.resolve(&did, &Options::default()));
            assert_eq!(
                resolved.as_ref().ok().map(|resolved| &resolved.document),
                read.as_ref().ok()
            );
            if let Ok(document) = read {
                assert_eq!(document.id, did);
                let again = document.to_value().to_string();
                assert_eq!(Document::parse(again.as_bytes(), &did).unwrap(), document);
                keys_of(&document, &resolver);
                services_of(&document, &resolver);
            }
        }
    );
}

/// That the document's own keys are found under their names, for what they are listed for.
fn keys_of(document: &Document, resolver: &Resolver) {
    for method in document.methods() {
        let url = document.url(&method.id).unwrap();
        assert_eq!(document.method(&url), Some(method), "one method of a name");
        if url.did() != &document.id {
            continue;
        }
        for relationship in Relationship::ALL {
            let listed = document.relationship(relationship).iter().any(|entry| {
                let id = match entry {
                    MethodRef::Reference(id) => id,
                    MethodRef::Embedded(method) => &method.id,
                };
                document.absolute(id) == url.to_string()
            });
            match now(resolver.key_for(&url, relationship)) {
                Ok(found) => {
                    assert!(listed);
                    assert_eq!(Some(found.key), method.key());
                    assert_eq!(found.controller, method.controller);
                }
                Err(ResolutionError::Relationship) => assert!(!listed),
                Err(_) => {}
            }
        }
    }
}

/// That a path or reference never leads away from the service.
fn services_of(document: &Document, resolver: &Resolver) {
    for query in [
        "?service=files&relativeRef=..%2Fa",
        "?service=shop",
        "/a/../../b",
    ] {
        let url: DidUrl = format!("{DID}{query}").parse().unwrap();
        if let Ok(Dereferenced::Url(target, _)) =
            now(resolver.dereference(&url, &Options::default()))
        {
            let service = if query.contains("shop") {
                "shop"
            } else {
                "files"
            };
            let service = document.service(&format!("{DID}#{service}")).unwrap();
            let endpoint = Url::parse(service.service_endpoint.as_str().unwrap()).unwrap();
            let target = Url::parse(&target).unwrap();
            assert_eq!(target.origin(), endpoint.origin());
        }
    }
}

/// Methods whose DIDs hold their keys, so that nothing is fetched.
#[test]
fn dids_that_hold_keys() {
    let jwks = KEY_TYPES.map(|key_type| key(key_type, 1).public().subject_jwk().to_string());
    let mut seeds = vec![
        key(KeyType::Ed25519, 1).public().subject().to_string(),
        key(KeyType::P256, 1).public().subject().to_string(),
        // secp256k1 and X25519.
        "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme".to_owned(),
        "did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F".to_owned(),
        "did:pkh:eip155:1:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb".to_owned(),
        "did:pkh:bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6".to_owned(),
        "did:pkh:solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZ:CKg5d12Jhpej1JqtmxLJgaFqqeYjxgPqToJ4LBdvG9Ev".to_owned(),
    ];
    // The key of a did:jwk as it stands, where most faults of the DID only break its base64.
    seeds.extend(jwks.iter().map(|did| {
        let json = URL_SAFE_NO_PAD.decode(&did["did:jwk:".len()..]).unwrap();
        String::from_utf8(json).unwrap()
    }));
    seeds.extend(jwks);
    let host = Arc::new(Host::default());
    let resolver = resolver(&host);
    fuzz!(Inputs::from(seeds), Budget::SMALL, |bytes: &[u8]| {
        resolve(&resolver, &String::from_utf8_lossy(bytes));
        resolve(
            &resolver,
            &format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(bytes)),
        );
    });
}

fn resolve(resolver: &Resolver, text: &str) {
    let Ok(did) = text.parse::<Did>() else {
        return;
    };
    if !["key", "jwk", "pkh"].contains(&did.method()) {
        return;
    }
    let Ok(resolution) = now(resolver.resolve(&did, &Options::default())) else {
        return;
    };
    let document = resolution.document;
    let json = document.to_value().to_string();
    assert_eq!(Document::parse(json.as_bytes(), &did).unwrap(), document);
    for method in document.methods() {
        assert_eq!(method.controller, did);
        let private = method.jwk().and_then(|jwk| jwk.get("d"));
        assert!(private.is_none(), "no private key is repeated");
        if did.method() == "key"
            && let Some(key) = method.key()
        {
            assert_eq!(key.subject().as_str(), did.as_str());
        }
    }
    keys_of(&document, resolver);
}
