//! The service as strangers' resolvers, issuers and verifiers see it, over HTTPS.

use blindprint_tests::Service;
use serde_json::{Value, json};

use crate::{Host, Machine, Node, Running, get, others};

const RESOLUTION: &str = "application/did-resolution";

#[test]
fn strangers_find_a_resolver_an_issuer_and_a_verifier() {
    let host = Host::start();
    let chain = Node::program("ethr").start();
    let service = Service::start_with(
        None,
        &settings(&host, &chain).each_ref().map(String::as_str),
    );
    its_own_dids_resolve(&service);
    it_resolves_as_others_do(&service, &host, &chain);
    it_says_why_a_did_does_not_resolve(&service, &host);
    let machine = Machine::new(&service);
    it_believes_what_others_issue(&machine);
    others_believe_what_it_issues(&service, &machine);
}

/// It may fetch from the stranger's site and from the chain, which are both on this machine.
fn settings(host: &Host, chain: &Running) -> [String; 5] {
    let text = |name: &str| chain.json[name].as_str().unwrap();
    let rpc = text("rpc").strip_prefix("http://").unwrap();
    [
        format!(r#"egress.allow=["localhost:{}","{rpc}"]"#, host.port),
        format!("egress.ca_bundle={}", host.authority().display()),
        format!(
            r#"resolver.networks=[{{chain_id={},rpc="{}",registry="{}"}}]"#,
            chain.json["chain"],
            text("rpc"),
            text("registry")
        ),
        "resolver.address_per_minute=10000".to_owned(),
        "resolver.address_burst=1000".to_owned(),
    ]
}

fn resolve(service: &Service, did: &str) -> Value {
    let reply = get(service, &format!("/1.0/identifiers/{did}"), RESOLUTION);
    assert_eq!(reply.status, 200, "{did}: {reply:?}");
    assert_eq!(reply.media_type, RESOLUTION);
    reply.body["didDocument"].clone()
}

/// What the resolvers of others say.
fn others_resolve(authority: &std::path::Path, did: &str) -> Value {
    let results = Node::program("resolve")
        .trusting(authority)
        .args(&[did])
        .run("")
        .ok();
    assert!(!results[0]["didDocument"].is_null(), "{results}");
    results[0]["didDocument"].clone()
}

/// The names of the keys under `purpose`, without the DID.
fn keys<'a>(document: &'a Value, purpose: &str) -> Vec<&'a str> {
    let list = document[purpose].as_array().unwrap();
    list.iter()
        .map(|key| key.as_str().unwrap().split_once('#').unwrap().1)
        .collect()
}

fn its_own_dids_resolve(service: &Service) {
    let port = service.public_url.rsplit(':').next().unwrap();
    let web = format!("did:web:localhost%3A{port}");
    let document = others_resolve(&service.authority(), &web);
    assert_eq!(document, resolve(service, &web));
    let aliases = document["alsoKnownAs"].as_array().unwrap();
    let webvh = aliases[0].as_str().unwrap();
    assert!(webvh.starts_with("did:webvh:"), "{webvh}");
    let logged = others_resolve(&service.authority(), webvh);
    assert!(logged["alsoKnownAs"].to_string().contains(&web));
    for purpose in ["assertionMethod", "authentication"] {
        assert_eq!(keys(&document, purpose), keys(&logged, purpose));
        assert_eq!(
            keys(&resolve(service, webvh), purpose),
            keys(&logged, purpose)
        );
    }
}

fn it_resolves_as_others_do(service: &Service, host: &Host, chain: &Running) {
    let web = host.did_web();
    let document = json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": web,
        "service": [{"id": "#shop", "type": "LinkedDomains", "serviceEndpoint": host.url()}],
    });
    let text = document.to_string();
    host.serve("/.well-known/did.json", "application/did+json", text);
    assert_eq!(resolve(service, &web), document);

    let address = format!("{}/dids/ann", host.url());
    let log = Node::program("webvh")
        .args(&[address.as_str(), "rotate", "service"])
        .run("")
        .ok();
    let lines = log["log"].as_str().unwrap();
    host.serve("/dids/ann/did.jsonl", "text/jsonl", lines);
    let webvh = log["did"].as_str().unwrap();
    assert_eq!(
        keys(&resolve(service, webvh), "authentication"),
        keys(&others_resolve(&host.authority(), webvh), "authentication")
    );

    for case in chain.json["cases"].as_array().unwrap() {
        let theirs = &case["result"]["didDocument"];
        let did = case["did"].as_str().unwrap();
        if case["result"]["didDocumentMetadata"]["deactivated"] == true || did.contains('?') {
            continue;
        }
        let ours = resolve(service, did);
        assert_eq!(
            keys(&ours, "assertionMethod").len(),
            keys(theirs, "assertionMethod").len()
        );
        assert_eq!(ours["id"], theirs["id"]);
    }

    for did in [
        "did:key:z6MktvqCyLxTsXUH1tUZncNdVeEZ7hNh7npPRbUU27GTrYb8",
        "did:key:zDnaeUKTWUXc1HDpGfKbEK31nKLN19yX5aunFd7VK1CUMeyJu",
        "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJFZDI1NTE5IiwieCI6IjExcVlBWUt4Q3JmVlNfN1R5V1FIT2c3aGN2UGFwaU1scndJYWFQY0hVUm8ifQ",
    ] {
        let (ours, theirs) = (
            resolve(service, did),
            others_resolve(&host.authority(), did),
        );
        for purpose in ["assertionMethod", "authentication"] {
            assert_eq!(keys(&ours, purpose), keys(&theirs, purpose), "{did}");
        }
    }
}

fn it_says_why_a_did_does_not_resolve(service: &Service, host: &Host) {
    let huge = format!(
        r#"{{"id":"{}:huge","x":"{}"}}"#,
        host.did_web(),
        "x".repeat(10 << 20)
    );
    host.serve("/huge/did.json", "application/did+json", huge);
    host.serve(
        "/liar/did.json",
        "application/did+json",
        r#"{"id":"did:web:example.org"}"#,
    );
    host.serve("/text/did.json", "text/html", "<p>No such page</p>");
    // Nothing is at this port, and nothing may be asked there either.
    host.redirect("/away/did.json", "https://127.0.0.1:9/did.json");
    let log = |path: &str, steps: &[&str]| {
        let address = format!("{}/{path}", host.url());
        Node::program("webvh")
            .args(&[address])
            .args(steps)
            .run("")
            .ok()
    };
    let publish = |path: &str, lines: &str| {
        host.serve(&format!("/{path}/did.jsonl"), "text/jsonl", lines);
    };
    let broken = log("broken", &["rotate", "service"]);
    let lines = broken["log"].as_str().unwrap();
    publish("broken", &lines.replace("shop.example", "shap.example"));
    let ended = log("ended", &["settle", "deactivate"]);
    publish("ended", ended["log"].as_str().unwrap());
    let twice = log("twice", &["settle", "service"]);
    let lines: Vec<Value> = twice["log"]
        .as_str()
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let same_second = lines[2].to_string().replace(
        lines[2]["versionTime"].as_str().unwrap(),
        lines[1]["versionTime"].as_str().unwrap(),
    );
    publish(
        "twice",
        &format!("{}\n{}\n{same_second}\n", lines[0], lines[1]),
    );

    let at_host = |path: &str| format!("{}:{path}", host.did_web());
    let of = |log: &Value| log["did"].as_str().unwrap().to_owned();
    for (did, status, error) in [
        ("did".to_owned(), 400, "INVALID_DID"),
        ("did:key:z6Mk".to_owned(), 400, "INVALID_DID"),
        ("did:foo:bar".to_owned(), 501, "METHOD_NOT_SUPPORTED"),
        (
            "did:ethr:0x1:0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".to_owned(),
            501,
            "",
        ),
        (at_host("nowhere"), 404, "NOT_FOUND"),
        (at_host("huge"), 500, ""),
        (at_host("liar"), 500, "INVALID_DID_DOCUMENT"),
        (at_host("text"), 500, "INVALID_DID_DOCUMENT"),
        (at_host("away"), 500, "INTERNAL_ERROR"),
        ("did:web:127.0.0.1%3A9".to_owned(), 400, "INVALID_DID"),
        ("did:web:localhost%3A9".to_owned(), 500, "INTERNAL_ERROR"),
        (of(&broken), 500, "INVALID_DID_DOCUMENT"),
        (of(&twice), 500, "INVALID_DID_DOCUMENT"),
    ] {
        let reply = get(service, &format!("/1.0/identifiers/{did}"), RESOLUTION);
        assert_eq!(reply.status, status, "{did}: {reply:?}");
        let told = &reply.body["didResolutionMetadata"]["error"]["type"];
        let told = told.as_str().unwrap_or_default();
        assert!(told.starts_with("https://www.w3.org/ns/did#"), "{reply:?}");
        assert!(told.ends_with(error), "{did}: {reply:?}");
        assert!(reply.body["didDocument"].is_null());
    }
    let gone = get(
        service,
        &format!("/1.0/identifiers/{}", of(&ended)),
        RESOLUTION,
    );
    assert_eq!(gone.status, 410, "{gone:?}");
    assert_eq!(gone.body["didDocumentMetadata"]["deactivated"], true);
    let refused = get(
        service,
        &format!("/1.0/identifiers/{}", host.did_web()),
        "text/html",
    );
    assert_eq!(refused.status, 406, "{refused:?}");
}

fn it_believes_what_others_issue(machine: &Machine<'_>) {
    for kind in others::KINDS {
        let theirs = others::presented(kind);
        let ask = |credential: &Value| {
            let body = json!({"verifiableCredential": credential});
            machine.ask("credentials:verify", "POST", "/credentials/verify", &body)
        };
        let believed = ask(&theirs["credential"]);
        assert_eq!(believed.status, 200, "{kind}: {believed:?}");
        assert_eq!(believed.body["verified"], true);
        assert_eq!(believed.body["issuer"], theirs["issuer"]);

        let mut changed = theirs["credential"].clone();
        if let Value::String(token) = &mut changed {
            let (head, last) = token.split_once('.').unwrap();
            *token = format!(
                "{head}.{}",
                last.replacen(
                    &last[30..31],
                    if &last[30..31] == "A" { "B" } else { "A" },
                    1
                )
            );
        } else {
            changed["name"] = "Another name".into();
        }
        let refused = ask(&changed);
        assert!([400, 422].contains(&refused.status), "{kind}: {refused:?}");
        assert_eq!(refused.body["verified"], false, "{kind}: {refused:?}");

        for (challenge, holds) in [(others::CHALLENGE, true), ("another", false)] {
            let body = json!({
                "verifiablePresentation": theirs["presentation"],
                "options": {"challenge": challenge, "domain": others::DOMAIN},
            });
            let reply = machine.ask(
                "presentations:verify",
                "POST",
                "/presentations/verify",
                &body,
            );
            assert_eq!(reply.status == 200, holds, "{kind}: {reply:?}");
            assert_eq!(reply.body["verified"], holds, "{kind}: {reply:?}");
        }
    }
}

fn others_believe_what_it_issues(service: &Service, machine: &Machine<'_>) {
    for (number, cryptosuite) in ["eddsa-jcs-2022", "eddsa-rdfc-2022", "vc+jwt"]
        .iter()
        .enumerate()
    {
        let name = format!("urn:example:{number}");
        let body = json!({
            "credential": {
                "@context": ["https://www.w3.org/ns/credentials/v2"],
                "type": ["VerifiableCredential"],
                "issuer": "did:example:the-service-knows-better",
                "name": "A ticket",
                "credentialSubject": {"id": "did:example:ann"},
            },
            "options": {"cryptosuite": cryptosuite, "status": true, "credentialId": name},
        });
        let issued = machine.ask("credentials:issue", "POST", "/credentials/issue", &body);
        assert_eq!(issued.status, 201, "{issued:?}");
        let credential = match &issued.body["verifiableCredential"] {
            Value::String(token) => token.clone(),
            credential => credential.to_string(),
        };
        let verify = || {
            Node::program("verify")
                .trusting(&service.authority())
                .run(&credential)
        };
        let change = |purpose: &str, to: bool| {
            let body = json!({"credentialId": name, "statusPurpose": purpose, "status": to});
            let reply = machine.ask("credentials:status", "POST", "/credentials/status", &body);
            assert_eq!(reply.status, 200, "{reply:?}");
        };
        verify().ok();
        change("suspension", true);
        verify().refused_as("suspended");
        change("suspension", false);
        verify().ok();
        change("revocation", true);
        verify().refused_as("revoked");
    }
}
