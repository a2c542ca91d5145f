//! Resolution over real HTTPS on loopback, with a CA of its own.
#![allow(clippy::unwrap_used, reason = "a test")]

mod hosts;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use axum::{Router, response::Redirect, routing::get};
use blindprint_core::{ManualClock, SystemEntropy};
use blindprint_did::{KeyType, SigningKey};
use blindprint_egress::{Egress, EgressError};
use blindprint_resolver::{
    Config, Dereferenced, Did, DidUrl, Document, Local, LocalFile, Options, Relationship,
    Resolution, ResolutionError, Resolver, VerificationMethod,
    webvh::{Change, Creation, Log},
};
use hosts::{Host, NOW};
use serde_json::{Value, json};
use url::Url;

fn did(text: &str) -> Did {
    text.parse().unwrap()
}

fn url(text: &str) -> DidUrl {
    text.parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, &SystemEntropy)
}

async fn resolve(host: &Host, did: &str) -> Result<Resolution, ResolutionError> {
    host.resolver()
        .resolve(&did.parse()?, &Options::default())
        .await
}

fn invalid<T>(outcome: &Result<T, ResolutionError>) -> bool {
    matches!(outcome, Err(ResolutionError::InvalidDidDocument(_)))
}

#[tokio::test]
async fn did_web_documents_are_fetched_and_judged() {
    let host = Host::start().await;
    let name = host.name();
    let root = format!("did:web:{name}");
    host.put("/.well-known/did.json", json!({"id": root}).to_string());
    host.put(
        "/a/b/did.json",
        json!({"id": format!("{root}:a:b"), "x": 1}).to_string(),
    );
    host.put("/other/did.json", json!({"id": root}).to_string());
    host.put("/broken/did.json", "{");
    host.put(
        "/twice/did.json",
        format!(r#"{{"id":"{root}:twice","id":"{root}:twice"}}"#),
    );
    host.put(
        "/large/did.json",
        format!(r#"{{"id":"{root}:large","x":"{}"}}"#, "x".repeat(10 << 20)),
    );

    let found = resolve(&host, &root).await.unwrap();
    assert_eq!(found.document.id.as_str(), root);
    assert_eq!(found.resolution_metadata.content_type, "application/did");
    let found = resolve(&host, &format!("{root}:a:b")).await.unwrap();
    assert_eq!(found.document.other["x"], 1);
    assert!(invalid(&resolve(&host, &format!("{root}:other")).await));
    assert!(invalid(&resolve(&host, &format!("{root}:broken")).await));
    assert!(invalid(&resolve(&host, &format!("{root}:twice")).await));
    let large = resolve(&host, &format!("{root}:large")).await;
    let limit = 256 << 10;
    assert_eq!(
        large,
        Err(ResolutionError::Fetch(EgressError::TooLarge { limit }))
    );
    let none = resolve(&host, &format!("{root}:none")).await;
    assert_eq!(none, Err(ResolutionError::NotFound));
}

#[tokio::test]
async fn no_redirect_leads_inside() {
    let called = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&called);
    let inside = Router::new().fallback(move || {
        seen.store(true, Ordering::SeqCst);
        async {}
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!(
        "http://127.0.0.1:{}/",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move { axum::serve(listener, inside).await });
    for target in [
        target,
        "https://169.254.169.254/".to_owned(),
        "https://10.0.0.1/".to_owned(),
    ] {
        let location = target.clone();
        let host = Host::serve(
            Router::new().fallback(get(move || async move { Redirect::temporary(&location) })),
        )
        .await;
        let outcome = resolve(&host, &format!("did:web:{}", host.name())).await;
        assert!(
            matches!(
                outcome,
                Err(ResolutionError::Fetch(EgressError::Refused(_)))
            ),
            "{target}: {outcome:?}"
        );
    }
    assert!(!called.load(Ordering::SeqCst));
}

/// A log of three versions: with a key, with another key, deactivated. The keys' updates are a
/// minute apart, the last of them before [`NOW`].
fn log(host: &Host, steps: usize) -> Log {
    let update = key();
    let creation = Creation::at(host.name().parse().unwrap());
    let document = |did: &Did| {
        let mut document = Document::new(did.clone());
        let id = did.with_fragment("a").unwrap();
        let method = VerificationMethod::multikey(&id, &key().public());
        document.put_method(method, &[Relationship::AssertionMethod]);
        document
    };
    let at = NOW.plus(-600);
    let mut log = Log::create(&creation, &update, at, document).unwrap();
    for step in 1..=steps {
        let mut document = log.document().clone();
        let id = log.did().with_fragment("b").unwrap();
        let method = VerificationMethod::multikey(&id, &key().public());
        document.put_method(method, &[Relationship::Authentication]);
        let change = Change {
            document: (step == 1).then_some(document),
            deactivate: step == 2,
            ..Change::default()
        };
        let at = at.plus(60 * i64::try_from(step).unwrap());
        let line = log.update(&change, &update, at).unwrap();
        log = log.append(&line, at).unwrap();
    }
    log
}

#[tokio::test]
async fn did_webvh_logs_are_verified_and_have_versions() {
    let host = Host::start().await;
    let log = log(&host, 1);
    host.put("/.well-known/did.jsonl", log.to_jsonl());
    let resolver = host.resolver();
    let found = resolver
        .resolve(log.did(), &Options::default())
        .await
        .unwrap();
    assert_eq!(found.document, *log.document());
    let metadata = serde_json::to_value(&found.document_metadata).unwrap();
    assert_eq!(metadata["versionId"], log.latest().version_id());
    assert_eq!(metadata["created"], "2026-11-22T11:50:00Z");
    assert_eq!(metadata["updated"], "2026-11-22T11:51:00Z");
    assert_eq!(metadata["versionTime"], "2026-11-22T11:51:00Z");
    assert_eq!(metadata["scid"], log.scid());
    assert_eq!(metadata["ttl"], "3600");
    assert_eq!(metadata["versionNumber"], 2);
    assert_eq!(metadata["portable"], false);
    assert!(metadata.get("deactivated").is_none() && metadata.get("nextVersionId").is_none());

    let first = log.entries()[0].version_id().to_owned();
    for options in [
        Options {
            version_id: Some(first.clone()),
            ..Options::default()
        },
        Options {
            version_number: Some(1),
            ..Options::default()
        },
        Options {
            version_time: Some("2026-11-22T11:50:00Z".to_owned()),
            ..Options::default()
        },
        Options {
            version_time: Some("2026-11-22T12:50:59.9+01:00".to_owned()),
            ..Options::default()
        },
    ] {
        let found = resolver.resolve(log.did(), &options).await.unwrap();
        assert_eq!(found.document.verification_method.len(), 1, "{options:?}");
        let metadata = found.document_metadata;
        assert_eq!(metadata.version_id.as_deref(), Some(first.as_str()));
        assert_eq!(
            metadata.next_version_id.as_deref(),
            Some(log.latest().version_id())
        );
        assert_eq!(
            metadata.next_update.as_deref(),
            Some("2026-11-22T11:51:00Z")
        );
    }
    for (options, expected) in [
        (
            Options {
                version_id: Some("3-Qm".to_owned()),
                ..Options::default()
            },
            ResolutionError::NotFound,
        ),
        (
            Options {
                version_number: Some(0),
                ..Options::default()
            },
            ResolutionError::NotFound,
        ),
        (
            Options {
                version_time: Some("2026-11-22T11:49:59Z".to_owned()),
                ..Options::default()
            },
            ResolutionError::NotFound,
        ),
        (
            Options {
                version_time: Some("noon".to_owned()),
                ..Options::default()
            },
            ResolutionError::InvalidOptions("versionTime is not RFC 3339"),
        ),
        (
            Options {
                version_number: Some(1),
                version_id: Some(first),
                ..Options::default()
            },
            ResolutionError::InvalidOptions("more than one version"),
        ),
    ] {
        assert_eq!(
            resolver.resolve(log.did(), &options).await,
            Err(expected),
            "{options:?}"
        );
    }
}

#[tokio::test]
async fn a_log_is_all_right_or_refused() {
    let host = Host::start().await;
    let right = log(&host, 1);
    let refused = |jsonl: String| {
        host.put("/.well-known/did.jsonl", jsonl);
        let resolver = host.resolver();
        let did = right.did().clone();
        async move { resolver.resolve(&did, &Options::default()).await }
    };
    assert!(refused(right.to_jsonl()).await.is_ok());
    let broken = right.to_jsonl().replace("\"2-Qm", "\"2-QM");
    assert_eq!(
        refused(broken).await,
        Err(ResolutionError::InvalidDidDocument(
            "an entry's hash is wrong"
        ))
    );
    assert!(invalid(&refused(String::new()).await));
    // Another's log under this address.
    assert!(invalid(&refused(log(&host, 0).to_jsonl()).await));
    let large = format!("{}{}", right.to_jsonl(), "x".repeat(10 << 20));
    let outcome = refused(large).await;
    assert!(matches!(
        outcome,
        Err(ResolutionError::Fetch(EgressError::TooLarge { .. }))
    ));
    let older = refused(right.to_jsonl().replace("did:webvh:1.0", "did:webvh:0.5")).await;
    assert!(matches!(
        older,
        Err(ResolutionError::FeatureNotSupported(_))
    ));
    for bad in [
        "did:webvh:Qm:example.org",
        "did:webvh:example.org",
        "did:webvh:x",
    ] {
        assert_eq!(
            resolve(&host, bad).await,
            Err(ResolutionError::InvalidDid),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn keys_are_found_for_what_they_are_listed_for() {
    let host = Host::start().await;
    let log_ = log(&host, 1);
    host.put("/.well-known/did.jsonl", log_.to_jsonl());
    let resolver = host.resolver();
    let name = |fragment: &str| log_.did().with_fragment(fragment).unwrap();
    let found = resolver
        .key_for(&name("a"), Relationship::AssertionMethod)
        .await
        .unwrap();
    assert_eq!((&found.controller, &found.did), (log_.did(), log_.did()));
    assert_eq!(
        Some(found.key),
        log_.document().verification_method[0].key()
    );
    let outcome = resolver
        .key_for(&name("b"), Relationship::AssertionMethod)
        .await;
    assert_eq!(outcome, Err(ResolutionError::Relationship));
    let outcome = resolver
        .key_for(&name("c"), Relationship::AssertionMethod)
        .await;
    assert_eq!(outcome, Err(ResolutionError::NotFound));
    let outcome = resolver
        .key_for(&log_.did().clone().into(), Relationship::AssertionMethod)
        .await;
    assert_eq!(outcome, Err(ResolutionError::InvalidDidUrl));
    // A key of an older version is no key.
    let old = url(&format!("{}?versionNumber=1#a", log_.did()));
    let outcome = resolver.key_for(&old, Relationship::AssertionMethod).await;
    assert_eq!(outcome, Err(ResolutionError::InvalidDidUrl));

    let secp256k1 = "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme";
    let unusable = url(&format!("did:key:{secp256k1}#{secp256k1}"));
    let outcome = resolver
        .key_for(&unusable, Relationship::AssertionMethod)
        .await;
    assert_eq!(outcome, Err(ResolutionError::Key));

    // Keys that are over.
    let web = format!("did:web:{}", host.name());
    let multikey = key().public().multikey();
    let method = |name: &str, more: Value| {
        let mut method = json!({
            "id": format!("#{name}"),
            "type": "Multikey",
            "controller": "did:web:other.example",
            "publicKeyMultibase": multikey,
        });
        let members = method.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        method
    };
    let document = json!({"id": web, "authentication": [
        method("later", json!({"expires": "2026-11-22T12:00:01Z", "revoked": "2027-01-01T00:00:00Z"})),
        method("expired", json!({"expires": "2026-11-22T12:00:00Z"})),
        method("revoked", json!({"revoked": "2026-11-22T11:00:00Z"})),
        method("unclear", json!({"expires": 1})),
    ]});
    host.put("/.well-known/did.json", document.to_string());
    let find = |fragment: &str| {
        let name = url(&format!("{web}#{fragment}"));
        let resolver = resolver.clone();
        async move { resolver.key_for(&name, Relationship::Authentication).await }
    };
    let found = find("later").await.unwrap();
    assert_eq!(
        found.controller.as_str(),
        "did:web:other.example",
        "for the caller to judge"
    );
    for over in ["expired", "revoked", "unclear"] {
        assert_eq!(find(over).await, Err(ResolutionError::Key), "{over}");
    }

    let gone = log(&host, 2);
    host.put("/.well-known/did.jsonl", gone.to_jsonl());
    let resolver = host.resolver();
    let found = resolver
        .resolve(gone.did(), &Options::default())
        .await
        .unwrap();
    assert!(found.document_metadata.deactivated);
    let name = gone.did().with_fragment("a").unwrap();
    let outcome = resolver.key_for(&name, Relationship::AssertionMethod).await;
    assert_eq!(outcome, Err(ResolutionError::Deactivated));
}

#[tokio::test]
async fn did_urls_lead_to_parts_and_places() {
    let host = Host::start().await;
    let root = format!("did:web:{}", host.name());
    host.put(
        "/.well-known/did.json",
        json!({
            "id": root,
            "verificationMethod": [{"id": "#k", "type": "Other", "controller": root}],
            "service": [
                {"id": "#files", "type": "relativeRef", "serviceEndpoint": "https://files.example/x"},
                {"id": "#many", "type": "A", "serviceEndpoint": ["https://a.example/"]},
            ],
        })
        .to_string(),
    );
    let resolver = host.resolver();
    let dereference = |rest: &str| {
        let url = url(&format!("{root}{rest}"));
        let resolver = resolver.clone();
        async move { resolver.dereference(&url, &Options::default()).await }
    };
    let value = |found: Result<Dereferenced, ResolutionError>| found.map(|found| found.to_value());
    assert_eq!(value(dereference("").await).unwrap()["id"], root);
    assert_eq!(value(dereference("#k").await).unwrap()["type"], "Other");
    assert_eq!(
        value(dereference("#files").await).unwrap()["type"],
        "relativeRef"
    );
    for (rest, expected) in [
        ("?service=files", "https://files.example/x"),
        (
            "?service=files&relativeRef=/a/b?c%23d",
            "https://files.example/a/b?c#d",
        ),
        (
            "?service=files&relativeRef=a#f",
            "https://files.example/a#f",
        ),
        ("/a/b", "https://files.example/x/a/b"),
    ] {
        let found = value(dereference(rest).await);
        assert_eq!(found, Ok(Value::from(expected)), "{rest}");
    }
    for (rest, expected) in [
        ("#none", ResolutionError::NotFound),
        ("?service=none", ResolutionError::NotFound),
        ("/a?service=files", ResolutionError::InvalidDidUrl),
        ("/../a", ResolutionError::InvalidDidUrl),
        (
            "?service=files&relativeRef=https://evil.example/",
            ResolutionError::InvalidDidUrl,
        ),
        (
            "?service=files&relativeRef=//evil.example/",
            ResolutionError::InvalidDidUrl,
        ),
        (
            "?versionNumber=x",
            ResolutionError::InvalidOptions("versionNumber is not a number"),
        ),
        (
            "?versionId=1",
            ResolutionError::FeatureNotSupported("the DID's method has no versions"),
        ),
        (
            "?service=many",
            ResolutionError::FeatureNotSupported("services with several endpoints"),
        ),
    ] {
        assert_eq!(value(dereference(rest).await), Err(expected), "{rest}");
    }
    // did:webvh has its files where its log is.
    let log = log(&host, 1);
    host.put("/.well-known/did.jsonl", log.to_jsonl());
    let file = url(&format!("{}/a.json", log.did()));
    let found = resolver.dereference(&file, &Options::default()).await;
    let expected = format!("https://{}/a.json", host.name().replace("%3A", ":"));
    assert_eq!(value(found), Ok(Value::from(expected)));
    let first = url(&format!("{}?versionNumber=1#b", log.did()));
    let found = resolver.dereference(&first, &Options::default()).await;
    assert_eq!(
        value(found),
        Err(ResolutionError::NotFound),
        "it came with the second version"
    );
}

#[tokio::test]
async fn answers_are_kept_for_a_while_and_fetched_once() {
    let host = Host::start().await;
    let root = did(&format!("did:web:{}", host.name()));
    let clock = Arc::new(ManualClock::at(NOW));
    let resolver = host.resolver_at(Arc::clone(&clock));
    let hits = || host.hits.load(Ordering::SeqCst);
    let options = Options::default();

    // A failure is remembered for ten seconds.
    for _ in 0..3 {
        assert_eq!(
            resolver.resolve(&root, &options).await,
            Err(ResolutionError::NotFound)
        );
    }
    assert_eq!(hits(), 1);
    host.put(
        "/.well-known/did.json",
        json!({"id": root, "x": 1}).to_string(),
    );
    clock.advance(9);
    assert!(resolver.resolve(&root, &options).await.is_err());
    clock.advance(1);
    let all = (0..20).map(|_| {
        let (resolver, root) = (resolver.clone(), root.clone());
        tokio::spawn(async move { resolver.resolve(&root, &Options::default()).await })
    });
    for task in all.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap().unwrap().document.other["x"], 1);
    }
    assert_eq!(hits(), 2, "twenty callers, one fetch");

    host.put(
        "/.well-known/did.json",
        json!({"id": root, "x": 2}).to_string(),
    );
    let x = |resolver: Resolver, options: Options| {
        let root = root.clone();
        async move {
            resolver
                .resolve(&root, &options)
                .await
                .unwrap()
                .document
                .other["x"]
                .clone()
        }
    };
    clock.advance(299);
    assert_eq!(x(resolver.clone(), Options::default()).await, 1);
    clock.advance(1);
    assert_eq!(x(resolver.clone(), Options::default()).await, 2);
    host.put(
        "/.well-known/did.json",
        json!({"id": root, "x": 3}).to_string(),
    );
    assert_eq!(x(resolver.clone(), Options::default()).await, 2);
    let fresh = Options {
        no_cache: true,
        ..Options::default()
    };
    assert_eq!(x(resolver.clone(), fresh).await, 3);
    assert_eq!(x(resolver, Options::default()).await, 3);
}

struct Own(Url, String);

#[async_trait]
impl Local for Own {
    async fn file(&self, url: &Url) -> LocalFile {
        if url.origin() != self.0.origin() {
            LocalFile::Elsewhere
        } else if *url == self.0 {
            LocalFile::Present(self.1.clone().into_bytes())
        } else {
            LocalFile::Absent
        }
    }
}

#[tokio::test]
async fn our_own_dids_need_no_network() {
    let host = Host::start().await;
    let log = log(&host, 1);
    let name = host.name().replace("%3A", ":");
    let own = Own(
        format!("https://{name}/.well-known/did.jsonl")
            .parse()
            .unwrap(),
        log.to_jsonl(),
    );
    // An egress that may go nowhere.
    let egress = Egress::new(&blindprint_egress::Config::default()).unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let resolver = Resolver::with_local(Config::default(), egress, clock, Arc::new(own));
    let found = resolver
        .resolve(log.did(), &Options::default())
        .await
        .unwrap();
    assert_eq!(found.document, *log.document());
    let web = did(&format!("did:web:{}", host.name()));
    let outcome = resolver.resolve(&web, &Options::default()).await;
    assert_eq!(outcome, Err(ResolutionError::NotFound));
    let elsewhere = resolver
        .resolve(&did("did:web:localhost%3A1"), &Options::default())
        .await;
    assert!(matches!(
        elsewhere,
        Err(ResolutionError::Fetch(EgressError::Refused(_)))
    ));
    assert_eq!(host.hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn representations_and_methods() {
    const KEY: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
    let host = Host::start().await;
    let resolver = host.resolver();
    let accept = |accept: &str| {
        let options = Options {
            accept: Some(accept.to_owned()),
            ..Options::default()
        };
        let resolver = resolver.clone();
        async move {
            let found = resolver.resolve(&did(KEY), &options).await?;
            Ok(found.resolution_metadata.content_type)
        }
    };
    for (range, expected) in [
        ("application/did", "application/did"),
        (
            "text/html, application/did+ld+json;q=0.5",
            "application/did+ld+json",
        ),
        ("Application/DID+JSON", "application/did+json"),
        ("*/*", "application/did"),
    ] {
        assert_eq!(accept(range).await, Ok(expected.to_owned()), "{range}");
    }
    for range in ["text/html", "application/did+cbor", ""] {
        assert_eq!(
            accept(range).await,
            Err(ResolutionError::RepresentationNotSupported),
            "{range}"
        );
    }
    assert_eq!(
        resolve(&host, "did:example:1").await,
        Err(ResolutionError::MethodNotSupported)
    );
    let ethr = resolve(&host, "did:ethr:0xb9c5714089478a327f09197987f16f9e5d936e8a").await;
    assert!(matches!(ethr, Err(ResolutionError::FeatureNotSupported(_))));
    let result = serde_json::to_value(resolve(&host, KEY).await.unwrap()).unwrap();
    assert_eq!(result["didDocument"]["id"], KEY);
    assert_eq!(result["didDocumentMetadata"], json!({}));
    assert_eq!(
        result["didResolutionMetadata"],
        json!({"contentType": "application/did"})
    );
}

#[test]
fn errors_have_the_specifications_types_and_statuses() {
    for (error, kind, status) in [
        (ResolutionError::InvalidDid, "INVALID_DID", 400),
        (ResolutionError::InvalidDidUrl, "INVALID_DID_URL", 400),
        (ResolutionError::InvalidOptions(""), "INVALID_OPTIONS", 400),
        (ResolutionError::NotFound, "NOT_FOUND", 404),
        (
            ResolutionError::RepresentationNotSupported,
            "REPRESENTATION_NOT_SUPPORTED",
            406,
        ),
        (
            ResolutionError::InvalidDidDocument(""),
            "INVALID_DID_DOCUMENT",
            500,
        ),
        (ResolutionError::Internal(""), "INTERNAL_ERROR", 500),
        (
            ResolutionError::Fetch(EgressError::Timeout),
            "INTERNAL_ERROR",
            500,
        ),
        (
            ResolutionError::MethodNotSupported,
            "METHOD_NOT_SUPPORTED",
            501,
        ),
        (
            ResolutionError::FeatureNotSupported(""),
            "FEATURE_NOT_SUPPORTED",
            501,
        ),
    ] {
        assert_eq!(
            error.type_uri(),
            format!("https://www.w3.org/ns/did#{kind}")
        );
        assert_eq!(error.status(), status, "{kind}");
    }
    assert_eq!(ResolutionError::Deactivated.status(), 410);
}
