//! Her own wallet, over HTTPS: what it receives and the DID that it publishes, in strangers' eyes.

use std::{
    collections::BTreeSet,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use blindprint_core::wire::CredentialBasis;
use blindprint_tests::{Person, Service, block_on};
use blindprint_wallet::{DidChange, Materials, ReceiveOptions};
use serde_json::{Value, json};

use crate::{Machine, Node, get};

const CONFIGURATIONS: [&str; 5] = [
    "enrolment_ldp_vc",
    "enrolment_ldp_vc_rdfc",
    "enrolment_jwt_vc_json",
    "enrolment_dc+sd-jwt",
    "enrolment_dc+sd-jwt_es256",
];

#[test]
fn strangers_believe_her_wallet() {
    let service = Service::start();
    let materials = Arc::new(Materials::in_memory());
    let address = service.secure_address();
    let mut alice = block_on(Person::at(address, "L001", &service, &materials));
    let invitation = service.invitation(1);
    block_on(async {
        alice.consent(&invitation).await.unwrap();
        alice.enrol(&invitation).await.unwrap();
    });
    receives(&mut alice);
    shows_one(&service, &mut alice);
    publishes_a_did(&service, &mut alice);

    let copies = hands_over(&mut alice);
    assert!(
        reports(&service, &copies)
            .iter()
            .all(|report| report["verified"] == true)
    );
    // What was signed with the old keys stays verifiable.
    rotates_its_keys(&service);
    assert!(
        reports(&service, &copies)
            .iter()
            .all(|report| report["verified"] == true)
    );
    block_on(alice.wallet.erase(alice.enrolled().unwrap())).unwrap();
    for report in reports(&service, &copies) {
        assert_eq!(report["error"], "status: revoked", "{report}");
    }
}

/// The service takes the new keys up while it runs, and lists the old ones beside them.
fn rotates_its_keys(service: &Service) {
    let keys = || {
        let document = get(service, "/.well-known/did.json", "application/json").body;
        document["assertionMethod"].as_array().unwrap().clone()
    };
    let old = keys();
    service.operate(&["identity", "rotate"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    while keys().len() == old.len() {
        assert!(Instant::now() < deadline, "the new keys are not taken up");
        sleep(Duration::from_millis(500));
    }
    assert!(old.iter().all(|key| keys().contains(key)));
}

/// One offer of every format.
fn receives(alice: &mut Person) {
    let basis = CredentialBasis::Enrolment(alice.enrolled().unwrap());
    let wanted = CONFIGURATIONS.map(str::to_owned).to_vec();
    block_on(async {
        let wallet = &mut alice.wallet;
        let offer = wallet.offer_credential(wanted, basis).await.unwrap();
        let read = wallet.read_offer(&offer.by_reference).await.unwrap();
        let tx_code = offer.tx_code.map(Into::into);
        let options = ReceiveOptions::default();
        let received = wallet
            .receive_credentials(&read, tx_code, &options)
            .await
            .unwrap();
        assert_eq!(received.len(), CONFIGURATIONS.len());
    });
}

/// A copy of each to a stranger.
fn hands_over(alice: &mut Person) -> Vec<Value> {
    let held = alice.wallet.credentials().unwrap();
    held.iter()
        .map(|credential| {
            alice
                .wallet
                .hand_over(&credential.id.to_string(), "a stranger")
                .unwrap()
        })
        .collect()
}

fn reports(service: &Service, copies: &[Value]) -> Vec<Value> {
    let text = |copy: &Value| {
        copy.as_str()
            .map_or_else(|| copy.to_string(), str::to_owned)
    };
    let texts: Vec<String> = copies.iter().map(text).collect();
    let verifier = Node::program("verify").args(&["--many"]);
    let reports = verifier
        .trusting(&service.authority())
        .run(&json!(texts).to_string());
    reports.ok().as_array().unwrap().clone()
}

/// To a machine client, of which two questions are answered with different copies.
fn shows_one(service: &Service, alice: &mut Person) {
    let machine = Machine::new(service);
    let vct = format!("{}/credentials/types/enrolment/v1", service.public_url);
    let query = json!({"credentials": [{
        "id": "face",
        "format": "dc+sd-jwt",
        "meta": {"vct_values": [vct]},
        "claims": [{"path": ["modality"]}, {"path": ["enrolledSince"]}],
    }]});
    let mut holders = BTreeSet::new();
    for number in 0..2 {
        let wanted = json!({"query": query, "valid_for": 300 + number});
        let path = "/v1/presentation-requests";
        let asked = machine.ask("presentations:request", "POST", path, &wanted);
        assert_eq!(asked.status, 201, "{asked:?}");
        block_on(async {
            let link = asked.body["uri"].as_str().unwrap();
            let request = alice
                .wallet
                .read_presentation_request(link, &[], false)
                .await
                .unwrap();
            assert!(request.is_signed());
            alice.wallet.present(request).await.unwrap();
        });
        let path = format!("{path}/{}", asked.body["id"].as_str().unwrap());
        let standing = machine
            .ask("presentations:request", "GET", &path, &Value::Null)
            .body;
        assert_eq!(standing["state"], "answered", "{standing}");
        let seen = &standing["credentials"]["face"][0];
        assert_eq!(seen["claims"]["modality"], "face", "{seen}");
        assert!(holders.insert(seen["claims"]["cnf"].to_string()), "{seen}");
    }
}

/// As did:webvh and did:web; strangers see each change and its end.
fn publishes_a_did(service: &Service, alice: &mut Person) {
    let resolve = |did: &str| {
        let resolver = Node::program("resolve").args(&[did]);
        resolver.trusting(&service.authority()).run("").ok()[0].clone()
    };
    let created = block_on(alice.wallet.create_did(Some("alice-in-town"))).unwrap();
    let first = resolve(&created.did)["didDocument"].clone();
    assert_eq!(first["id"], created.did.as_str(), "{first}");
    let parallel = resolve(&created.did_web);
    assert_eq!(parallel["didDocument"]["id"], created.did_web.as_str());

    for change in [
        DidChange::Rotate,
        DidChange::PutService {
            id: "shop".to_owned(),
            kind: "LinkedDomains".to_owned(),
            endpoint: "https://shop.example".to_owned(),
        },
    ] {
        block_on(alice.wallet.update_did("alice-in-town", &change)).unwrap();
    }
    let second = resolve(&created.did)["didDocument"].clone();
    assert_ne!(first["verificationMethod"], second["verificationMethod"]);
    assert!(
        second["service"]
            .to_string()
            .contains("https://shop.example"),
        "{second}"
    );

    block_on(
        alice
            .wallet
            .update_did("alice-in-town", &DidChange::Deactivate),
    )
    .unwrap();
    let gone = resolve(&created.did);
    assert_eq!(gone["didDocumentMetadata"]["deactivated"], true, "{gone}");
}
