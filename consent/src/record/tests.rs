use blindprint_core::SystemEntropy;
use proptest::prelude::*;

use super::*;
use crate::{Language, Library};

fn notice(purpose: Purpose, language: Language, controller: &Controller) -> NoticeSummary {
    let service = "https://id.example".parse().unwrap();
    let library = Library::embedded();
    let source = library
        .iter()
        .find(|source| source.purpose() == purpose && source.language() == language)
        .unwrap();
    let shop = Recipient {
        audience: "https://shop.example".parse().unwrap(),
        name: "The \"Shop\" & Söhne".to_owned(),
    };
    let recipient = (purpose == Purpose::Sharing).then_some(&shop);
    source
        .publish(&service, controller, recipient)
        .unwrap()
        .summary
}

fn controller() -> Controller {
    Controller {
        address: Some("1 Main Street, Dublin".to_owned()),
        contact: Some("privacy@id.example".to_owned()),
        officer: Some("Dr. Careful, dpo@id.example".to_owned()),
        authority: Some("Data Protection Commission".to_owned()),
        dpia: Some("https://id.example/dpia".to_owned()),
        storage_locations: vec!["IE".to_owned(), "FR".to_owned()],
        ..controller::default(&"https://id.example".parse().unwrap())
    }
}

fn fields(decision: Decision) -> Fields {
    Fields {
        id: ConsentId::random(&SystemEntropy),
        subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
            .parse()
            .unwrap(),
        service: "https://id.example".parse().unwrap(),
        decision,
        given: UnixTime(1_800_000_000),
        expires: UnixTime(match decision {
            Decision::Given => 1_831_536_000,
            Decision::Refused => 1_800_000_000,
        }),
    }
}

/// Every purpose, decision, language and a talkative and a silent controller.
fn all() -> Vec<Value> {
    let silent = controller::default(&"https://id.example".parse().unwrap());
    let mut all = Vec::new();
    for purpose in Purpose::ALL {
        for language in Language::ALL {
            for decision in [Decision::Given, Decision::Refused] {
                for controller in [&controller(), &silent] {
                    let notice = notice(purpose, language, controller);
                    all.push(render(&fields(decision), &notice, controller).unwrap());
                }
            }
        }
    }
    all
}

#[test]
fn a_record_tells_its_parts() {
    for purpose in Purpose::ALL {
        for decision in [Decision::Given, Decision::Refused] {
            let (fields, controller) = (fields(decision), controller());
            let notice = notice(purpose, Language::De, &controller);
            let record = render(&fields, &notice, &controller).unwrap();
            let parsed = parse(&record).unwrap();
            assert_eq!(parsed.fields, fields);
            assert_eq!(parsed.notice, Shown::from(&notice));
            assert_eq!(parsed.controller, controller);
            assert_eq!(
                record["dpv:hasConsentStatus"]["@type"][0],
                match decision {
                    Decision::Given => "dpv:ConsentGiven",
                    Decision::Refused => "dpv:ConsentRefused",
                }
            );
        }
    }
    for record in all() {
        parse(&record).unwrap();
    }
}

/// The fields that ISO/IEC TS 27560 requires, by the names of its clause 6.
#[test]
fn a_record_has_every_field_of_the_standard() {
    let controller = controller();
    let notice = notice(Purpose::Sharing, Language::En, &controller);
    let record = render(&fields(Decision::Given), &notice, &controller).unwrap();
    for (field, pointer) in [
        ("schema_version", "/dct:conformsTo/0"),
        ("record_id", "/dct:identifier"),
        ("pii_principal_id", "/dpv:hasDataSubject/@id"),
        ("privacy_notice", "/dpv:hasNotice/@id"),
        ("language", "/dpv:hasNotice/dct:language"),
        ("purpose", "/dpv:hasProcess/dpv:hasPurpose/0"),
        ("pii_information", "/dpv:hasProcess/dpv:hasPersonalData/0"),
        ("pii_controllers", "/dpv:hasDataController"),
        (
            "storage_locations",
            "/dpv:hasProcess/dpv:hasStorageCondition/0/dpv:hasLocation/0",
        ),
        (
            "retention_period",
            "/dpv:hasProcess/dpv:hasStorageCondition/1/dpv:hasDuration",
        ),
        ("jurisdiction", "/dpv:hasJurisdiction"),
        (
            "recipient_third_parties",
            "/dpv:hasProcess/dpv:hasRecipient/dpv:hasName",
        ),
        (
            "withdrawal_method",
            "/dpv:hasProcess/dpv:hasConsentControl/dpv:isExercisedAt",
        ),
        ("party_id", "/dpv:hasDataController/dpv:hasIdentifier"),
        ("party_address", "/dpv:hasDataController/dpv:hasAddress"),
        ("party_name", "/dpv:hasDataController/dpv:hasName"),
        ("party_contact", "/dpv:hasDataController/dpv:hasContact"),
        ("party_type", "/dpv:hasDataController/@type"),
        ("event_time", "/dpv:hasConsentStatus/dpv:isIndicatedAtTime"),
        ("validity_duration", "/dpv:hasConsentStatus/dpv:hasDuration"),
        ("entity_id", "/dpv:hasConsentStatus/dpv:isIndicatedBy"),
        ("event_type", "/dpv:hasConsentStatus/@type/1"),
        ("event_state", "/dpv:hasConsentStatus/@type/0"),
        ("lawful_basis", "/dpv:hasProcess/dpv:hasLegalBasis/1"),
        ("collection_method", "/dpv:hasProcess/dpv:hasDataSource"),
        ("processing_method", "/dpv:hasProcess/dpv:hasProcessing/0"),
        (
            "processing_location",
            "/dpv:hasProcess/dpv:hasProcessingCondition/dpv:hasLocation/0",
        ),
        ("privacy_rights", "/dpv:hasProcess/dpv:hasRight/0"),
        ("party_role", "/dpv:hasDataController/@type"),
        (
            "authority_party",
            "/dpv:hasDataController/dpv:hasAuthority/dpv:hasName",
        ),
    ] {
        assert!(record.pointer(pointer).is_some(), "{field} at {pointer}");
    }
    let biometric = render(
        &fields(Decision::Given),
        &self::notice(Purpose::Authentication, Language::En, &controller),
        &controller,
    )
    .unwrap();
    assert_eq!(
        biometric["dpv:hasProcess"]["dpv:hasPersonalData"][0]["@type"],
        "dpv:SpecialCategoryPersonalData",
        "special_pii_category"
    );
}

#[test]
fn the_digest_covers_the_record_and_not_its_spelling() {
    let record = all().swap_remove(0);
    let respelt: Value =
        serde_json::from_str(&serde_json::to_string_pretty(&record).unwrap()).unwrap();
    assert_eq!(digest(&record).unwrap(), digest(&respelt).unwrap());
    let digests: std::collections::BTreeSet<_> =
        all().iter().map(|record| digest(record).unwrap()).collect();
    assert_eq!(digests.len(), all().len());
    let mut large = record;
    large["x"] = Value::from("x".repeat(LARGEST));
    assert!(digest(&large).is_err());
}

#[test]
fn a_receipt_tells_what_has_become_of_it() {
    let record = all().swap_remove(0);
    let events = [
        Event {
            state: ConsentState::Given,
            at: UnixTime(1_800_000_000),
        },
        Event {
            state: ConsentState::Withdrawn,
            at: UnixTime(1_800_000_100),
        },
    ];
    let receipt = receipt(&record, &events).unwrap();
    assert_eq!(receipt["@type"], "dpv:ConsentReceipt");
    let states = receipt["dpv:hasConsentStatus"].as_array().unwrap();
    assert_eq!(states[1]["@type"], "dpv:ConsentWithdrawn");
    assert_eq!(states[1]["dpv:isIndicatedAtTime"], "2027-01-15T08:01:40Z");
    assert_eq!(
        receipt["dct:source"]["dct:identifier"],
        record["dct:identifier"]
    );
    assert!(self::receipt(&Value::Null, &events).is_err());
}

/// Changes one leaf of a document, or removes it.
fn mutate(value: &mut Value, choice: usize, how: u8) -> bool {
    fn leaves(value: &Value, path: String, into: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (key, inner) in members {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    leaves(inner, format!("{path}/{key}"), into);
                }
            }
            Value::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    leaves(inner, format!("{path}/{index}"), into);
                }
            }
            _ => into.push(path),
        }
    }
    let mut all = Vec::new();
    leaves(value, String::new(), &mut all);
    let path = &all[choice % all.len()];
    let before = value.clone();
    if how == 0 {
        let (parent, key) = path.rsplit_once('/').unwrap();
        match value.pointer_mut(parent).unwrap() {
            Value::Object(members) => {
                members.remove(&key.replace("~1", "/").replace("~0", "~"));
            }
            Value::Array(items) => {
                items.remove(key.parse().unwrap());
            }
            _ => unreachable!(),
        }
    } else {
        let leaf = value.pointer_mut(path).unwrap();
        *leaf = match how {
            1 => Value::Null,
            2 => Value::from(format!("{}x", leaf.as_str().unwrap_or_default())),
            3 => Value::from(7),
            _ => Value::Array(vec![leaf.clone()]),
        };
    }
    *value != before
}

proptest! {
    /// Whatever is changed is either refused or another record, well-formed in itself, with another digest.
    #[test]
    fn no_change_goes_unnoticed(record in 0usize..48, leaf: usize, how in 0u8..5) {
        let record = all().swap_remove(record);
        let mut changed = record.clone();
        prop_assume!(mutate(&mut changed, leaf, how));
        prop_assert_ne!(digest(&record).unwrap(), digest(&changed).unwrap());
        if let Ok(parsed) = parse(&changed) {
            let again = written(&parsed.fields, &parsed.notice, &parsed.controller).unwrap();
            prop_assert_eq!(again, changed);
        }
    }

    #[test]
    fn members_that_nobody_writes_are_refused(record in 0usize..48, key in "[a-z:]{1,12}") {
        let mut record = all().swap_remove(record);
        prop_assume!(record.get(&key).is_none());
        record[&key] = Value::from("more");
        prop_assert!(parse(&record).is_err());
    }
}
