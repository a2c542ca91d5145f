use alloy_primitives::{B256, U256};
use alloy_sol_types::SolEvent as _;
use blindprint_core::UnixTime;
use serde_json::{Value, json};

use super::{
    document::build,
    history::{DIDAttributeChanged, DIDDelegateChanged, DIDOwnerChanged, Event, Recorded},
    *,
};

const ADDRESS: &str = "0xB9C5714089478a327F09197987f16f9E5d936E8a";
const OTHER: &str = "0xa0ae58Da58Dfa46Fa55C3B86545E7065f90FF011";
const NOW: UnixTime = UnixTime(1_800_000_000);

fn did() -> Did {
    format!("did:ethr:0x539:{ADDRESS}").parse().unwrap()
}

fn document(events: Vec<Event>) -> Value {
    let did = did();
    let account = Account::of(&did).unwrap();
    let events: Vec<Recorded> = (1..)
        .zip(events)
        .map(|(block, event)| Recorded { block, event })
        .collect();
    build(&did, &account, 1337, &events, NOW)
        .unwrap()
        .to_value()
}

fn attribute(name: &str, value: &[u8], valid_to: i64) -> Event {
    Event::Attribute {
        name: name.to_owned(),
        value: value.to_vec().into(),
        valid_to: U256::from(valid_to),
    }
}

fn delegate(purpose: &str, valid_to: i64) -> Event {
    Event::Delegate {
        purpose: purpose.to_owned(),
        delegate: address(OTHER).unwrap(),
        valid_to: U256::from(valid_to),
    }
}

#[test]
fn an_account_that_the_registry_does_not_know_controls_itself() {
    let did = did();
    let name = format!("{did}#controller");
    let expected = json!({
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
            "https://w3id.org/security/v3-unstable",
        ],
        "id": did,
        "verificationMethod": [{
            "id": name,
            "type": "EcdsaSecp256k1RecoveryMethod2020",
            "controller": did,
            "blockchainAccountId": format!("eip155:1337:{ADDRESS}"),
        }],
        "authentication": [name],
        "assertionMethod": [name],
    });
    assert_eq!(document(vec![]), expected);
}

#[test]
fn keys_delegates_and_services_come_and_go() {
    let later = NOW.0 + 1;
    let x = [7; 32];
    let key = blindprint_core::SystemEntropy;
    let ed25519 =
        blindprint_did::SigningKey::generate(blindprint_did::KeyType::Ed25519, &key).public();
    let jwk = serde_json::to_value(blindprint_did::Jwk::from(&ed25519)).unwrap();
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(jwk["x"].as_str().unwrap())
        .unwrap();
    let events = vec![
        delegate("veriKey", later),
        delegate("sigAuth", later),
        attribute("did/pub/Ed25519/veriKey/base64", &bytes, later),
        attribute("did/pub/X25519/enc/base58", &x, later),
        attribute("did/pub/Secp256k1/sigAuth/hex", &[2; 33], later),
        attribute("did/svc/HubService", b"https://hubs.example", later),
        attribute("did/svc/Many", br#"{"a":["https://b.example"]}"#, later),
        // Over, not text, not a DID's: numbered all the same, or ignored.
        attribute("did/pub/Ed25519/veriKey/hex", &x, NOW.0 - 1),
        attribute("did/svc/Old", b"https://old.example", NOW.0 - 1),
        attribute("did/svc/Bytes", b"\xff", later),
        attribute("did/pub/Ed25519/veriKey/pem", b"\xff", later),
        attribute("something/else", b"x", later),
        delegate("unheard", later),
        attribute("did/pub/RSA/veriKey", &[1], later),
        attribute("did/svc/Last", b"https://last.example", later),
    ];
    let document = document(events.clone());
    let did = did();
    let names = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|item| {
                item.get("id")
                    .unwrap_or(item)
                    .as_str()
                    .unwrap()
                    .replace(did.as_str(), "")
            })
            .collect()
    };
    let methods = names(&document["verificationMethod"]);
    assert_eq!(
        methods,
        [
            "#controller",
            "#delegate-1",
            "#delegate-2",
            "#delegate-3",
            "#delegate-4",
            "#delegate-5",
            "#delegate-9"
        ]
    );
    assert_eq!(
        names(&document["authentication"]),
        ["#controller", "#delegate-2", "#delegate-5"]
    );
    assert_eq!(
        names(&document["assertionMethod"]),
        [
            "#controller",
            "#delegate-1",
            "#delegate-2",
            "#delegate-3",
            "#delegate-5",
            "#delegate-9"
        ]
    );
    assert_eq!(names(&document["keyAgreement"]), ["#delegate-4"]);
    assert_eq!(
        names(&document["service"]),
        ["#service-1", "#service-2", "#service-5"]
    );
    let kinds: Vec<&Value> = document["verificationMethod"]
        .as_array()
        .unwrap()
        .iter()
        .map(|method| &method["type"])
        .collect();
    assert_eq!(
        kinds,
        [
            "EcdsaSecp256k1RecoveryMethod2020",
            "EcdsaSecp256k1RecoveryMethod2020",
            "EcdsaSecp256k1RecoveryMethod2020",
            "Ed25519VerificationKey2018",
            "X25519KeyAgreementKey2019",
            "EcdsaSecp256k1VerificationKey2019",
            "RSAVerificationKey2018",
        ]
    );
    assert_eq!(
        document["service"][0]["serviceEndpoint"],
        "https://hubs.example"
    );
    assert_eq!(
        document["service"][1]["serviceEndpoint"]["a"][0],
        "https://b.example"
    );
    let parsed: crate::Document = serde_json::from_value(document).unwrap();
    assert_eq!(parsed.verification_method[3].key(), Some(ed25519));

    // Each is revoked by an event of the same name and value that is over.
    let mut revoked = events.clone();
    revoked.extend(events.into_iter().map(|event| match event {
        Event::Delegate {
            purpose, delegate, ..
        } => Event::Delegate {
            purpose,
            delegate,
            valid_to: U256::from(1),
        },
        Event::Attribute { name, value, .. } => Event::Attribute {
            name,
            value,
            valid_to: U256::ZERO,
        },
        owner @ Event::Owner(_) => owner,
    }));
    let empty = self::document(revoked);
    assert_eq!(names(&empty["verificationMethod"]), ["#controller"]);
    assert_eq!(names(&empty["assertionMethod"]), ["#controller"]);
    assert!(empty.get("keyAgreement").is_none() && empty.get("service").is_none());
}

#[test]
fn another_owner_controls_and_nobody_ends_it() {
    let owned = document(vec![Event::Owner(address(OTHER).unwrap())]);
    let account = &owned["verificationMethod"][0]["blockchainAccountId"];
    assert_eq!(*account, format!("eip155:1337:{OTHER}"));
    let ended = document(vec![
        Event::Owner(Address::ZERO),
        attribute("did/svc/Late", b"https://late.example", NOW.0 + 1),
    ]);
    assert!(ended.get("verificationMethod").is_none() && ended.get("service").is_none());
}

/// The key of the account with the secret 1, which is the generator point, and its well-known
/// address.
#[test]
fn a_public_key_names_its_account() {
    const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    let did: Did = format!("did:ethr:0x{KEY}").parse().unwrap();
    let account = Account::of(&did).unwrap();
    assert_eq!(account.network, "mainnet");
    assert_eq!(
        account.address.to_string(),
        "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
    );
    let build = |events: &[Recorded]| build(&did, &account, 1, events, NOW).unwrap();
    let document = build(&[]);
    assert_eq!(
        document.verification_method[1].id,
        format!("{did}#controllerKey")
    );
    assert_eq!(
        document.verification_method[1].material["publicKeyHex"],
        KEY
    );
    assert_eq!(document.assertion_method.len(), 2);
    // The key goes with the ownership.
    let event = Event::Owner(address(OTHER).unwrap());
    let document = build(&[Recorded { block: 1, event }]);
    assert_eq!(document.verification_method.len(), 1);
}

#[test]
fn identifiers_are_accounts_on_networks() {
    for (did, network) in [
        (format!("did:ethr:{ADDRESS}"), "mainnet"),
        (format!("did:ethr:{}", ADDRESS.to_lowercase()), "mainnet"),
        (format!("did:ethr:rsk:testnet:{ADDRESS}"), "rsk:testnet"),
    ] {
        assert_eq!(Account::of(&did.parse().unwrap()).unwrap().network, network);
    }
    for bad in [
        "did:ethr:sepolia",
        "did:ethr:0xb9c5714089478a327f09197987f16f9e5d936e8",
        "did:ethr:b9c5714089478a327f09197987f16f9e5d936e8a",
        "did:ethr:0xB9c5714089478a327f09197987f16f9e5d936e8a",
        "did:ethr:0x02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "did:ethr:0x0579be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ] {
        let outcome = Account::of(&bad.parse().unwrap()).map(|_| ());
        assert_eq!(outcome, Err(ResolutionError::InvalidDid), "{bad}");
    }
    let network = Network {
        chain_id: 1,
        name: Some("main".to_owned()),
        rpc: "http://localhost:8545".parse().unwrap(),
        registry: OTHER.to_owned(),
    };
    assert!(
        ["0x1", "0x01", "main", "mainnet"]
            .iter()
            .all(|name| network.is(name))
    );
    assert!(
        ["1", "0x2", "", "Main"]
            .iter()
            .all(|name| !network.is(name))
    );
}

/// ERC-1056 gives the events' signatures; a wrong one here would find no events at all.
#[test]
fn events_are_the_standards() {
    for (hash, signature) in [
        (
            DIDOwnerChanged::SIGNATURE_HASH,
            "DIDOwnerChanged(address,address,uint256)",
        ),
        (
            DIDDelegateChanged::SIGNATURE_HASH,
            "DIDDelegateChanged(address,bytes32,address,uint256,uint256)",
        ),
        (
            DIDAttributeChanged::SIGNATURE_HASH,
            "DIDAttributeChanged(address,bytes32,bytes,uint256,uint256)",
        ),
    ] {
        assert_eq!(hash, B256::from(alloy_primitives::keccak256(signature)));
    }
}
