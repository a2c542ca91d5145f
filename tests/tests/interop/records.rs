//! Consent records, receipts and the record of processing, against JSON Schema and the Data Privacy
//! Vocabulary.

use blindprint_consent::{
    Library, RECEIPT_SCHEMA, RECORD_SCHEMA, processing,
    record::{self, Event, Fields},
};
use blindprint_core::{
    ConsentId, ServiceId, SystemEntropy, UnixTime,
    consent::{ConsentState, Decision},
    profiles,
    statement::Purpose,
    wire::{Controller, Recipient},
};
use serde_json::{Value, json};

use crate::Node;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn service() -> ServiceId {
    "https://id.example".parse().unwrap()
}

fn shop() -> Recipient {
    Recipient {
        audience: "https://shop.example".parse().unwrap(),
        name: "The Shop".to_owned(),
    }
}

fn controllers() -> [Controller; 2] {
    let silent = blindprint_consent::controller_of(&service());
    let talkative = Controller {
        name: "Example & Söhne GmbH".to_owned(),
        address: Some("1 Main Street, Dublin".to_owned()),
        contact: Some("privacy@id.example".to_owned()),
        officer: Some("Dr. Careful, dpo@id.example".to_owned()),
        authority: Some("Data Protection Commission".to_owned()),
        dpia: Some("https://id.example/dpia".to_owned()),
        storage_locations: vec!["IE".to_owned(), "FR".to_owned()],
        jurisdiction: "IE".to_owned(),
    };
    [silent, talkative]
}

/// Every notice, decision and kind of controller.
fn records() -> Vec<Value> {
    let mut records = Vec::new();
    for controller in &controllers() {
        for source in Library::embedded().iter() {
            for (decision, expires) in [
                (Decision::Given, NOW.plus(86_400)),
                (Decision::Refused, NOW),
            ] {
                let shop = shop();
                let recipient = (source.purpose() == Purpose::Sharing).then_some(&shop);
                let notice = source.publish(&service(), controller, recipient).unwrap();
                let fields = Fields {
                    id: ConsentId::random(&SystemEntropy),
                    subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
                        .parse()
                        .unwrap(),
                    service: service(),
                    decision,
                    given: NOW,
                    expires,
                };
                records.push(record::render(&fields, &notice.summary, controller).unwrap());
            }
        }
    }
    records
}

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn check(documents: &[Value]) -> crate::Answer {
    Node::program("records").run(&Value::from(documents).to_string())
}

#[test]
fn records_fit_their_schema_and_use_terms_that_exist() {
    let mut documents = Vec::new();
    for record in records() {
        let name = record["@id"].clone();
        let events = ConsentState::ALL.map(|state| Event { state, at: NOW });
        let receipt = record::receipt(&record, &events).unwrap();
        documents.push(json!({"name": name, "schema": schema(RECORD_SCHEMA), "document": record}));
        documents
            .push(json!({"name": name, "schema": schema(RECEIPT_SCHEMA), "document": receipt}));
    }
    for controller in &controllers() {
        let shop = shop();
        let sources = processing::Sources {
            service: &service(),
            controller,
            library: &Library::embedded(),
            profiles: profiles(),
            recipients: std::slice::from_ref(&shop),
            retention: &[processing::Retention {
                of: "idle enrolments".to_owned(),
                days: 400,
            }],
            now: NOW,
        };
        let record = processing::render(&sources).unwrap();
        documents.push(json!({"name": "processing", "document": record}));
    }
    let answer = check(&documents).ok();
    assert_eq!(answer["checked"], documents.len());
    let terms = answer["terms"].to_string();
    for term in [
        "https://w3id.org/dpv#ConsentRecord",
        "https://w3id.org/dpv#HomomorphicEncryption",
        "https://w3id.org/dpv/legal/eu/gdpr#A9-2-a",
        "https://w3id.org/dpv/legal/eu/gdpr#A7-3",
        "https://w3id.org/dpv/schema/dpv-27560#record",
        "https://w3id.org/dpv/pd#Biometric",
        "https://w3id.org/dpv/loc#FR",
    ] {
        assert!(terms.contains(&format!("\"{term}\"")), "{term}");
    }
}

#[test]
fn an_invented_term_and_a_member_of_ones_own_are_refused() {
    let record = records().swap_remove(0);
    let with = |pointer: &str, value: Value| {
        let mut record = record.clone();
        *record.pointer_mut(pointer).unwrap() = value;
        record
    };
    for (document, reason) in [
        (
            with(
                "/dpv:hasProcess/dpv:hasPurpose/0",
                json!("dpv:FaceRecognition"),
            ),
            "no term",
        ),
        (
            with("/dpv:hasApplicableLaw", json!("legal-eu:law-Mine")),
            "no term",
        ),
        (with("/@type", json!("dpv:ConsentDiary")), "no term"),
    ] {
        check(&[json!({"name": "x", "document": document})]).refused_as(reason);
    }
    let mut more = record.clone();
    more["dpv:hasMood"] = json!("good");
    check(&[json!({"name": "x", "document": more})]).refused_as("hasMood is no term");
    let spoilt = [
        with(
            "/dpv:hasConsentStatus/dpv:isIndicatedAtTime",
            json!("yesterday"),
        ),
        with("/dpv:hasJurisdiction", json!("loc:Atlantis")),
        with(
            "/dpv:hasProcess/dpv:hasRecipient",
            json!({"@type": "dpv:ThirdParty"}),
        ),
        with("/dpv:hasNotice/dct:identifier", json!("short")),
        more,
    ];
    for document in spoilt {
        let entry = json!({"name": "x", "schema": schema(RECORD_SCHEMA), "document": document});
        check(&[entry]).refused();
    }
}
